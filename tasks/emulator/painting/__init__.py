"""The emulator's hand: procedural scenes that follow a prompt.

``reading`` turns the prompt into a subject, a place, an hour, colours and a style; ``scenery`` and
``interiors`` paint where it is, ``animals``, ``creatures``, ``products`` and ``buildings`` what it is,
``styles`` how it is rendered.
Colours are float32 in [0, 1], shape (height, width, 3); shapes are outlines in units of their subject.
"""

__all__ = ["contents", "liberties", "reading", "retouch", "scene"]
