"""Tables of money for the terminal."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any

from rich.table import Table

from flows.commands.tables import new_table
from flows.runs.budgets import Balance, MonthBudgets
from tasks.money import format_usd


def spend_table(group: str, groups: Sequence[dict[str, Any]]) -> Table:
    """Draw what was spent, with a total; estimates have a column of their own."""
    figures = ("requests", "spent", "of which estimated")
    names = ("run", "campaign") if group == "run" else (group,)
    table = new_table(*names, *figures, right=figures)
    for facts in groups:
        cells = (facts["name"], facts["campaign"]) if group == "run" else (facts["name"],)
        table.add_row(*cells, *_amounts(facts["n_orders"], facts["spent_usd"], facts["unknown_usd"]))
    table.add_section()
    spent_usd = sum((facts["spent_usd"] for facts in groups), Decimal(0))
    unknown_usd = sum((facts["unknown_usd"] for facts in groups), Decimal(0))
    n_orders = sum(facts["n_orders"] for facts in groups)
    blank = ("",) * (len(names) - 1)
    table.add_row("total", *blank, *_amounts(n_orders, spent_usd, unknown_usd))
    return table


def _amounts(n_orders: int, spent_usd: Decimal, unknown_usd: Decimal) -> tuple[str, str, str]:
    return f"{n_orders:,}", format_usd(spent_usd), format_usd(unknown_usd) if unknown_usd else "–"


def month_lines(budgets: MonthBudgets) -> Iterator[str]:
    """Describe what this month was charged and what is left of it."""
    for name, budget in budgets.campaigns.items():
        yield f"{budgets.month}  {name}: {_balance(budget)}"
    yield f"{budgets.month}  whole ledger: {_balance(budgets.ledger)}"


def _balance(budget: Balance) -> str:
    spent = format_usd(budget.spent_usd)
    if budget.limit_usd is None or budget.left_usd is None:
        return f"{spent}, no limit"
    return f"{spent} of {format_usd(budget.limit_usd)}, {format_usd(budget.left_usd)} left"


def unknown_lines(facts: Sequence[dict[str, Any]]) -> Iterator[str]:
    """List unknown orders, run by run: the ids to look them up by, and what they may have cost.

    Lines instead of a table: ids must stay whole on a narrow terminal, so that they can be copied.
    """
    for run_id, orders in groupby(facts, key=itemgetter("run_id")):
        yield f"run {run_id}"
        for order in orders:
            picture = f"{order['stage']} {order['arm']}-{order['row']:03d}-{order['replicate']:03d}"
            sent = f"sent {order['sent_at']:%m-%d %H:%M:%S} UTC"
            charged = f"charged {format_usd(order['charged_usd'])}"
            yield f"  {order['order_id']}  {picture}  {charged}  {sent}  {order['error_code'] or ''}".rstrip()
            if order["vendor_request_id"]:
                yield f"    vendor's request id {order['vendor_request_id']}"
            if order["resent_as"]:
                yield f"    ordered again as {order['resent_as']}"
