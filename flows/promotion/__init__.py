"""Promotion: which finalists are bought again, for how much, and who starts the purchase."""
