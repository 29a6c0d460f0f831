"""Promotion: which finalists are bought again, for how much, and who starts the purchase."""

__all__ = ["action", "child_process", "deployment", "finalists", "plan"]
