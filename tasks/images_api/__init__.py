"""The only code that can spend money: one request for each order, kept and settled."""

__all__ = [
    "answer_store",
    "batch_lane",
    "buyer",
    "client",
    "failures",
    "models_endpoint",
    "purchasing",
    "rate_limiter",
    "terms",
]
