"""Duplicates: which pictures are compared, and what makes one a duplicate of another, by look or by hash."""

__all__ = [
    "across_arms",
    "by_hash",
    "by_look",
    "comparison",
    "proposals",
    "rule",
    "scope",
    "tuning",
]
