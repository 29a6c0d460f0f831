"""What a campaign can get wrong about its judging models, and about rounds that go by their scores."""

from collections.abc import Collection, Iterator

from tasks.campaign import Campaign
from tasks.campaign.choice import Duel, Judge
from tasks.campaign.rounds import LAST_ARMS, LEAST_PER_PROMPT
from tasks.campaign_file.fault import CampaignFault
from tasks.catalogue import Catalogue
from tasks.catalogue.providers import Provider
from tasks.errors import CatalogueError


def judging_faults(
    campaign: Campaign, catalogue: Catalogue, provider: Provider | None, scorers: Collection[str]
) -> Iterator[CampaignFault]:
    """Find the faults of ``score.judge`` and ``score.duel``.

    Args:
        campaign: A well-formed campaign.
        catalogue: Models and prices.
        provider: Who sells; ``None`` when it is not known.
        scorers: The scorers there are.
    """
    wishes = campaign.score
    needs = {"judge": "a model and a rubric", "duel": "{} for the defaults, or a model and a rubric"}
    settings: dict[str, Judge | Duel | None] = {"judge": wishes.judge, "duel": wishes.duel}
    for name, wished in settings.items():
        if wished is not None:
            yield from _model_faults(name, wished.model, catalogue, provider)
        elif name in wishes.weights and name in scorers:
            yield CampaignFault(("score", name), "is missing, and weights count on it", needs[name])


def halving_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    """Find why arms cannot be dropped round by round."""
    if campaign.drafts.allocation != "halving":
        return
    path = ("drafts", "allocation")
    if len(campaign.arms) <= LAST_ARMS:
        what = f"halving has no arm to drop among {len(campaign.arms)}"
        yield CampaignFault(path, what, "fixed, or three arms and more")
    if campaign.drafts.per_prompt < LEAST_PER_PROMPT:
        what = "1 leaves nothing for the rounds after the first"
        yield CampaignFault(("drafts", "per_prompt"), what, "2 or more, or drafts.allocation: fixed")
    if campaign.drafts.lane == "batch":
        what = "halving waits for the pictures of each round, and a batch may take a day for each"
        yield CampaignFault(path, what, "drafts.lane: interactive, or drafts.allocation: fixed")
    if "duel" in campaign.score.weights:
        what = "halving needs scores that stay what they are, and duels rank one round's pictures"
        yield CampaignFault(path, what, "a score by judge or technical, or drafts.allocation: fixed")


def _model_faults(
    name: str, model_id: str, catalogue: Catalogue, provider: Provider | None
) -> Iterator[CampaignFault]:
    path = ("score", name, "model")
    try:
        model = catalogue.model(model_id)
    except CatalogueError as error:
        yield CampaignFault(path, error.what, error.accepted)
        return
    if model.kind != "text" or model.vision is None:
        able = [other.id for other in catalogue.models.values() if other.kind == "text" and other.vision]
        what = "makes pictures and answers no questions" if model.kind == "image" else "looks at no pictures"
        yield CampaignFault(path, f"{model_id} {what}", ", ".join(able))
        return
    try:
        model.prices_at(provider)
    except CatalogueError as error:
        yield CampaignFault(path, error.what, f"{error.accepted}. {error.next_step}")
