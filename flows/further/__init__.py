"""Further rounds: what a person asks for from one picture, its price, and how its purchase is started."""

__all__ = ["action", "added", "asked", "child_process", "plan"]
