"""Builds the draft orders of a campaign, in the sequence in which they are bought.

First one picture of every row and arm, then the second of every row and arm, and so on, so that a run that
ends early has the same number of pictures of every arm. With rounds, only the first is known at the start;
later ones make further replicates of the arms that went on.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from tasks.attachments.attachments import SentPictures
from tasks.campaign import Campaign
from tasks.campaign.prompts import PromptTemplate
from tasks.campaign.rounds import Pass
from tasks.catalogue.estimates import Estimates
from tasks.order import Order


def draft_prompts(campaign: Campaign) -> dict[str, list[str]]:
    """Fill every arm's template with every row; return the texts by arm, in the order of the rows."""
    return {
        name: [template.render(row) for row in campaign.all_rows]
        for name, arm in campaign.arms.items()
        for template in (PromptTemplate(arm.prompt),)
    }


def draft_orders(
    campaign: Campaign,
    prompts: Mapping[str, Sequence[str]],
    pictures: SentPictures,
    estimates: Estimates,
    run_id: str,
    passes: Sequence[Pass],
) -> Iterator[Order]:
    """Build a campaign's draft orders.

    Args:
        campaign: The campaign to run, with retired models replaced by their successors.
        prompts: From ``draft_prompts``.
        pictures: The references and masks of each arm and row.
        estimates: The cost of requests.
        run_id: The run that the orders belong to; part of their identity.
        passes: Which replicates of which arms.

    Raises:
        CatalogueError: Something has no price.
        CampaignError: A mask cannot be drawn.
    """

    @cache
    def parameters_of(arm: str, n: int) -> dict[str, Any]:
        return campaign.drafts_of(arm).parameters(n=n, is_edit=bool(campaign.references_of(arm)))

    for arms, replicate, n in _requests(passes, campaign.drafts.images_per_request):
        for row in range(len(campaign.all_rows)):
            for arm in arms:
                prompt, parameters, sent = prompts[arm][row], parameters_of(arm, n), pictures.of(arm, row)
                yield Order(
                    run_id=run_id,
                    campaign=campaign.name,
                    stage="draft",
                    arm=arm,
                    row=row,
                    replicate=replicate,
                    attempt=0,
                    prompt=prompt,
                    provider=campaign.provider_of(arm),
                    endpoint="edits" if sent.references else "generations",
                    parameters=parameters,
                    references=sent.references,
                    mask=sent.mask,
                    lane=campaign.drafts.lane,
                    estimate_usd=estimates.at(campaign.provider_of(arm))
                    .of(parameters, prompt, sent.references, campaign.drafts.lane)
                    .high_usd,
                )


def _requests(passes: Sequence[Pass], at_once: int) -> Iterator[tuple[Sequence[str], int, int]]:
    """Yield arms, first replicate and number of pictures of each request for every row."""
    for one in passes:
        end = one.first_replicate + one.replicates
        for replicate in range(one.first_replicate, end, at_once):
            yield one.arms, replicate, min(at_once, end - replicate)
