"""Picture bytes: the container, decoding, perceptual hashes, likeness, provenance and transparency."""

__all__ = [
    "alignment",
    "bought",
    "colour",
    "container",
    "decoding",
    "difference_picture",
    "differences",
    "fingerprint",
    "glances",
    "lettering",
    "likeness",
    "looks",
    "provenance",
    "redrawing",
    "registration",
    "sendable",
    "shown",
    "transparency",
    "untouched",
]
