"""Pairwise comparisons: votes, the Bradley-Terry model, and how far scorers agree with people."""

__all__ = ["bradley_terry", "calibration", "likelihood", "votes"]
