"""Checks the models: that they are available, listed, and have a recent price."""

from collections.abc import Iterator, Sequence
from datetime import date

from tasks.catalogue import Catalogue, Model
from tasks.catalogue.model import RETIRING_WITHIN_DAYS
from tasks.catalogue.providers import Provider
from tasks.diagnostics.finding import Finding
from tasks.errors import CatalogueError
from tasks.images_api.models_endpoint import ModelsAnswer

OLD_PRICE_DAYS = 90


def check_model(
    model_id: str,
    catalogue: Catalogue,
    provider: Provider,
    answer: ModelsAnswer | None,
    today: date,
    *,
    has_successor: bool,
) -> Iterator[Finding]:
    """Check a model that a campaign uses: its shutdown date, the provider's list, and its price.

    Args:
        model_id: The model.
        catalogue: The models and their prices.
        provider: The provider.
        answer: The provider's list of models; ``None`` if it was not requested.
        today: The date (UTC).
        has_successor: Whether the campaign names a successor of the model.
    """
    model = catalogue.model(model_id)
    found = [
        _life(model_id, model, answer, today, has_successor=has_successor),
        *_listed(model_id, answer),
        _price(model_id, model, provider, today),
    ]
    well = "; ".join(finding.what for finding in found if finding.state == "ok")
    yield from (finding for finding in found if finding.state != "ok")
    if well:
        yield Finding(model_id, "ok", well)


def check_catalogue(
    models: Sequence[Model], provider: Provider, answer: ModelsAnswer | None, today: date
) -> Iterator[Finding]:
    """Check all image models that the provider sells, and report those that need attention.

    What was shut down is only counted: nobody here is known to use it.

    Args:
        models: The catalogue's models.
        provider: The provider.
        answer: The provider's list of models; ``None`` if it was not requested.
        today: The date (UTC).
    """
    lives = {
        model.id: _life(model.id, model, answer, today, has_successor=False)
        for model in models
        if model.kind == "image" and model.capabilities and _is_sold_by(provider, model)
    }
    sold = [model for model in models if model.id in lives and lives[model.id].state != "fault"]
    troubles: dict[tuple[str, str], list[str]] = {}
    for model in sold:
        for finding in (lives[model.id], _price(model.id, model, provider, today)):
            if finding.state != "ok":
                troubles.setdefault((finding.what, finding.way_out), []).append(model.id)
    for (what, way_out), names in troubles.items():
        yield Finding("models", "warning", f"{', '.join(names)}: {what}", way_out)
    n_well = len(sold) - len({name for names in troubles.values() for name in names})
    n_gone = len(lives) - len(sold)
    gone = f"; {n_gone} more {'was' if n_gone == 1 else 'were'} shut down" if n_gone else ""
    what = f"{n_well} of {len(sold)} image models have a recent price and no shutdown date{gone}"
    yield Finding("models", "ok", what)


def _is_sold_by(provider: Provider, model: Model) -> bool:
    """Whether the provider names a price for it, or the model the provider; else all that name nobody."""
    if provider.name in model.sold_at or model.id in (provider.prices or {}):
        return True
    return provider.prices is None and not model.sold_at


def _listed(model_id: str, answer: ModelsAnswer | None) -> Iterator[Finding]:
    if answer is not None and answer.kind == "ok" and model_id not in answer.shutdown_dates:
        what = "not in the provider's list, but it may still work"
        yield Finding(model_id, "warning", what, "Check at the provider which models the account can use.")


def _life(
    model_id: str, model: Model, answer: ModelsAnswer | None, today: date, *, has_successor: bool
) -> Finding:
    """Check a model's shutdown date; the earlier of the catalogue's and the provider's counts."""
    announced = None if answer is None else answer.shutdown_dates.get(model_id)
    known = model.lifecycle_facts.shutdown_on
    days = [day for day in (announced, known) if day is not None]
    if not days:
        return Finding(model_id, "ok", "no end announced")
    day = min(days)
    by = "the provider announces" if day == announced and day != known else "the catalogue says"
    left = (day - today).days
    named = " or ".join(model.lifecycle_facts.successors) or "a living model"
    if left <= 0:
        return _gone(model_id, f"shut down since {day}, {by}", named, has_successor=has_successor)
    when = f"shut down on {day}, in {left} day{'' if left == 1 else 's'}, {by}"
    if left > RETIRING_WITHIN_DAYS:
        return Finding(model_id, "ok", when)
    way_out = "The campaign's successor is then used." if has_successor else f"Name a successor: {named}."
    return Finding(model_id, "warning", when, way_out)


def _gone(model_id: str, what: str, named: str, *, has_successor: bool) -> Finding:
    if has_successor:
        return Finding(model_id, "warning", what, "The campaign's successor is used.")
    return Finding(model_id, "fault", what, f"Use {named}.")


def _price(model_id: str, model: Model, provider: Provider, today: date) -> Finding:
    try:
        prices = provider.prices_of(model)
    except CatalogueError as error:
        return Finding(model_id, "fault", error.what, error.next_step)
    age_days = (today - prices.checked_on).days
    if age_days <= OLD_PRICE_DAYS:
        return Finding(model_id, "ok", f"price checked on {prices.checked_on}")
    what = f"price last checked {age_days} days ago, on {prices.checked_on}"
    return Finding(model_id, "warning", what, f"Compare it with {prices.source}")
