"""The review page: look, compare, vote, choose, and agree to buy.

It reads the ledger and writes down what people say. It cannot buy: whoever serves it brings the one action
that does, and this package never imports what could spend.
"""

__all__ = ["access", "app", "page_context", "server"]
