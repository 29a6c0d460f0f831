"""The commands of ``runoff ledger``: spending, verification and unknown orders.

They buy nothing. ``reconcile --resend`` plans an order that the resumed run buys.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flows.commands import completing
from flows.commands.options import (
    F,
    answer_json,
    home_option,
    json_option,
    open_console,
    opened_ledger,
    read_dollars,
    read_settings,
)
from flows.commands.team_ledger import copy, limit, migrate

if TYPE_CHECKING:
    from tasks.images_api.reread import Reread
    from tasks.ledger import Reconciliation, Verdict
    from tasks.ledger.reconciliation import UnknownOrder

GROUPS = ("run", "month", "campaign", "provider", "model", "arm", "day")


@click.group()
def ledger() -> None:
    """Read, check and reconcile the ledger of orders and money."""


for command in (limit, migrate, copy):
    ledger.add_command(command)


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
    """Check the ledger: the database itself, its sums and states, and the files. Exits with 1 on a fault.

    Files are checked in both directions: what the ledger has must be on disk as it was received, and what is
    on disk must be in the ledger. Pictures of another home on the same ledger are named and not looked for.
    """
    from flows.runs.checking import check_ledger

    checked = check_ledger(read_settings(home))
    if as_json:
        answer_json({"faults": checked.faults, "elsewhere": checked.elsewhere})
    else:
        for line in checked.elsewhere:
            click.echo(line)
    if not as_json and not checked.faults:
        click.echo(
            f"The ledger {checked.name} is sound and consistent: database, sums, states and files agree."
        )
    if checked.faults:
        raise checked.error()


@ledger.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--list", "is_listing", is_flag=True, help="List the backups that there are, the newest first.")
@home_option
@json_option
def backup(*, file: Path | None, is_listing: bool, home: Path | None, as_json: bool) -> None:
    """Write a checked backup of the ledger: to FILE, else beside the ledger, where a few are kept.

    Each run leaves one when it ends. A ledger on PostgreSQL is backed up with pg_dump.
    """
    from flows.runs.ledger_backups import backups, describe, make_backup

    settings = read_settings(home)
    if is_listing:
        found = backups(settings)
        if as_json:
            answer_json([{"file": one.file, "made_at": one.made_at} for one in found])
        else:
            click.echo("\n".join(describe(found)) or "There is no backup yet.")
        return
    made = make_backup(settings, file)
    if as_json:
        answer_json({"file": made})
    else:
        click.echo(f"The ledger was backed up and the copy checked: {made}")


@ledger.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--yes", is_flag=True, help="Replace the ledger without asking.")
@home_option
@json_option
def restore(*, file: Path | None, yes: bool, home: Path | None, as_json: bool) -> None:
    """Replace the ledger by a backup: FILE, else the newest sound one. The ledger before is kept aside.

    Close the review page and end runs and `runoff serve` first.
    """
    from flows.runs.ledger_backups import last_sound
    from flows.runs.ledger_backups import restore as put_back
    from tasks.money import count_of

    settings = read_settings(home)
    chosen = file or last_sound(settings)
    if not yes and not _agreed(f"Replace the ledger by {chosen}?", as_json=as_json):
        click.echo("Nothing was changed. Replace it with --yes.", err=as_json)
        return
    restored = put_back(settings, chosen)
    if as_json:
        answer_json(restored)
        return
    runs = count_of(restored.n_runs, "run")
    click.echo(f"The ledger is that of {restored.backup}, with {runs}.")
    if restored.before:
        click.echo(f"The ledger before is kept: {restored.before}")
    if restored.n_unread:
        click.echo(f"On disk, but not in it: {restored.n_unread} runs, answers or pictures.")
        click.echo("Read them back with: runoff ledger rebuild")


@ledger.command()
@click.option(
    "--without-backup",
    is_flag=True,
    help="Begin with an empty ledger in place of a damaged or lost one, though there is a backup.",
)
@home_option
@json_option
def rebuild(*, without_backup: bool, home: Path | None, as_json: bool) -> None:
    """Read back what is on disk and not in the ledger: requests, pictures and costs. Adds up its sums again.

    A damaged ledger is kept aside. Restore a backup first if there is one: what people chose and voted, and
    requests that were in flight, are in no other file.
    """
    from flows.session.rebuilding import rebuild as read_back
    from tasks.money import count_of, format_usd

    rebuilt = read_back(read_settings(home), without_backup=without_backup)
    if as_json:
        answer_json(rebuilt)
        return
    if rebuilt.before:
        click.echo(f"The damaged ledger is kept: {rebuilt.before}")
    for run in rebuilt.runs:
        read = f"{count_of(run.n_orders, 'request')} read back, {format_usd(run.charged_usd)}"
        click.echo(f"{run.campaign}/{run.run_id}: {read}")
    for sentence in rebuilt.unread:
        click.echo(f"Not read back: {sentence}")
    if rebuilt.runs:
        click.echo("Requests that were in flight are not known: compare with the provider's bill.")
        click.echo("Inspect, score and report a run again, without buying, with: runoff rescore RUN")
    elif not rebuilt.unread:
        click.echo("The ledger has all that is on disk; its sums were added up again.")


def _agreed(question: str, *, as_json: bool) -> bool:
    return sys.stdin.isatty() and click.confirm(question, default=False, err=as_json)


@ledger.command()
@home_option
@json_option
def unknown(*, home: Path | None, as_json: bool) -> None:
    """List the requests that may have been billed, with the ids by which the provider can find them."""
    from flows.commands.money_tables import unknown_lines
    from tasks.order import ANSWER_KEPT_CODES

    with opened_ledger(read_settings(home)) as opened:
        found = opened.reconciliations.unknown()
    facts = [_unknown_facts(order) for order in found]
    if as_json:
        answer_json(facts)
    elif facts:
        for line in unknown_lines(facts):
            click.echo(line)
        if any(order["error_code"] in ANSWER_KEPT_CODES for order in facts):
            click.echo("Answers were kept of some of them; read those again with: runoff ledger reread")
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


def _orders_or_run(told: str) -> Callable[[F], F]:
    """Let a command take orders, or a run by ``--all-of``."""
    of_run = click.option("--all-of", "run", metavar="RUN", shell_complete=completing.runs, help=told)
    orders = click.argument("orders", nargs=-1, metavar="[ORDER]...")
    return lambda command: orders(of_run(command))


@ledger.command()
@_orders_or_run("All unknown requests of a run: its id, or latest.")
@click.option("--billed", "verdict", flag_value="billed", help="It was billed: it stays charged.")
@click.option(
    "--cost",
    "cost_usd",
    metavar="USD",
    callback=read_dollars,
    help="With --billed and --corrected: the billed amount of each.",
)
@click.option(
    "--unbilled", "verdict", flag_value="unbilled", help="It was not billed: its reservation is released."
)
@click.option("--resend", "verdict", flag_value="resend", help="Plan it again; the first one stays charged.")
@click.option(
    "--corrected",
    "verdict",
    flag_value="corrected",
    help="It has ended and its cost is wrong: --cost replaces it, and the old one stays on record.",
)
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
    """Record what the provider's bill says of requests. If one of them cannot be recorded, none is.

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


