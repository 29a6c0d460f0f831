"""Picture bytes: the container, decoding, perceptual hashes, provenance and transparency."""

__all__ = ["container", "decoding", "fingerprint", "provenance", "transparency"]
