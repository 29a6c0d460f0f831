"""The A/B test: which arm makes the better pictures, or that nobody can tell yet."""

__all__ = ["arm_leads", "verdict"]
