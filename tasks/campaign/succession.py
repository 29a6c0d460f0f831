"""Succession: which model a campaign uses once one of its models has been shut down.

From the day of a model's shutdown, the successor that the campaign names is used, with a warning; without a
successor the run stops before anything is bought.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Literal, TypeVar

from tasks.campaign.campaign import Campaign
from tasks.campaign.cheapest import uses_cheapest
from tasks.campaign.choice import Duel, Judge, PanelJudge
from tasks.campaign.finals import Finals
from tasks.campaign.pictures import CHEAPEST, Arm, ArmDrafts, Drafts, PictureSettings
from tasks.campaign.recurrence import next_run
from tasks.catalogue import Catalogue
from tasks.catalogue.model import Lifecycle
from tasks.errors import CatalogueError

Settings = TypeVar("Settings", bound=PictureSettings)
Part = Literal["drafts", "judges", "finals"]
"""A part of a campaign that has models of its own."""

EVERY_PART: frozenset[Part] = frozenset(("drafts", "judges", "finals"))
FINALS: frozenset[Part] = frozenset(("finals",))
JUDGES: frozenset[Part] = frozenset(("judges",))
DRAFTS: frozenset[Part] = frozenset(("drafts",))
DRAFTS_AND_JUDGES: frozenset[Part] = EVERY_PART - FINALS
NO_PART: frozenset[Part] = frozenset()


def succeeded(settings: Settings) -> Settings:
    """Replace the model by its successor; settings that the successor leaves out stay."""
    successor = settings.successor
    if successor is None:
        return settings
    changes = {key: value for key, value in successor.model_dump().items() if value is not None}
    return settings.model_copy(update={**changes, "successor": None})


def all_succeeded(campaign: Campaign) -> Campaign:
    """Replace every model by its successor, as if all models had been shut down."""
    arms = dict(campaign.arms)
    for name, arm in arms.items():
        if _has_own_model(arm):
            arms[name] = _with_own(arm, succeeded(campaign.drafts_of(name)))
    changed = campaign.model_copy(update={"drafts": succeeded(campaign.drafts), "arms": arms})
    return changed.with_editions([succeeded(edition) for edition in campaign.editions])


def with_successors(
    campaign: Campaign,
    catalogue: Catalogue,
    today: date,
    needed: frozenset[Part] = EVERY_PART,
) -> tuple[Campaign, list[str]]:
    """Replace every model that has been shut down by its successor.

    Args:
        campaign: The campaign as read.
        catalogue: Source of the shutdown dates.
        today: Today's date (UTC).
        needed: The parts of which something will be bought; models of the others may be shut down, and stay.

    Returns:
        The campaign to run, and a sentence for each replacement and each model to be shut down soon.

    Raises:
        CatalogueError: A model and its successor, if it has one, have been shut down; the message names the
            vendor's successor.
    """
    horizon = _next_scheduled_day(campaign, today)
    notices: list[str] = []
    changed = campaign
    if "drafts" in needed:
        drafts = campaign.drafts
        if _is_shared_model_used(campaign):
            drafts = _available("drafts", drafts, catalogue, today, horizon, notices)
        arms = {}
        for name, arm in campaign.arms.items():
            arms[name] = arm
            if _has_own_model(arm):
                own = _available(
                    f"arms.{name}.drafts", campaign.drafts_of(name), catalogue, today, horizon, notices
                )
                arms[name] = _with_own(arm, own)
        changed = changed.model_copy(update={"drafts": drafts, "arms": arms})
    if "finals" in needed:
        editions = _available_editions(campaign, catalogue, today, horizon, notices)
        changed = changed.with_editions(editions)
    if "judges" in needed:
        for key, judge in _judges_of(campaign).items():
            _check_not_retired(key, judge.model, catalogue, today)
    return changed, list(dict.fromkeys(notices))


def find_shut_down(
    campaign: Campaign, catalogue: Catalogue, today: date, needed: frozenset[Part] = EVERY_PART
) -> dict[str, str | None]:
    """Find the models that were shut down and have no available successor, as keys of the campaign file.

    Args:
        campaign: The campaign as read.
        catalogue: Source of the shutdown dates and of the vendor's successors.
        today: Today's date (UTC).
        needed: The parts that are looked at.

    Returns:
        By dotted key, such as ``finals.model``, an available model that the vendor recommends instead;
        ``None`` if it recommends none. A key that has a dot in one of its names is left out.
    """
    parts: dict[str, PictureSettings] = {}
    if "finals" in needed:
        is_list = isinstance(campaign.finals, tuple)
        for index, edition in enumerate(campaign.editions):
            parts[f"finals.{index}" if is_list else "finals"] = edition
    if "drafts" in needed:
        if _is_shared_model_used(campaign):
            parts["drafts"] = campaign.drafts
        for name, arm in campaign.arms.items():
            if _has_own_model(arm) and "." not in name:
                parts[f"arms.{name}.drafts"] = campaign.drafts_of(name)
    used = {key: _model_of_today(part, catalogue, today) for key, part in parts.items()}
    if "judges" in needed:
        used |= {key: judge.model for key, judge in _judges_of(campaign).items()}
    return {
        f"{key}.model": _recommended(model, catalogue, today)
        for key, model in used.items()
        if _is_shut_down(model, catalogue, today)
    }


def _judges_of(campaign: Campaign) -> dict[str, Judge | Duel | PanelJudge]:
    judges = {"score.judge": campaign.score.judge, "score.duel": campaign.score.duel}
    panel = campaign.score.panel.judges if campaign.score.panel else ()
    further = {f"score.panel.judges.{index}": judge for index, judge in enumerate(panel)}
    return {key: judge for key, judge in judges.items() if judge is not None} | further


def _is_shut_down(model: str, catalogue: Catalogue, today: date) -> bool:
    return model in catalogue.models and catalogue.model(model).lifecycle(today).state == "retired"


def _model_of_today(settings: PictureSettings, catalogue: Catalogue, today: date) -> str:
    is_replaced = settings.successor is not None and _is_shut_down(settings.model, catalogue, today)
    return settings.successor.model if settings.successor and is_replaced else settings.model


def _recommended(model: str, catalogue: Catalogue, today: date) -> str | None:
    named = catalogue.model(model).lifecycle(today).successors
    return next(
        (one for one in named if one in catalogue.models and not _is_shut_down(one, catalogue, today)), None
    )


def _available_editions(
    campaign: Campaign, catalogue: Catalogue, today: date, horizon: date | None, notices: list[str]
) -> list[Finals]:
    return [
        _available(
            f"finals.{edition.name}" if edition.name else "finals",
            edition,
            catalogue,
            today,
            horizon,
            notices,
        )
        for edition in campaign.editions
    ]


def _pictures_of(campaign: Campaign) -> list[PictureSettings]:
    return [*map(campaign.drafts_of, campaign.arms), *campaign.editions]


def models_with_successors(campaign: Campaign) -> set[str]:
    """List the models that have a successor wherever the campaign names them."""
    settings = _pictures_of(campaign)
    without = {part.model for part in settings if part.successor is None}
    return {part.model for part in settings} - without


def models_of(campaign: Campaign, seller: str | None = None) -> list[str]:
    """List the models that a campaign names, each once, with successors and judging models.

    ``cheapest`` is among them unless it was replaced.

    Args:
        campaign: The campaign.
        seller: Only those that are bought at this provider.
    """
    parts = _pictures_of(campaign) if seller is None else _bought_at(campaign, seller)
    names = [part.model for part in parts]
    names += [part.successor.model for part in parts if part.successor is not None]
    score = campaign.score
    judging = (score.judge, score.duel, *(score.panel.judges if score.panel else ()))
    names += [
        settings.model
        for settings in judging
        if settings is not None and seller in (None, settings.provider or campaign.provider)
    ]
    return list(dict.fromkeys(names))


def _bought_at(campaign: Campaign, seller: str) -> list[PictureSettings]:
    arms = [name for name in campaign.arms if campaign.provider_of(name) == seller]
    editions = [edition for edition in campaign.editions if campaign.final_provider(edition) == seller]
    return [*map(campaign.drafts_of, arms), *editions]


def heed_announced(
    campaign: Campaign, catalogue: Catalogue, announced: Mapping[str, date]
) -> tuple[Catalogue, list[str]]:
    """Apply the shutdown dates that a provider announces, where they are earlier than the catalogue's.

    Args:
        campaign: Whose models are checked.
        catalogue: Source of the known dates.
        announced: Model id to the shutdown date in the provider's own list.

    Returns:
        The catalogue to use, and a sentence for each date that changed.
    """
    earlier, notices = {}, []
    names = [name for name in models_of(campaign) if name != CHEAPEST]
    if uses_cheapest(campaign):  # any of them may be chosen
        names += [name for name, model in catalogue.models.items() if model.kind == "image"]
    for name in dict.fromkeys(names):
        day, known = announced.get(name), catalogue.model(name).lifecycle_facts.shutdown_on
        if day is None or (known is not None and known <= day):
            continue
        earlier[name] = day
        than = "the catalogue has no date" if known is None else f"the catalogue says {known}"
        notices.append(
            f"{name}: the provider announces its shutdown for {day}; {than}. The earlier date is used."
        )
    return catalogue.with_shutdowns(earlier), notices


def _is_shared_model_used(campaign: Campaign) -> bool:
    return not all(map(_has_own_model, campaign.arms.values()))


def _has_own_model(arm: Arm) -> bool:
    return arm.drafts is not None and bool(arm.drafts.model or arm.drafts.successor)


def _with_own(arm: Arm, settings: Drafts) -> Arm:
    own = {} if arm.drafts is None else arm.drafts.model_dump()
    changes = {key: getattr(settings, key) for key in ("model", "successor", "quality", "size", "complexity")}
    return arm.model_copy(update={"drafts": ArmDrafts(**{**own, **changes})})


def _available(
    key: str, settings: Settings, catalogue: Catalogue, today: date, horizon: date | None, notices: list[str]
) -> Settings:
    life = catalogue.model(settings.model).lifecycle(today)
    if life.state != "retired":
        notices.extend(_warnings(key, settings, life, horizon))
        return settings
    if settings.successor is None:
        raise _retired(key, settings.model, life, is_draft=isinstance(settings, Drafts))
    after = succeeded(settings)
    _check_not_retired(f"{key}.successor", after.model, catalogue, today)
    notices.append(
        f"{key}: {settings.model} was shut down on {life.shutdown_on}; its successor {after.model}"
        f" at {after.quality} is used."
    )
    return after


def _warnings(key: str, settings: PictureSettings, life: Lifecycle, horizon: date | None) -> Iterator[str]:
    if life.shutdown_on is None:
        return
    such_as = f", such as {life.successors[0]}" if life.successors else ""
    or_cheapest = f", or write model: {CHEAPEST}" if isinstance(settings, Drafts) else ""
    then = (
        f"then {settings.successor.model} is used."
        if settings.successor
        else f"name a successor{such_as}{or_cheapest}."
    )
    # Dates, not days from now: the run's report, which has this sentence, is read later.
    when = f"{key}: {settings.model} will be shut down on {life.shutdown_on}"
    if life.state == "retiring":
        yield f"{when}; {then}"
    elif horizon is not None and horizon >= life.shutdown_on:
        yield f"{when}, before the scheduled run of {horizon}; {then}"


def _next_scheduled_day(campaign: Campaign, today: date) -> date | None:
    if campaign.schedule is None:
        return None
    start = datetime(today.year, today.month, today.day, tzinfo=UTC)
    return next_run(campaign.schedule, start).astimezone(UTC).date()


def _check_not_retired(key: str, model_id: str, catalogue: Catalogue, today: date) -> None:
    life = catalogue.model(model_id).lifecycle(today)
    if life.state == "retired":
        raise _retired(key, model_id, life)


def _retired(key: str, model_id: str, life: Lifecycle, *, is_draft: bool = False) -> CatalogueError:
    named = life.successors[0] if life.successors else "an available model"
    cheapest = (CHEAPEST,) if is_draft else ()  # the vendor's own successor can cost several times as much
    return CatalogueError(
        where=key,
        what=f"{model_id} was shut down on {life.shutdown_on}",
        accepted=", ".join((*cheapest, *life.successors)) or "an available model; see: runoff models",
        next_step=f"Write model: {CHEAPEST if is_draft else named}, or add successor: {{model: {named}}}"
        " beside the model.",
    )
