"""Promotion: which finalists still need a final, what that costs, and how the purchase is started."""

__all__ = ["action", "attempts", "child_process", "deployment", "plan"]
