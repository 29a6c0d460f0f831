"""The only code that can spend money: it sends one request per order, stores the answer and settles it."""

__all__ = [
    "batch_lane",
    "buyer",
    "client",
    "failures",
    "models_endpoint",
    "price_lists",
    "provider_check",
    "purchasing",
    "rate_limiter",
    "recover_sent",
    "reread",
    "sellers",
    "settlements",
    "sidecars",
    "terms",
]
