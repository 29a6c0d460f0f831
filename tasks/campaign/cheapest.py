"""The cheapest model: ``model: cheapest`` becomes, on the day, the cheapest one that makes what is asked.

It is chosen from the catalogue by the expected price of one draft at the campaign's provider. Arms without a
model of their own share one, so that what differs between them is only what the campaign varies. Where the
chosen model has a shutdown date, the cheapest one without is its successor: a run that is resumed after that
day goes on.
"""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from tasks.campaign.campaign import Campaign
from tasks.campaign.pictures import CHEAPEST, Drafts, Successor
from tasks.catalogue import Catalogue
from tasks.catalogue.model import Model
from tasks.catalogue.providers import Provider, Providers
from tasks.catalogue.sizes import Size, parse_size
from tasks.errors import CatalogueError
from tasks.money import format_usd
from tasks.order import Reference

DAYS_LEFT = 2
"""The fewest days to its shutdown that a chosen model has: a run may last beyond midnight, a batch a day."""

FindSeller = Callable[[str | None], Provider | None]
"""Finds an arm's provider by the name that the arm gives it, if any."""
Choose = Callable[[Sequence["_Wish"]], tuple[Model, Model | None]]


class _Wish(NamedTuple):
    """One arm's draft request, and who sells it; ``None`` for the vendor's own prices."""

    drafts: Drafts
    n_references: int
    has_mask: bool
    seller: Provider | None


def uses_cheapest(campaign: Campaign) -> bool:
    """Return whether the campaign leaves a model to the catalogue."""
    own = (arm.drafts.model for arm in campaign.arms.values() if arm.drafts is not None)
    return CHEAPEST in (campaign.drafts.model, *own)


def with_cheapest(
    campaign: Campaign,
    catalogue: Catalogue,
    provider: Provider | None,
    today: date,
    providers: Providers | None = None,
) -> tuple[Campaign, list[str]]:
    """Replace every ``cheapest`` by the model that it stands for on a day.

    Args:
        campaign: The campaign as read.
        catalogue: Models, prices and shutdown dates.
        provider: Who sells; ``None`` for the vendor's own prices.
        today: Today's date (UTC).
        providers: Where arms have providers of their own.

    Returns:
        The campaign with models of the catalogue, and a sentence for each choice.

    Raises:
        CatalogueError: No model that is available that day makes what is asked at a published price.
    """
    notes: list[str] = []

    def choose(wishes: Sequence[_Wish]) -> tuple[Model, Model | None]:
        able = [model for model in _able(catalogue, wishes) if _lasts(model, today)]
        if not able:
            raise _none_available(wishes, today)
        chosen = able[0]
        notes.append(f"drafts: model cheapest is {chosen.id} on {today}{_price(chosen, wishes[0])}.")
        lasting = [model for model in able if model.lifecycle_facts.shutdown_on is None]
        return chosen, None if chosen in lasting else next(iter(lasting), None)

    return _replaced(campaign, _sellers_of(provider, providers), choose), list(dict.fromkeys(notes))


def with_closest(
    campaign: Campaign, catalogue: Catalogue, provider: Provider | None, providers: Providers | None = None
) -> Campaign:
    """Replace every ``cheapest`` by the model that comes closest to what is asked, on whatever day.

    Its faults are those that no model is without.
    """

    def choose(wishes: Sequence[_Wish]) -> tuple[Model, Model | None]:
        able = _able(catalogue, wishes)
        priced = [model for model in catalogue.models.values() if _is_for_sale(model, wishes[0].seller)]
        closest = min(priced, key=lambda model: sum(_n_faults(model, wish) for wish in wishes), default=None)
        return able[0] if able else closest or next(iter(catalogue.models.values())), None

    return _replaced(campaign, _sellers_of(provider, providers), choose)


def _sellers_of(provider: Provider | None, providers: Providers | None) -> FindSeller:
    """Return a function that finds an arm's provider; one that is unknown is a fault of its own."""

    def seller_of(name: str | None) -> Provider | None:
        return provider if name is None or providers is None else providers.by_name.get(name)

    return seller_of


