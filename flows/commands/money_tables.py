"""Tables of money for the terminal."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from rich.table import Table

from flows.commands.tables import new_table
from flows.spending import MonthBudget, MonthBudgets
from tasks.money import format_usd


def spend_table(group: str, groups: Sequence[dict[str, Any]]) -> Table:
    """Draw what was spent, with a sum; what is only estimated stands apart."""
    figures = ("orders", "spent", "of it estimated")
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
    table.add_row("all together", *blank, *_amounts(n_orders, spent_usd, unknown_usd))
    return table


def _amounts(n_orders: int, spent_usd: Decimal, unknown_usd: Decimal) -> tuple[str, str, str]:
    return f"{n_orders:,}", format_usd(spent_usd), format_usd(unknown_usd) if unknown_usd else "–"


def month_lines(budgets: MonthBudgets) -> Iterator[str]:
    """Say what this month was charged and what is left of it."""
    for name, budget in budgets.campaigns.items():
        yield f"{budgets.month}  {name}: {_said(budget)}"
    yield f"{budgets.month}  whole ledger: {_said(budgets.ledger)}"


def _said(budget: MonthBudget) -> str:
    spent = format_usd(budget.spent_usd)
    if budget.limit_usd is None or budget.left_usd is None:
        return f"{spent}, no limit"
    return f"{spent} of {format_usd(budget.limit_usd)}, {format_usd(budget.left_usd)} left"


def unknown_table(facts: Sequence[dict[str, Any]]) -> Table:
    """Draw unknown orders: by what the provider can find them, and what they may have cost."""
    table = new_table("order", "run", "picture", "charged", "sent (UTC)", "error", right=("charged",))
    for order in facts:
        table.add_row(
            order["order_id"],
            order["run_id"],
            f"{order['stage']} {order['arm']}-{order['row']:03d}-{order['replicate']:03d}",
            format_usd(order["estimate_usd"]),
            f"{order['sent_at']:%m-%d %H:%M:%S}",
            order["error_code"] or "",
        )
        found_by = [f"vendor's request {order['vendor_request_id']}"] if order["vendor_request_id"] else []
        again = [f"ordered again as {order['resent_as']}"] if order["resent_as"] else []
        if note := ", ".join(found_by + again):
            table.add_row(f"  {note}", style="dim")
    return table
