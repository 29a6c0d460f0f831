"""The A/B test: which arm makes the better pictures, or that the evidence is not enough yet."""

__all__ = ["arm_leads", "verdict"]
