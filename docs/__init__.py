"""Pages for people, and the program that writes those that can be written from the code."""

__all__: list[str] = []
