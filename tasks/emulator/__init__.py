"""The emulator: an offline server that speaks the vendor's Images protocol.

It paints pictures that follow the prompt, keeps a bill of every request, and fails on demand. It is written
from the published protocol alone and shares no code or data with the client side, so that one misreading
cannot hide another.
"""

__all__ = [
    "app",
    "faults",
    "images_request",
    "models",
    "mosaic",
    "painter",
    "painting",
    "picture_note",
    "replicates",
    "server",
    "settings",
    "vision_judge",
]