@ledger.command()
@_orders_or_run("Only the answers of a run: its id, or latest.")
@click.option(
    "--partly",
    "takes_part",
    is_flag=True,
    help="Take the pictures of a request that are there, though others of it can no longer be fetched.",
)
@home_option
@json_option
def reread(
    orders: tuple[str, ...], *, run: str | None, takes_part: bool, home: Path | None, as_json: bool
) -> None:
    """Read the kept answers of unknown requests again: of ORDER, or of all.

    Such an answer had only the addresses of pictures, which could not be fetched, or a shape that an earlier
    version could not read. Fetching a picture is not buying it.
    """
    from flows.runs.rereading import reread_answers

    settings = read_settings(home)
    with opened_ledger(settings) as opened:
        if not as_json:
            click.echo("Reading kept answers again; fetching a picture may take two minutes …", err=True)
        watch = (lambda _: None) if as_json else _print_reread
        found = reread_answers(settings, opened, orders, run, takes_part=takes_part, watch=watch)
    if as_json:
        answer_json([asdict(one) for one in found])
        return
    if not found:
        whose = "None of these has" if orders else "No unknown request has"
        click.echo(f"{whose} a kept answer. Nothing was changed.")
    if runs := sorted({one.run_id for one in found if not one.reason}):
        click.echo("Inspect, score and report them, without buying, with:")
        for run_id in runs:
            click.echo(f"  runoff rescore {run_id}")


def _print_reread(one: "Reread") -> None:
    from tasks.money import count_of, format_usd

    charged = format_usd(one.charged_usd)
    end = f"still unknown, charged {charged}: {one.reason}"
    if not one.reason:
        end = f"received, {count_of(one.n_pictures, 'picture')}, charged {charged}"
    click.echo(f"{one.order_id}  {end}")


def _check_usage(
    orders: Sequence[str], run: str | None, verdict: "Verdict | None", cost_usd: Decimal | None
) -> None:
    if bool(orders) == bool(run):
        message = "Name requests, or a run with --all-of. List them with: runoff ledger unknown"
        raise click.UsageError(message)
    if verdict is None:
        message = "Say what became of them: --billed, --unbilled, --resend or --corrected."
        raise click.UsageError(message)
    if cost_usd is not None and verdict not in ("billed", "corrected"):
        message = "--cost goes with --billed or --corrected."
        raise click.UsageError(message)
    if verdict == "corrected" and (cost_usd is None or run):
        message = "--corrected needs the requests by their ids, and --cost."
        raise click.UsageError(message)


def _reconciliation_lines(reconciled: "Sequence[Reconciliation]", verdict: str) -> list[str]:
    from tasks.money import format_usd

    if not reconciled:
        return ["There is nothing to reconcile in that run. Nothing was changed."]
    lines = [
        f"{one.order_id}  {verdict}, charged {format_usd(one.charged_usd)}"
        + (f" instead of {format_usd(one.charged_before_usd)}" if one.charged_before_usd is not None else "")
        + (f", planned again as {one.resent_as}" if one.resent_as else "")
        for one in reconciled
    ]
    runs = sorted({one.run_id for one in reconciled})
    way = "Buy them with: runoff run --resume" if verdict == "resend" else "Update its report: runoff report"
    return [*lines, *(f"{way} {run_id}" for run_id in runs)]