def _replaced(campaign: Campaign, seller_of: FindSeller, choose: Choose) -> Campaign:
    arms, shared = dict(campaign.arms), []
    for name, arm in campaign.arms.items():
        if arm.drafts is None or arm.drafts.model is None:
            shared.append(name)
        elif arm.drafts.model == CHEAPEST:
            model, successor = choose([_wish(campaign, name, seller_of)])
            own = arm.drafts.model_copy(update=_changes(model, successor))
            arms[name] = arm.model_copy(update={"drafts": own})
    if campaign.drafts.model != CHEAPEST:
        return campaign.model_copy(update={"arms": arms})
    wishes = [_wish(campaign, name, seller_of) for name in shared]
    wishes = wishes or [_Wish(campaign.drafts, 0, False, seller_of(None))]
    drafts = campaign.drafts.model_copy(update=_changes(*choose(wishes)))
    return campaign.model_copy(update={"arms": arms, "drafts": drafts})


def _changes(model: Model, successor: Model | None) -> dict[str, object]:
    following = {} if successor is None else {"successor": Successor(model=successor.id)}
    return {"model": model.id, **following}


def _wish(campaign: Campaign, arm: str, seller_of: FindSeller) -> _Wish:
    references, seller = campaign.references_of(arm), seller_of(campaign.arms[arm].provider)
    return _Wish(campaign.drafts_of(arm), len(references), campaign.mask_of(arm) is not None, seller)


def _able(catalogue: Catalogue, wishes: Sequence[_Wish]) -> list[Model]:
    """List the models that fulfil every wish at a published price; cheapest first, of equals the newest."""
    priced = []
    newest_first = sorted(
        catalogue.models.values(), key=lambda model: model.lifecycle_facts.released or "", reverse=True
    )
    for model in newest_first:
        if model.kind == "image" and model.capabilities is not None:
            costs = [_cost_usd(model, wish) for wish in wishes]
            known = [cost for cost in costs if cost is not None]
            if len(known) == len(costs):
                priced.append((sum(low for low, _ in known), sum(high for _, high in known), model))
    return [model for _, _, model in sorted(priced, key=lambda each: each[:2])]


def _cost_usd(model: Model, wish: _Wish) -> tuple[Decimal, Decimal] | None:
    """Estimate one draft, low and high; ``None`` if the model cannot make it or it has no price."""
    if _n_faults(model, wish):
        return None
    size = parse_size(wish.drafts.size) or Size(1024, 1024)
    sent = [Reference("", "", size.width, size.height, "image/png")] * wish.n_references
    try:
        cost = model.estimate_usd(_parameters(model, wish), "", sent, wish.drafts.lane, wish.seller)
    except CatalogueError:
        return None
    return cost.low_usd, cost.high_usd


def _parameters(model: Model, wish: _Wish) -> dict[str, object]:
    drafts = wish.drafts.model_copy(update={"model": model.id})
    return drafts.parameters(n=1, is_edit=wish.n_references > 0)


def _n_faults(model: Model, wish: _Wish) -> int:
    can = model.capabilities
    if can is None:
        return 1_000  # farther than any other
    limits = (
        wish.n_references > 0 and not can.edits,
        wish.n_references > can.max_references,
        wish.has_mask and not can.mask,
        wish.drafts.lane == "batch" and not can.batch,
    )
    return len(model.find_unsupported(_parameters(model, wish))) + sum(limits)


def _is_for_sale(model: Model, provider: Provider | None) -> bool:
    try:
        model.prices_at(provider)
    except CatalogueError:
        return False
    return model.kind == "image"


def _lasts(model: Model, today: date) -> bool:
    days_left = model.lifecycle(today).days_left
    return days_left is None or days_left >= DAYS_LEFT


def _price(model: Model, wish: _Wish) -> str:
    cost = _cost_usd(model, wish)
    return "" if cost is None else f", about {format_usd(cost[0])} a draft"


def _none_available(wishes: Sequence[_Wish], today: date) -> CatalogueError:
    drafts, provider = wishes[0].drafts, wishes[0].seller
    seller = "the vendor" if provider is None else provider.name
    return CatalogueError(
        where="drafts.model",
        what=f"cheapest stands for no model on {today}: {seller} sells none that makes {drafts.quality}"
        f" {drafts.size} {drafts.format} with everything else that drafts asks for",
        accepted="a model by name; see: runoff models",
        next_step="Name a model, or ask for less: quality, size, background, lane.",
    )
