"""The rendered prompts of a plan, row by row, for people."""

from collections.abc import Iterator
from itertools import zip_longest

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tasks.order import Order
from tasks.plan import Plan

FEW_PROMPTS = 8
"""So many are shown unless all are asked for; whole rows, and at least one."""
FEW_CHARACTERS = 300


def prompts_renderable(plan: Plan, *, shows_all: bool) -> RenderableType:
    """Draw what is sent for each row and arm.

    Args:
        plan: The plan.
        shows_all: Every row and every character; otherwise the first ones.
    """
    requests = plan.requests()
    n_rows = plan.campaign.n_rows
    per_row = max(1, len(requests) // max(1, n_rows))
    n_shown = n_rows if shows_all else max(1, FEW_PROMPTS // per_row)
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for cells in _lines(plan, [order for order in requests if order.row < n_shown], shows_all=shows_all):
        table.add_row(*cells)
    parts: list[RenderableType] = [Padding(table, (0, 0, 0, 1))]
    if n_rows > n_shown:
        noun = "row" if n_rows - n_shown == 1 else "rows"
        rest = f"{n_rows - n_shown:,} more {noun}; every prompt: runoff plan --all"
        parts.append(Padding(Text(rest, "dim"), (0, 0, 0, 1)))
    return Group(*parts, Text(""))


def _lines(plan: Plan, requests: list[Order], *, shows_all: bool) -> Iterator[tuple[str, str, Text]]:
    last, judged = -1, [""]
    for order, next_order in zip_longest(requests, requests[1:]):
        text = order.prompt if shows_all or len(order.prompt) <= FEW_CHARACTERS else _cut(order.prompt)
        sent = [reference.file.rpartition("/")[2] for reference in order.references]
        drawn = Text.assemble(text, (f"  + {', '.join(sent)}" if sent else "", "dim"))
        yield f"row {order.row + 1}" if order.row != last else "", order.arm, drawn
        last = order.row
        asked = plan.statements_about(order)
        if asked and asked != judged and (next_order is None or next_order.row != order.row):
            yield (
                "",
                "judge",
                Text("\n".join(f"{number}. {text}" for number, text in enumerate(asked, 1)), "dim"),
            )
            judged = asked  # rows that are asked the same need no second list


def _cut(text: str) -> str:
    return f"{text[:FEW_CHARACTERS].rstrip()}…"
