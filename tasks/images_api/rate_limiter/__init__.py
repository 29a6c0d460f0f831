"""The rate limiter: pictures per minute, by a sliding window and a rate that adapts to rate limit errors."""

__all__ = ["limiter", "stated_limit"]
