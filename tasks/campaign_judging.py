"""What a campaign can get wrong about its judging models: settings, models, prices."""

from collections.abc import Collection, Iterator

from tasks.campaign import Campaign
from tasks.campaign_choice import Duel, Judge
from tasks.campaign_fault import CampaignFault
from tasks.catalogue import Catalogue
from tasks.errors import CatalogueError
from tasks.providers import Provider


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
