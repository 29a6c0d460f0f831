"""Pairwise comparisons: votes, the Bradley-Terry model, and how well scorers agree with people."""

__all__ = ["bradley_terry", "calibration", "likelihood", "people_agreement", "votes"]
