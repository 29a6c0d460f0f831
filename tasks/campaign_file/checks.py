"""The checks of a well-formed campaign: models, sizes, references, prompts, weights, schedules.

Each check covers one subject and yields its faults, which would otherwise be found only by paying requests.
"""

from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import NamedTuple

from tasks.campaign import Campaign
from tasks.campaign.cheapest import with_closest
from tasks.campaign.pictures import CHEAPEST, ArmDrafts, Drafts, PictureSettings
from tasks.campaign.recurrence import ACCEPTED_INTERVAL, interval_fault, schedule_faults
from tasks.campaign.succession import all_succeeded
from tasks.campaign_file.factors import level_faults
from tasks.campaign_file.fault import CampaignFault
from tasks.campaign_file.file_names import find_file_name_faults
from tasks.campaign_file.finals import edition_path, find_finals_faults
from tasks.campaign_file.judging import halving_faults, judging_faults
from tasks.campaign_file.prompts import find_prompt_faults
from tasks.campaign_file.references import find_reference_faults
from tasks.campaign_file.rules import rule_faults
from tasks.campaign_file.sellers import edit_faults, seller_faults
from tasks.campaign_file.sizes import order_faults
from tasks.catalogue import Catalogue, Model
from tasks.catalogue.providers import Provider, Providers
from tasks.errors import CatalogueError
from tasks.text import did_you_mean

FIELD_OF_PARAMETER = {
    "output_format": "format",
    "output_compression": "compression",
    "n": "images_per_request",
}


def find_campaign_faults(
    campaign: Campaign,
    catalogue: Catalogue,
    providers: Providers,
    scorers: Collection[str],
    *,
    are_rows_known: bool = True,
    sends_pictures: bool = True,
    buys: bool = True,
) -> list[CampaignFault]:
    """Find every fault of a well-formed campaign.

    Args:
        campaign: The campaign.
        catalogue: Models and prices.
        providers: The known providers.
        scorers: The names of the installed scorers.
        are_rows_known: Whether its rows could be read; otherwise nothing that depends on them is checked.
        sends_pictures: Whether its references and masks must be there.
        buys: Whether anything may be bought by it; otherwise nothing is checked that only buying needs.
    """
    sends_pictures &= buys
    faults = list(_cheapest_faults(campaign))
    if buys:
        faults += seller_faults(campaign, providers)
        campaign = with_closest(campaign, catalogue, providers.by_name.get(campaign.provider), providers)
    too_many = list(order_faults(campaign))
    faults += too_many
    if are_rows_known and not too_many:
        faults += find_prompt_faults(campaign)
        faults += find_file_name_faults(campaign)
        faults += find_reference_faults(campaign, catalogue) if sends_pictures else ()
        faults += find_finals_faults(campaign, catalogue, sends_pictures=sends_pictures)
        faults += rule_faults(campaign)
    if buys:
        faults += _draft_faults(campaign, catalogue, providers)
        faults += _finals_faults(campaign, catalogue, providers)
        faults += edit_faults(campaign, providers)
        faults += judging_faults(campaign, catalogue, providers, scorers)
        faults += _schedule_faults(campaign)
        faults += _score_faults(campaign, scorers)
    faults += halving_faults(campaign)
    faults += _deadline_faults(campaign)
    faults += _segment_faults(campaign) if are_rows_known else ()
    faults += _arm_name_faults(campaign)
    faults += level_faults(campaign)
    return list(dict.fromkeys(faults))


def _cheapest_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    """Check that nothing succeeds the cheapest model: it is never one that was shut down."""
    parts = {("drafts",): campaign.drafts} | {
        ("arms", name, "drafts"): arm.drafts for name, arm in campaign.arms.items() if arm.drafts is not None
    }
    for path, drafts in parts.items():
        if drafts.model == CHEAPEST and drafts.successor is not None:
            what = "cheapest has no successor: each run takes a model that is available"
            yield CampaignFault(
                (*path, "successor"), what, "leave it out, or name the model that it succeeds"
            )


