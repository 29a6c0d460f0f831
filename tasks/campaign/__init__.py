"""The campaign: the models of the campaign file, and what follows from them alone.

Sections, prompts, rounds, recurrence and succession; no file is read here (``tasks.campaign_file`` does).
"""

from tasks.campaign.campaign import Campaign, Row

__all__ = [
    "Campaign",
    "Row",
    "accepted",
    "added_round",
    "best_campaign",
    "briefs",
    "campaign",
    "cheapest",
    "choice",
    "designs",
    "expected_text",
    "factors",
    "file_names",
    "finals",
    "mask",
    "pictures",
    "prompts",
    "recurrence",
    "retention",
    "rounds",
    "row_groups",
    "row_value",
    "schedule",
    "schema",
    "statements",
    "succession",
    "verdict",
]
