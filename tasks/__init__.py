"""Steps (verbs) and the things they share (nouns)."""
