"""The review page: view pictures, compare, vote, choose finalists and confirm buying them.

It reads the ledger and records people's decisions. It cannot buy by itself: the command gives it the one
action that does, and this package imports nothing that can spend.
"""

__all__ = ["access", "app", "page_context", "root_path", "server", "visitors"]
