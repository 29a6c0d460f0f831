"""A run that this process works on: prepared, opened, composed, closed."""
