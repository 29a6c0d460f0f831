"""Orders written out from a campaign: drafts, finals and questions, and what they cost."""

__all__ = ["drafts", "finals", "finals_costs", "missing_scores", "questions", "round_costs"]
