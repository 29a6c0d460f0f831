"""Reading a campaign file and checking all of it before anything is spent."""

__all__ = ["checks", "load"]
