"""What a well-formed campaign can still get wrong: models, sizes, references, prompts, weights, schedules.

Each check looks at one matter and yields its faults; together they are what ``runoff plan`` would otherwise
have to find out by paying.
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from tasks.campaign import Campaign, Row
from tasks.campaign_pictures import ArmDrafts, Drafts, PictureSettings
from tasks.catalogue import Catalogue, Model
from tasks.errors import CatalogueError, SettingError
from tasks.marked_yaml import KeyPath
from tasks.prompts import (
    MAX_ROWS,
    PromptFaultError,
    PromptTemplate,
    finals_template,
)
from tasks.providers import Provider, Providers
from tasks.references import ReferenceFaultError, read_mask, read_reference
from tasks.schedule import schedule_faults
from tasks.succession import all_succeeded

FIELD_OF_PARAMETER = {
    "output_format": "format",
    "output_compression": "compression",
    "n": "images_per_request",
}


class CampaignFault(NamedTuple):
    """One fault of a campaign: where, what, what is accepted."""

    path: KeyPath
    what: str
    accepted: str = ""


def find_campaign_faults(
    campaign: Campaign, catalogue: Catalogue, providers: Providers, scorers: Collection[str]
) -> list[CampaignFault]:
    """Find every fault of a well-formed campaign."""
    faults: list[CampaignFault] = []
    try:
        provider = providers.provider(campaign.provider)
    except SettingError as error:
        faults.append(CampaignFault(("provider",), error.what, error.accepted))
        provider = None
    row_faults = list(_row_faults(campaign))
    faults += row_faults or _prompt_faults(campaign)
    faults += _draft_faults(campaign, catalogue, provider)
    faults += _finals_faults(campaign, catalogue, provider)
    faults += _reference_faults(campaign, catalogue)
    faults += _provider_faults(campaign, provider)
    faults += _score_faults(campaign, catalogue, scorers)
    faults += _schedule_faults(campaign)
    faults += _arm_name_faults(campaign)
    return list(dict.fromkeys(faults))


def _edits(campaign: Campaign) -> bool:
    return campaign.finals.method == "edit"


def _arm_name_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    seen: dict[str, str] = {}
    for name in campaign.arms:
        if name.lower() in seen:
            what = f"differs from {seen[name.lower()]} only in capitals, and both name files"
            yield CampaignFault(("arms", name), what, "names that stay different in small letters")
        seen.setdefault(name.lower(), name)


def _row_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    if campaign.variables is not None and campaign.rows is not None:
        yield CampaignFault(("rows",), "stands beside variables", "one of rows and variables")
    if campaign.n_rows > MAX_ROWS:
        key = "rows" if campaign.rows is not None else "variables"
        yield CampaignFault((key,), f"make {campaign.n_rows:,} rows", f"at most {MAX_ROWS:,}")
    if campaign.rows is not None and not campaign.rows:
        yield CampaignFault(("rows",), "holds no rows", "at least one mapping, or leave the key out")
    if any("prompt" in row for row in ([campaign.variables or {}, *(campaign.rows or ())])):
        key = "rows" if campaign.rows is not None else "variables"
        yield CampaignFault((key,), "prompt is the name of the draft's own text", "another name")


def _prompt_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    longest: dict[int, str] = {}
    for name, arm in campaign.arms.items():
        path = ("arms", name, "prompt")
        try:
            template = PromptTemplate(arm.prompt)
        except PromptFaultError as error:
            yield CampaignFault(path, str(error), "a Jinja2 template")
            continue
        missing = sorted(template.names - _names_of(campaign))
        if missing:
            known = ", ".join(sorted(_names_of(campaign))) or "no variables: the campaign has none"
            yield CampaignFault(path, f"names {', '.join(missing)}, which no row holds", known)
            continue
        yield from _rendering_faults(campaign, path, template, longest)
    if campaign.finals.prompt is not None or longest:
        yield from _finals_prompt_faults(campaign, longest)


def _names_of(campaign: Campaign) -> set[str]:
    if isinstance(campaign.rows, tuple):
        return {name for row in campaign.rows for name in row}
    return set(campaign.variables or {})


def _rendering_faults(
    campaign: Campaign, path: KeyPath, template: PromptTemplate, longest: dict[int, str]
) -> Iterator[CampaignFault]:
    """Fill the template for every row; the first row that fails stands for all that do."""
    failed: list[str] = []
    for index, row in enumerate(campaign.all_rows):
        try:
            longest[index] = max(longest.get(index, ""), template.render(row), key=len)
        except PromptFaultError as error:
            failed.append(f"row {index} ({_shown_row(row)}) {error}")
    if failed:
        others = f"; and {len(failed) - 1} more rows" if len(failed) > 1 else ""
        yield CampaignFault(path, failed[0] + others, "a text for every row")


def _shown_row(row: Row) -> str:
    text = ", ".join(f"{key}={value}" for key, value in row.items()) or "no variables"
    return text if len(text) <= 60 else f"{text[:57]}…"


def _finals_prompt_faults(campaign: Campaign, prompts: dict[int, str]) -> Iterator[CampaignFault]:
    path = ("finals", "prompt")
    try:
        template = PromptTemplate(finals_template(campaign.finals.prompt, campaign.finals.method))
        missing = sorted(template.names - _names_of(campaign) - {"prompt"})
        if missing:
            known = ", ".join(sorted(_names_of(campaign) | {"prompt"}))
            yield CampaignFault(path, f"names {', '.join(missing)}, which no row holds", known)
            return
        for index, prompt in prompts.items():
            template.render({**campaign.all_rows[index], "prompt": prompt})
    except PromptFaultError as error:
        yield CampaignFault(path, str(error), "a Jinja2 template that a draft's prompt fits in")


class _Asked(NamedTuple):
    """How a request is made: pictures in one request, and whether pictures are sent along."""

    n: int
    is_edit: bool


def _draft_faults(
    campaign: Campaign, catalogue: Catalogue, provider: Provider | None
) -> Iterator[CampaignFault]:
    heirs = all_succeeded(campaign)
    for name in campaign.arms:
        settings, own = campaign.drafts_of(name), campaign.arms[name].drafts
        n = min(settings.images_per_request, settings.per_prompt)
        asked = _Asked(n, is_edit=bool(campaign.references_of(name)))
        for fault in _settings_faults(settings, heirs.drafts_of(name), asked, catalogue, provider):
            path = ("arms", name, "drafts") if _is_own(own, fault.path[0]) else ("drafts",)
            yield fault._replace(path=(*path, *fault.path))


def _finals_faults(
    campaign: Campaign, catalogue: Catalogue, provider: Provider | None
) -> Iterator[CampaignFault]:
    heir, asked = all_succeeded(campaign).finals, _Asked(1, is_edit=_edits(campaign))
    for fault in _settings_faults(campaign.finals, heir, asked, catalogue, provider):
        yield fault._replace(path=("finals", *fault.path))


def _is_own(own: ArmDrafts | None, field: str) -> bool:
    return own is not None and (field in own.model_fields_set or "model" in own.model_fields_set)


def _settings_faults(
    settings: PictureSettings,
    heir: PictureSettings,
    asked: _Asked,
    catalogue: Catalogue,
    provider: Provider | None,
) -> Iterator[CampaignFault]:
    """Check the settings, and those after succession as if the model had been shut down already."""
    if asked.is_edit and settings.moderation is not None:
        yield CampaignFault(("moderation",), "is not taken with references", "leave it out")
    if not asked.is_edit and settings.input_fidelity is not None:
        yield CampaignFault(("input_fidelity",), "means nothing without references", "leave it out")
    model = _known_model(settings.model, catalogue)
    if isinstance(model, CampaignFault):
        yield model._replace(path=("model",))
    elif model.capabilities is not None or settings.successor is None:
        yield from _model_faults(model, settings, asked, provider)
    if settings.successor is None:
        return
    successor = _known_model(settings.successor.model, catalogue)
    if isinstance(successor, CampaignFault):
        yield successor._replace(path=("successor", "model"))
        return
    for fault in _model_faults(successor, heir, asked, provider):
        own = fault.path[0] in type(settings.successor).model_fields
        what = fault.what if own else f"after the model's succession: {fault.what}"
        yield fault._replace(path=("successor", *fault.path) if own else fault.path, what=what)


def _known_model(model_id: str, catalogue: Catalogue) -> Model | CampaignFault:
    try:
        return catalogue.model(model_id)
    except CatalogueError as error:
        return CampaignFault((), error.what, error.accepted)


def _model_faults(
    model: Model, settings: PictureSettings, asked: _Asked, provider: Provider | None
) -> Iterator[CampaignFault]:
    for fault in model.find_faults(settings.parameters(n=asked.n, is_edit=asked.is_edit)):
        yield CampaignFault((FIELD_OF_PARAMETER.get(fault.key, fault.key),), fault.what, fault.accepted)
    can = model.capabilities
    if can is None:
        return
    if asked.is_edit and not can.edits:
        yield CampaignFault(("model",), f"{model.id} does not edit pictures", "a model that does")
    if isinstance(settings, Drafts) and settings.lane == "batch":
        yield _batch_fault(model, provider)
    try:
        model.prices_at(provider)
    except CatalogueError as error:
        yield CampaignFault(("model",), error.what, f"{error.accepted}. {error.next_step}")


def _batch_fault(model: Model, provider: Provider | None) -> CampaignFault:
    what = "the batch lane is not available in this version"
    if model.capabilities is None or not model.capabilities.batch:
        what = f"{model.id} has no batch lane"
    elif provider is not None and not provider.capabilities.batch:
        what = f"{provider.name} has no batch lane"
    return CampaignFault(("lane",), what, "interactive")


def _reference_faults(campaign: Campaign, catalogue: Catalogue) -> Iterator[CampaignFault]:
    bad: set[str] = set()
    for name in campaign.arms:
        path: KeyPath = (
            ("references",) if campaign.arms[name].references is None else ("arms", name, "references")
        )
        references = campaign.references_of(name)
        drafts = campaign.drafts_of(name)
        limit = _max_references(drafts.model, catalogue)
        if len(references) > limit:
            yield CampaignFault(path, f"{len(references)} pictures for {drafts.model}", f"at most {limit}")
        for index, file in enumerate(references):
            try:
                read_reference(file)
            except ReferenceFaultError as error:
                bad.add(file)
                yield CampaignFault((*path, str(index)), str(error), "a png, jpeg or webp file under 50 MB")
    if campaign.mask is not None:
        yield from _mask_faults(campaign, campaign.mask, bad)


def _max_references(model_id: str, catalogue: Catalogue) -> int:
    model = _known_model(model_id, catalogue)
    if isinstance(model, CampaignFault) or model.capabilities is None:
        return 16
    return model.capabilities.max_references


def _mask_faults(campaign: Campaign, mask: str, bad: set[str]) -> Iterator[CampaignFault]:
    bare = [name for name in campaign.arms if not campaign.references_of(name)]
    if bare:
        noun = "arm" if len(bare) == 1 else "arms"
        what = f"{noun} {', '.join(bare)} without references to lay it over"
        yield CampaignFault(("mask",), what, "a mask with references")
    for first in sorted(
        {campaign.references_of(name)[0] for name in campaign.arms if name not in bare} - bad
    ):
        try:
            read_mask(mask, read_reference(first))
        except ReferenceFaultError as error:
            yield CampaignFault(
                ("mask",), str(error), "a png with transparency of the first reference's size"
            )


def _provider_faults(campaign: Campaign, provider: Provider | None) -> Iterator[CampaignFault]:
    if provider is None:
        return
    can = provider.capabilities
    if not can.edits and any(campaign.references_of(name) for name in campaign.arms):
        yield CampaignFault(("references",), f"{provider.name} does not edit pictures", "no references")
    if not can.edits and _edits(campaign) and campaign.finalists.count:
        yield CampaignFault(("finals", "method"), f"{provider.name} does not edit pictures", "generate")
    if campaign.drafts.images_per_request > can.max_n:
        what = f"{campaign.drafts.images_per_request} is more than {provider.name} makes for one request"
        yield CampaignFault(("drafts", "images_per_request"), what, f"at most {can.max_n}")
    elif campaign.drafts.images_per_request > provider.images_per_minute:
        what = (
            f"{campaign.drafts.images_per_request} is more than a whole minute's pictures at {provider.name}"
        )
        yield CampaignFault(("drafts", "images_per_request"), what, f"at most {provider.images_per_minute}")


def _score_faults(
    campaign: Campaign, catalogue: Catalogue, scorers: Collection[str]
) -> Iterator[CampaignFault]:
    for name in campaign.score.weights:
        if name not in scorers:
            what = f"there is no scorer {name!r} in this version"
            yield CampaignFault(("score", "weights", name), what, ", ".join(sorted(scorers)))
    if not any(campaign.score.weights.values()):
        yield CampaignFault(("score", "weights"), "no scorer counts", "at least one weight above 0")
    judge = campaign.score.judge
    if judge is None:
        if "judge" in campaign.score.weights and "judge" in scorers:
            yield CampaignFault(("score", "judge"), "is missing, and weights count on it", "model and rubric")
        return
    if "judge" not in scorers:
        yield CampaignFault(("score", "judge"), "there is no judge in this version", "leave it out")
    model = _known_model(judge.model, catalogue)
    if isinstance(model, CampaignFault):
        yield model._replace(path=("score", "judge", "model"))
    elif model.kind != "text":
        what = f"{judge.model} makes pictures and answers no questions"
        texts = [name for name, known in catalogue.models.items() if known.kind == "text"]
        yield CampaignFault(("score", "judge", "model"), what, ", ".join(texts))


def _schedule_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    schedule = campaign.schedule
    if schedule is None:
        return
    for key, what, accepted in schedule_faults(schedule):
        yield CampaignFault(("schedule", key) if key else ("schedule",), what, accepted)
