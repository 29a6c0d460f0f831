"""Judging by a model: rubrics, duels, and its replies."""
