"""The checks of ``runoff doctor``: each reports its findings with a next step, and changes nothing.

No check spends money, starts a server or leaves a file; ``conformance`` judges what ``--buy-one`` bought.
"""

__all__ = ["conformance", "finding", "ledger", "machine", "memory", "models", "provider"]