def _arm_name_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    seen: dict[str, str] = {}
    for name in campaign.arms:
        if name.lower() in seen:
            what = f"differs from {seen[name.lower()]} only in case, and arm names become file names"
            yield CampaignFault(("arms", name), what, "names that still differ in lower case")
        seen.setdefault(name.lower(), name)


class _Request(NamedTuple):
    """One request: how many pictures it asks for, and whether pictures are sent with it."""

    n: int
    is_edit: bool


def _draft_faults(campaign: Campaign, catalogue: Catalogue, providers: Providers) -> Iterator[CampaignFault]:
    successors = all_succeeded(campaign)
    for name in campaign.arms:
        settings, own = campaign.drafts_of(name), campaign.arms[name].drafts
        n = min(settings.images_per_request, max(each.replicates for each in campaign.rounds))
        request = _Request(n, is_edit=bool(campaign.references_of(name)))
        provider = providers.by_name.get(campaign.provider_of(name))
        for fault in _settings_faults(settings, successors.drafts_of(name), request, catalogue, provider):
            is_own = _is_own(own, fault.path[0]) or campaign.arms[name].provider is not None
            path = ("arms", name, "drafts") if is_own else ("drafts",)
            yield fault._replace(path=(*path, *fault.path))


def _finals_faults(campaign: Campaign, catalogue: Catalogue, providers: Providers) -> Iterator[CampaignFault]:
    successors = all_succeeded(campaign).editions
    for index, (edition, succeeded) in enumerate(zip(campaign.editions, successors, strict=True)):
        request = _Request(1, is_edit=edition.method == "edit")
        provider = providers.by_name.get(campaign.final_provider(edition))
        for fault in _settings_faults(edition, succeeded, request, catalogue, provider):
            yield fault._replace(path=(*edition_path(campaign, index), *fault.path))


def _is_own(own: ArmDrafts | None, field: str) -> bool:
    return own is not None and (field in own.model_fields_set or "model" in own.model_fields_set)


def _settings_faults(
    settings: PictureSettings,
    succeeded: PictureSettings,
    request: _Request,
    catalogue: Catalogue,
    provider: Provider | None,
) -> Iterator[CampaignFault]:
    """Check the settings, and those after succession as if the model had been shut down already."""
    if request.is_edit and settings.moderation is not None:
        what = f"{settings.moderation} is not accepted: {settings.model} accepts it only without references"
        yield CampaignFault(("moderation",), what, "leave it out")
    if not request.is_edit and settings.input_fidelity is not None:
        what = f"{settings.input_fidelity} is not accepted: {settings.model} gets no references"
        yield CampaignFault(("input_fidelity",), what, "leave it out")
    model = _known_model(settings.model, catalogue)
    if isinstance(model, CampaignFault):
        yield model._replace(path=("model",))
    elif model.capabilities is not None or settings.successor is None:
        yield from _model_faults(model, settings, request, provider)
    if settings.successor is None:
        return
    successor = _known_model(settings.successor.model, catalogue)
    if isinstance(successor, CampaignFault):
        yield successor._replace(path=("successor", "model"))
        return
    for fault in _model_faults(successor, succeeded, request, provider):
        own = fault.path[0] in type(settings.successor).model_fields
        what = fault.what if own else f"with the successor: {fault.what}"
        yield fault._replace(path=("successor", *fault.path) if own else fault.path, what=what)


def _known_model(model_id: str, catalogue: Catalogue) -> Model | CampaignFault:
    able = [model.id for model in catalogue.models.values() if model.capabilities is not None]
    try:
        model = catalogue.model(model_id)
    except CatalogueError:
        what = f"there is no model {model_id!r} in the catalogue{did_you_mean(model_id, able)}"
        return CampaignFault((), what, ", ".join(able))
    if model.kind != "image":
        return CampaignFault((), f"{model_id} makes no pictures", ", ".join(able))
    return model


