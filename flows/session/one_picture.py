"""Buying one picture from a provider, to see how it sells: reserved, sent once, kept and settled as ever.

It is a run of its own, of a campaign called ``doctor``, so that the ledger has what it cost.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from flows.session.prepare import Prepared, prepare
from flows.session.session import open_session
from tasks.campaign import Campaign
from tasks.candidate import Candidate
from tasks.catalogue import Catalogue
from tasks.catalogue.model import Model
from tasks.catalogue.providers import Provider
from tasks.catalogue.sizes import Size
from tasks.errors import CatalogueError
from tasks.images_api.sidecars import read_sidecar, sidecar_file
from tasks.ledger import OrderRecord
from tasks.settings import Settings

PROMPT = "A red wooden cube on a plain white table, daylight"
"""Nothing that a moderation could mind."""
_SIZES = (Size(1024, 1024), Size(1024, 640))


@dataclass(frozen=True, slots=True)
class OnePicture:
    """What came of the purchase.

    Args:
        run_id: The run in the ledger.
        record: The order, as it ended.
        candidates: Its pictures.
        stop: Why nothing more would be sent to this provider; empty where nothing says so.
        stated_usd: What the answer says that it cost; ``None`` where it says nothing that is known.
    """

    run_id: str
    record: OrderRecord
    candidates: tuple[Candidate, ...]
    stop: str
    stated_usd: Decimal | None


def prepare_one(
    settings: Settings, catalogue: Catalogue, provider: Provider, model: str | None, run_id: str
) -> Prepared:
    """Prepare the purchase of the cheapest picture that a provider sells; asks and spends nothing.

    Args:
        settings: The home and the environment.
        catalogue: Models and prices.
        provider: The provider.
        model: The model; by default the one whose cheapest picture costs least, of those that name the
            provider in ``sold_at`` if there are any: the others it is only assumed to sell.
        run_id: The run.

    Raises:
        CatalogueError: The provider sells no such model at a known price.
    """
    models = list(catalogue.models.values()) if model is None else [catalogue.model(model)]
    models = [one for one in models if provider.name in one.sold_at] or models
    offers = [offer for one in models for offer in _offers(one, provider)]
    if not offers:
        raise CatalogueError(
            where=f"provider {provider.name}",
            what=f"sells {model or 'nothing'} at no known price"
            if model
            else "sells nothing at a known price",
            next_step=f"Add a model with its price: runoff models add MODEL --provider {provider.name}",
        )
    price_usd, asked = min(offers, key=lambda offer: offer[0])
    campaign = Campaign.model_validate(
        {
            "name": "doctor",
            "provider": provider.name,
            "budget": {"per_run_usd": str(price_usd)},
            "arms": {"A": {"prompt": PROMPT}},
            "drafts": {**asked, "per_prompt": 1},
            "finalists": {"count": 0},
            "finals": {**asked, "method": "generate"},
        }
    )
    return prepare(campaign, settings, run_id)


def _offers(model: Model, provider: Provider) -> Iterator[tuple[Decimal, dict[str, str]]]:
    """Price each quality of a model at its smallest usual size; nothing where it is not sold."""
    can = model.capabilities
    if model.kind != "image" or can is None:
        return
    sizes = can.sizes[:1] or [str(size) for size in _SIZES if can.size_rule and can.size_rule.allows(size)]
    for quality in can.qualities:
        for size in sizes:
            asked = {"model": model.id, "quality": quality, "size": size, "format": can.formats[0]}
            sent = {name: asked[name] for name in ("model", "quality", "size")}
            try:
                cost = model.estimate_usd({**sent, "n": 1}, PROMPT, provider=provider)
            except CatalogueError:
                continue
            yield cost.high_usd, asked


async def buy_one(prepared: Prepared) -> OnePicture:
    """Buy the picture. This spends money: at most its estimate.

    Args:
        prepared: From ``prepare_one``.

    Raises:
        SettingError: The key is missing, or the home cannot be written.
        RunoffError: The ledger or the disk failed.
    """
    async with open_session(prepared) as run:
        (order,) = run.planned("draft")
        await run.buyer.buy(order)
        stop = run.buyer.closed_by
        run.ledger.runs.end(run.run_id, "done", datetime.now(UTC))
        (record,) = run.ledger.orders.of_run(run.run_id)
        sidecar = sidecar_file(run.folder, record.order.order_id)
        return OnePicture(
            run.run_id,
            record,
            tuple(run.ledger.candidates.of_run(run.run_id)),
            str(stop or ""),
            read_sidecar(sidecar).reported_usd if sidecar.exists() else None,
        )
