"""What ``runoff doctor`` looks at: each check tells what it found and the way out, and changes nothing.

Checks read, ask and measure. None of them spends, starts a server or makes a file that stays.
"""

__all__ = ["finding", "ledger", "machine", "models", "provider"]
