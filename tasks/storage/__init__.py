"""Where files are kept: the home, atomic writes, and the mirror of an object store."""
