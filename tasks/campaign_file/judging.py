"""The checks of a campaign's judging models, and of rounds that depend on their scores."""

from collections.abc import Collection, Iterator

from tasks.campaign import Campaign
from tasks.campaign.choice import Judge
from tasks.campaign.rounds import LAST_ARMS, LEAST_PER_PROMPT
from tasks.campaign_file.fault import CampaignFault
from tasks.campaign_file.sellers import asked_at
from tasks.catalogue import Catalogue
from tasks.catalogue.providers import Provider, Providers
from tasks.errors import CatalogueError


def judging_faults(
    campaign: Campaign, catalogue: Catalogue, providers: Providers, scorers: Collection[str]
) -> Iterator[CampaignFault]:
    """Find the faults of ``score.judge``, ``score.duel`` and ``score.panel``.

    Args:
        campaign: A well-formed campaign.
        catalogue: Models and prices.
        providers: The known providers.
        scorers: The names of the installed scorers.
    """
    score = campaign.score
    needs = {"judge": "a model and a rubric", "duel": "{} for the defaults, or a model and a rubric"}
    for path, section in asked_at(score).items():
        provider = providers.by_name.get(section.provider or campaign.provider)
        yield from _model_faults((*path, "model"), section.model, catalogue, provider)
    for name in needs:
        if getattr(score, name) is None and name in score.weights and name in scorers:
            yield CampaignFault(("score", name), "is missing, but score.weights uses it", needs[name])
    yield from _panel_faults(campaign)
    if score.judge is not None:
        yield from _sight_faults(campaign, score.judge)


def _panel_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    """Find a panel without a first judge, and judges who are on it twice."""
    score = campaign.score
    if score.panel is None:
        return
    if score.judge is None or "judge" not in score.weights:
        what = "a panel is asked what the judge is asked, and there is no judge"
        yield CampaignFault(("score", "panel"), what, "score.judge, with judge among score.weights")
        return
    seen = {(score.judge.provider or campaign.provider, score.judge.model)}
    for index, one in enumerate(score.panel.judges):
        name = (one.provider or campaign.provider, one.model)
        if name in seen:
            what = f"{one.model} at {name[0]} is asked already, and would answer the same question again"
            accepted = "another model, or another provider"
            yield CampaignFault(("score", "panel", "judges", str(index)), what, accepted)
        seen.add(name)


def _sight_faults(campaign: Campaign, judge: Judge) -> Iterator[CampaignFault]:
    """Find what the judge shall see beside pictures and no arm sends."""
    sent = {
        "references": any(campaign.references_of(arm) for arm in campaign.arms),
        "mask": any(campaign.mask_of(arm) and campaign.references_of(arm) for arm in campaign.arms),
    }
    for name in judge.sees:
        if not sent[name]:
            what = f"no arm is sent {'a mask' if name == 'mask' else name}, so there is nothing to see"
            accepted = f"{name} of the campaign or of an arm, or leave it out"
            yield CampaignFault(("score", "judge", "sees"), what, accepted)


def halving_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    """Find why halving is not possible."""
    if campaign.drafts.allocation != "halving":
        return
    path = ("drafts", "allocation")
    if len(campaign.arms) + len(campaign.verdict.retired) <= LAST_ARMS:
        what = f"halving has no arm to drop: {len(campaign.arms)} arms are too few"
        yield CampaignFault(path, what, "fixed, or three arms or more")
    if campaign.drafts.per_prompt < LEAST_PER_PROMPT:
        what = "1 leaves no pictures for later rounds"
        yield CampaignFault(("drafts", "per_prompt"), what, "2 or more, or drafts.allocation: fixed")
    if campaign.drafts.lane == "batch":
        what = "each round of halving could take a day as a batch"
        yield CampaignFault(path, what, "drafts.lane: interactive, or drafts.allocation: fixed")
    if "duel" in campaign.score.weights:
        what = (
            "halving needs scores that do not change between rounds, and duels rank the pictures of one round"
        )
        yield CampaignFault(path, what, "a score by judge or technical, or drafts.allocation: fixed")


def _model_faults(
    path: tuple[str, ...], model_id: str, catalogue: Catalogue, provider: Provider | None
) -> Iterator[CampaignFault]:
    try:
        model = catalogue.model(model_id)
    except CatalogueError as error:
        yield CampaignFault(path, error.what, error.accepted)
        return
    if model.kind != "text" or model.vision is None:
        able = [other.id for other in catalogue.models.values() if other.kind == "text" and other.vision]
        what = "makes pictures and cannot judge them" if model.kind == "image" else "cannot see pictures"
        yield CampaignFault(path, f"{model_id} {what}", ", ".join(able))
        return
    try:
        model.prices_at(provider)
    except CatalogueError as error:
        yield CampaignFault(path, error.what, f"{error.accepted}. {error.next_step}")
