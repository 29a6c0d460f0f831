"""The checks of what a run's pictures are decided by, over its rows: scorers, statements, groups of rows.

They hold for the campaign of a run too whose rules another file replaces.
"""

from collections.abc import Iterator

from tasks.campaign import Campaign
from tasks.campaign_file.fault import CampaignFault
from tasks.campaign_file.scorers import scorer_faults
from tasks.campaign_file.statements import statement_faults


def rule_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    """Find the faults of ``score`` and ``finalists`` that depend on the rows.

    Args:
        campaign: A well-formed campaign whose rows are known.
    """
    yield from (CampaignFault(*fault) for fault in scorer_faults(campaign))
    yield from _group_faults(campaign)
    yield from statement_faults(campaign)


def _group_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    known = campaign.variable_names
    for name in campaign.finalists.per:
        if name not in known:
            accepted = f"a variable of the rows: {', '.join(sorted(known))}" if known else "variables or rows"
            yield CampaignFault(("finalists", "per", name), f"no row has a variable {name!r}", accepted)
