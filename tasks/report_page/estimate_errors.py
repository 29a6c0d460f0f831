"""The errors of estimates: how far they were from the bill, for orders whose cost is known."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from tasks.catalogue import Catalogue
from tasks.catalogue.providers import Providers
from tasks.errors import RunoffError
from tasks.order import Order
from tasks.report_page.facts import EstimateError

ZERO = Decimal(0)


def measure_estimates(
    billed: Iterable[tuple[Order, Decimal]], catalogue: Catalogue, providers: Providers
) -> dict[str, EstimateError]:
    """Compare estimates with the bill, stage by stage.

    Args:
        billed: Orders with their known cost, dollars.
        catalogue: Source of the low end; the high end is stored with the order.
        providers: The providers that billed them.

    Returns:
        Stage to its error; a stage without a known cost is left out.
    """
    stages: dict[str, list[tuple[Order, Decimal]]] = {}
    for order, cost_usd in billed:
        stages.setdefault(order.stage, []).append((order, cost_usd))
    known: dict[object, Decimal | None] = {}
    return {
        stage: EstimateError(
            orders=len(pairs),
            low_usd=_sum([_low_usd(order, catalogue, providers, known) for order, _ in pairs]),
            high_usd=sum((order.estimate_usd for order, _ in pairs), ZERO),
            billed_usd=sum((cost_usd for _, cost_usd in pairs), ZERO),
        )
        for stage, pairs in stages.items()
    }


def _sum(amounts: list[Decimal | None]) -> Decimal | None:
    return None if None in amounts else sum((amount for amount in amounts if amount is not None), ZERO)


def _low_usd(
    order: Order, catalogue: Catalogue, providers: Providers, known: dict[object, Decimal | None]
) -> Decimal | None:
    """Estimate an order's low end again; equal requests are estimated once."""
    sizes = tuple((reference.width, reference.height) for reference in order.references)
    key = (
        order.provider,
        _text(order.parameters),
        order.lane,
        len(order.prompt),
        len(order.prompt.encode()),
        sizes,
    )
    if key not in known:
        try:
            model, provider = (
                catalogue.model(str(order.parameters["model"])),
                providers.provider(order.provider),
            )
            known[key] = model.estimate_usd(
                order.parameters, order.prompt, order.references, order.lane, provider
            ).low_usd
        except RunoffError:
            known[key] = None
    return known[key]


def _text(parameters: Mapping[str, object]) -> str:
    return repr(sorted(parameters.items()))