def _model_faults(
    model: Model, settings: PictureSettings, request: _Request, provider: Provider | None
) -> Iterator[CampaignFault]:
    for fault in model.find_unsupported(settings.parameters(n=request.n, is_edit=request.is_edit)):
        yield CampaignFault((FIELD_OF_PARAMETER.get(fault.key, fault.key),), fault.what, fault.accepted)
    can = model.capabilities
    if can is None:
        return
    if request.is_edit and not can.edits:
        yield CampaignFault(("model",), f"{model.id} does not edit pictures", "a model that does")
    if isinstance(settings, Drafts) and settings.lane == "batch":
        yield from _batch_faults(model, provider)
    if settings.partial_images is not None:
        yield from _streaming_faults(settings, provider)
    try:
        model.prices_at(provider)
    except CatalogueError as error:
        yield CampaignFault(("model",), error.what, f"{error.accepted}. {error.next_step}")


def _streaming_faults(settings: PictureSettings, provider: Provider | None) -> Iterator[CampaignFault]:
    if isinstance(settings, Drafts) and settings.lane == "batch":
        what = "a batch does not stream partial pictures"
        yield CampaignFault(("partial_images",), what, "leave it out, or lane: interactive")
    if provider is not None and not provider.capabilities.streaming:
        what = f"{provider.name} does not stream pictures"
        yield CampaignFault(
            ("partial_images",), what, "leave it out, or a provider that does, such as openai"
        )


def _batch_faults(model: Model, provider: Provider | None) -> Iterator[CampaignFault]:
    if model.capabilities is None or not model.capabilities.batch:
        accepted = "interactive, or a model that has one: runoff models lists them"
        yield CampaignFault(("lane",), f"{model.id} has no batch lane", accepted)
    elif provider is not None and not provider.capabilities.batch:
        accepted = "interactive, or a provider that has one, such as openai"
        yield CampaignFault(("lane",), f"{provider.name} has no batch lane", accepted)
    elif _batch_factor(model, provider) is None:
        seller = "the catalogue" if provider is None else provider.name
        what = f"{seller} has no published price for {model.id} in the batch lane"
        yield CampaignFault(("lane",), what, "interactive, or a batch_factor beside the model's prices")


def _batch_factor(model: Model, provider: Provider | None) -> Decimal | None:
    try:
        return model.prices_at(provider).batch_factor
    except CatalogueError:
        return Decimal(0)  # a missing price is a fault of its own


def _score_faults(campaign: Campaign, scorers: Collection[str]) -> Iterator[CampaignFault]:
    for name in campaign.score.weights:
        if name not in scorers:
            what = f"there is no scorer {name!r} in this version{did_you_mean(name, scorers)}"
            yield CampaignFault(("score", "weights", name), what, ", ".join(sorted(scorers)))
    if not any(campaign.score.weights.values()):
        yield CampaignFault(("score", "weights"), "no scorer counts", "at least one weight above 0")


def _schedule_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    schedule = campaign.schedule
    if schedule is None:
        return
    for key, what, accepted in schedule_faults(schedule):
        yield CampaignFault(("schedule", key) if key else ("schedule",), what, accepted)


def _deadline_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    rules = campaign.finalists
    if rules.decide_within is None:
        if "then" in rules.model_fields_set:
            what = "says what happens without saying when"
            yield CampaignFault(("finalists", "then"), what, "decide_within beside it, such as 72h")
        return
    path = ("finalists", "decide_within")
    if wrong := interval_fault(rules.decide_within):
        yield CampaignFault(path, wrong, ACCEPTED_INTERVAL)
    if rules.approval == "auto":
        what = "has nobody to wait for: approval is auto"
        yield CampaignFault(path, what, "approval: review or prefect, or no decide_within")


def _segment_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    known = sorted(campaign.variable_names)
    for place, name in enumerate(campaign.ab_test.segments or ()):
        if name not in known:
            what = f"no row has a variable {name!r}"
            yield CampaignFault(("ab_test", "segments", str(place)), what, ", ".join(known) or "no segments")
