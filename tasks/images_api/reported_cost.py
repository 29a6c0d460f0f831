"""Reads what an answer says that it cost: only a positive amount that an order can have counts.

OpenRouter writes dollars into ``usage.cost``, xAI ticks, and LiteLLM a header. Source: their documentation
and code, read 2026-11-28.
"""

from collections.abc import Mapping
from decimal import Decimal

from tasks.limits import MOST_REPORTED_USD
from tasks.money import read_amount

TICKS_PER_USD = 10**10
"""Of ``usage.cost_in_usd_ticks``."""
COST_HEADER = "x-litellm-response-cost"


def reported_cost_usd(body: object, headers: Mapping[str, str]) -> Decimal | None:
    """Return the cost that an answer states, dollars; ``None`` where it states none that can be.

    Args:
        body: Its JSON, of any shape.
        headers: Its headers.
    """
    usage = body.get("usage") if isinstance(body, dict) else None
    usage = usage if isinstance(usage, dict) else {}
    cost = usage.get("cost")
    if isinstance(cost, dict):
        cost = cost.get("total_cost")
    ticks = read_amount(usage.get("cost_in_usd_ticks"))
    stated = (
        read_amount(cost),
        None if ticks is None else ticks / TICKS_PER_USD,
        read_amount(headers.get(COST_HEADER)),
    )
    return next((one for one in stated if one is not None and 0 < one <= MOST_REPORTED_USD), None)
