"""The faults of a kind of design: what its factors must be like, and how large it may be."""

from tasks.campaign.designs import n_effects
from tasks.campaign.factors import Factors
from tasks.campaign_file.fault import CampaignFault
from tasks.limits import ARMS, COMBINATIONS
from tasks.marked_yaml import KeyPath

_DESIGN: KeyPath = ("factors", "design")


def kind_fault(factors: Factors) -> CampaignFault | None:
    """Find why a design of this kind cannot be made of these factors; a full one always can."""
    if factors.design == "full":
        return None
    if len(factors.levels) == 1:
        what = f"{factors.design}: there is one factor, of which every level must be made"
        return CampaignFault(_DESIGN, what, "full, or more factors")
    levels = {factor: list(named) for factor, named in factors.named_levels.items()}
    has_gaps = bool(factors.exclude or factors.only)
    more = next((factor for factor, named in levels.items() if len(named) > 2), None)
    if factors.design == "fractional":
        if more is not None:
            what = (
                f"fractional: {more} has {len(levels[more])} levels, and a regular fraction has two of each"
            )
            return CampaignFault(_DESIGN, what, "main_effects, or two levels of each factor")
        if has_gaps:
            what = (
                "fractional: a regular fraction has all its arms, and exclude or only would leave gaps in it"
            )
            return CampaignFault(_DESIGN, what, "main_effects, or neither exclude nor only")
    elif n_effects(levels) > ARMS:
        what = f"main_effects: these levels need {n_effects(levels)} arms or more"
        return CampaignFault(_DESIGN, what, f"at most {ARMS}: fewer levels")
    if factors.n_combinations > COMBINATIONS:
        what = f"{factors.design}: {factors.n_combinations:,} combinations are too many to choose from"
        return CampaignFault(_DESIGN, what, f"at most {COMBINATIONS:,}: fewer factors or levels")
    return None
