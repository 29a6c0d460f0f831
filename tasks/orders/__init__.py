"""Orders written out from a campaign: drafts, finals and questions, and what they cost."""
