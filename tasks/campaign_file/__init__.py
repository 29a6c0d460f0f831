"""The campaign file: reading it, and checking all of it before anything is spent."""

__all__ = ["checks", "load"]
