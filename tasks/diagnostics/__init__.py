"""The checks of ``runoff doctor``: each reports its findings with a next step, and changes nothing.

No check spends money, starts a server or leaves a file.
"""

__all__ = ["finding", "ledger", "machine", "models", "provider"]
