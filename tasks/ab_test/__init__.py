"""The A/B test: which arm makes the better pictures, or that the evidence is not enough yet."""

__all__ = [
    "arm_leads",
    "drift",
    "effect_sentences",
    "effects",
    "evidence",
    "night_verdicts",
    "nights",
    "paired_rows",
    "power",
    "preference_sentences",
    "preferences",
    "result",
    "segment_preferences",
    "segment_verdicts",
    "segments",
    "statements",
    "verdict",
    "winners",
]
