"""Picture bytes: the container, decoding, perceptual hashes, provenance and transparency."""
