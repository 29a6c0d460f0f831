"""Pairwise comparisons: votes, the Bradley-Terry model, and how far scorers agree with people."""
