"""Promotion: which finalists still need a final, what that costs, and how the purchase is started."""

__all__ = ["action", "child_process", "deployment", "finalists", "plan"]
