"""The smoke test of a run: one request of each arm before all the others, as a part of the same run.

The run begins with a smaller campaign: the first row, one request of each arm, no judge, no finals. When it
goes on, the whole campaign takes its place, finds these requests answered, and buys the rest.
"""

from dataclasses import replace

from flows.session.prepare import Prepared, plan_again
from tasks.campaign import Campaign
from tasks.storage.atomic import write_atomically
from tasks.storage.home import CAMPAIGN_FILE


def smoke_of(prepared: Prepared) -> Prepared:
    """Return the smoke test of a prepared run; nothing is written or sent.

    Raises:
        BudgetError: Even that exceeds the budget of a run.
    """
    campaign = prepared.campaign
    n = min(campaign.drafts.images_per_request, campaign.drafts.per_prompt)
    whole = campaign.model_dump(exclude_unset=True, exclude={"variables", "schedule"})
    if "factors" in whole:
        whole["factors"].pop("added", None)  # their arms are among the others here
    each = {"per_prompt": n, "images_per_request": n, "allocation": "fixed", "lane": "interactive"}
    changes = {
        "rows": [dict(row) for row in campaign.all_rows[:1]],
        "drafts": {**whole.get("drafts", {}), **each},
        "score": {"weights": {"technical": 1.0}},
        "finalists": {"count": 0},
    }
    small = Campaign.model_validate(whole | changes)  # not a copy: that would keep the rows it has
    return plan_again(replace(prepared, requested=small))


def make_whole(prepared: Prepared) -> None:
    """Let a run go on as the whole campaign after its smoke test."""
    write_atomically(prepared.folder / CAMPAIGN_FILE, prepared.campaign.as_yaml().encode())
