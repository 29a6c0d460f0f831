"""The commands of ``runoff ledger``: spending, verification and unknown orders.

They buy nothing. ``reconcile --resend`` plans an order that the resumed run buys.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flows.commands.options import (
    answer_json,
    home_option,
    json_option,
    open_console,
    opened_ledger,
    read_settings,
)

if TYPE_CHECKING:
    from tasks.ledger import Reconciliation, Verdict
    from tasks.ledger.reconciliation import UnknownOrder

GROUPS = ("run", "month", "campaign", "model", "arm", "day")


def _read_cost(_ctx: click.Context, _param: click.Parameter, text: str | None) -> Decimal | None:
    from tasks.money import read_usd

    try:
        return None if text is None else read_usd(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.group()
def ledger() -> None:
    """Read, check and reconcile the ledger of orders and money."""


@ledger.command()
@click.option(
    "--by", "group", type=click.Choice(GROUPS), default="run", show_default=True, help="What to group by."
)
@home_option
@json_option
def spend(*, group: Any, home: Path | None, as_json: bool) -> None:  # noqa: ANN401 - one of GROUPS
    """Show what was spent, and what is left of this month's budgets."""
    from flows.commands.money_tables import month_lines, spend_table
    from flows.runs.budgets import month_budgets, spending_by

    settings = read_settings(home)
    with opened_ledger(settings) as opened:
        groups = spending_by(opened, group)
        budgets = month_budgets(opened, settings, datetime.now(UTC))
    if as_json:
        answer_json({"by": group, "groups": groups, "month": asdict(budgets)})
        return
    console = open_console()
    console.print(spend_table(group, groups))
    for line in month_lines(budgets):
        console.print(line, markup=False)


@ledger.command()
@home_option
@json_option
def verify(*, home: Path | None, as_json: bool) -> None:
    """Check that the ledger's sums, states and pictures agree. Exits with 1 when they do not."""
    from flows.runs.lock import fetch_files
    from tasks.errors import LedgerError
    from tasks.money import count_of

    settings = read_settings(home)
    fetch_files(settings.home)
    with opened_ledger(settings) as opened:
        faults = opened.verify(settings.home)
        name = opened.database.name
    if as_json:
        answer_json({"faults": faults})
    elif not faults:
        click.echo(f"The ledger {name} is consistent: sums, states and pictures agree.")
    if faults:
        raise LedgerError(
            where=f"ledger {name}",
            what=f"{count_of(len(faults), 'error')}\n  " + "\n  ".join(faults) + "\n",
            money="Nothing was changed.",
        )


@ledger.command()
@home_option
@json_option
def unknown(*, home: Path | None, as_json: bool) -> None:
    """List the requests that may have been billed, with the ids by which the provider can find them."""
    from flows.commands.money_tables import unknown_lines

    with opened_ledger(read_settings(home)) as opened:
        found = opened.reconciliations.unknown()
    facts = [_unknown_facts(order) for order in found]
    if as_json:
        answer_json(facts)
    elif facts:
        for line in unknown_lines(facts):
            click.echo(line)
        click.echo("Look them up at the provider, then record the result: runoff ledger reconcile")
    else:
        click.echo("No request is unknown.")


def _unknown_facts(unknown_order: "UnknownOrder") -> dict[str, Any]:
    record = unknown_order.record
    order, end = record.order, record.settlement
    return {
        "run_id": order.run_id,
        "order_id": order.order_id,
        "stage": order.stage,
        "arm": order.arm,
        "row": order.row,
        "replicate": order.replicate,
        "attempt": order.attempt,
        "estimate_usd": order.estimate_usd,
        "charged_usd": record.charged_usd,
        "sent_at": record.sent_at,
        # The buyer sends the order's own id as X-Client-Request-Id.
        "client_request_id": order.order_id,
        "vendor_request_id": end and end.vendor_request_id,
        "error_code": end and end.error_code,
        "error_message": end and end.error_message,
        "resent_as": unknown_order.resent_as,
    }


@ledger.command()
@click.argument("orders", nargs=-1, metavar="[ORDER]...")
@click.option("--all-of", "run", metavar="RUN", help="All unknown requests of a run: its id, or latest.")
@click.option("--billed", "verdict", flag_value="billed", help="It was billed: it stays charged.")
@click.option(
    "--cost", "cost_usd", metavar="USD", callback=_read_cost, help="With --billed: the billed amount of each."
)
@click.option(
    "--unbilled", "verdict", flag_value="unbilled", help="It was not billed: its reservation is released."
)
@click.option("--resend", "verdict", flag_value="resend", help="Plan it again; the first one stays charged.")
@home_option
@json_option
def reconcile(
    orders: tuple[str, ...],
    *,
    run: str | None,
    verdict: Any,  # noqa: ANN401 - one of Verdict, or None
    cost_usd: Decimal | None,
    home: Path | None,
    as_json: bool,
) -> None:
    """Record what became of unknown requests. If one of them cannot be recorded, none is.

    --resend only plans; the next `runoff run --resume RUN` buys, and may pay twice for the same picture.
    """
    _check_usage(orders, run, verdict, cost_usd)
    from flows.runs.reconciling import reconcile as record_verdict

    with opened_ledger(read_settings(home)) as opened:
        reconciled = record_verdict(opened, orders, verdict, run=run, cost_usd=cost_usd)
    if as_json:
        answer_json([asdict(reconciliation) for reconciliation in reconciled])
        return
    for line in _reconciliation_lines(reconciled, verdict):
        click.echo(line)


def _check_usage(
    orders: Sequence[str], run: str | None, verdict: "Verdict | None", cost_usd: Decimal | None
) -> None:
    if bool(orders) == bool(run):
        message = "Name requests, or a run with --all-of. List them with: runoff ledger unknown"
        raise click.UsageError(message)
    if verdict is None:
        message = "Say what became of them: --billed, --unbilled or --resend."
        raise click.UsageError(message)
    if cost_usd is not None and verdict != "billed":
        message = "--cost goes with --billed."
        raise click.UsageError(message)


def _reconciliation_lines(reconciled: "Sequence[Reconciliation]", verdict: str) -> list[str]:
    from tasks.money import format_usd

    if not reconciled:
        return ["There is nothing to reconcile in that run. Nothing was changed."]
    lines = [
        f"{one.order_id}  {verdict}, charged {format_usd(one.charged_usd)}"
        + (f", planned again as {one.resent_as}" if one.resent_as else "")
        for one in reconciled
    ]
    runs = sorted({one.run_id for one in reconciled})
    way = "Buy them with: runoff run --resume" if verdict == "resend" else "Update its report: runoff report"
    return [*lines, *(f"{way} {run_id}" for run_id in runs)]
