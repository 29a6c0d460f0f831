"""The campaign that makes one combination of levels, taken from the campaign that varied them."""

from collections.abc import Mapping
from typing import Any

from tasks.campaign.campaign import Campaign
from tasks.campaign.factors import Factors, arm_name, made_arm
from tasks.marked_yaml import write_yaml

LONGEST_NAME = 64
ENDING = "-best"
LONGEST_ARM = 32
_PICTURES = ("references", "mask")


def write_best_campaign(campaign: Campaign, levels: Mapping[str, str]) -> str:
    """Write a campaign file with one arm, of these levels: the same rows, settings, finals and budget.

    The schedule is left out: what runs by itself is said by a person.

    Args:
        campaign: The campaign with factors, as a run stored it: its paths are absolute.
        levels: The level of each factor.
    """
    factors = campaign.factors
    assert factors is not None, "only a campaign with factors has a best combination"
    data: dict[str, Any] = campaign.model_dump(mode="json", exclude_unset=True)
    arm = arm_of(campaign, factors, levels)
    del arm["levels"]
    drafts = {key: value for key, value in data.get("drafts", {}).items() if key != "allocation"}
    left = {key: value for key, value in data.items() if key not in ("factors", "schedule", "verdict")}
    name = campaign.name[: LONGEST_NAME - len(ENDING)].rstrip("-") + ENDING
    return write_yaml(left | {"name": name, "arms": {name_of(levels): arm}, "drafts": drafts})


def arm_of(campaign: Campaign, factors: Factors, levels: Mapping[str, str]) -> dict[str, Any]:
    """Make the arm of a combination of levels, as a run's own file has it: with absolute paths.

    Args:
        campaign: The campaign as a run stored it.
        factors: Its factors, perhaps with further levels.
        levels: The level of each factor.
    """
    arm = made_arm(factors, levels)
    for other in campaign.arms.values():  # its paths are absolute, those of the levels as they were written
        for factor, level in (other.levels or {}).items():
            own = factors.named_levels[factor].get(level)
            if own is not None and levels.get(factor) == level:
                stored = other.model_dump(mode="json", exclude_unset=True)
                arm |= {key: stored[key] for key in _PICTURES if key in own.settings and key in stored}
    return arm


def name_of(levels: Mapping[str, str]) -> str:
    """Name the arm of a combination: by its levels, or ``best`` where these are too long for a name."""
    name = arm_name(levels)
    return name if len(name) <= LONGEST_ARM else "best"
