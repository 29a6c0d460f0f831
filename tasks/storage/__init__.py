"""Where files are kept: the home, atomic writes, and the mirror of an object store."""

__all__ = ["atomic", "given_path", "home", "mirror", "parts", "regular_file"]
