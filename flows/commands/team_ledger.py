"""The commands of ``runoff ledger`` for a team: its limit, its version, and its place. They buy nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.commands.options import answer_json, home_option, json_option, opened_ledger, read_settings

if TYPE_CHECKING:
    from flows.runs.team_ledger import TeamLimit

NO_LIMIT = "none"


def _read_limit(_ctx: click.Context, _param: click.Parameter, text: str | None) -> Decimal | str | None:
    from tasks.money import read_usd

    if text is None or text == NO_LIMIT:
        return text
    try:
        return read_usd(text)
    except ValueError as error:
        message = f"{error}; or none, for no limit"
        raise click.BadParameter(message) from error


@click.command()
@click.argument("usd", metavar="[USD|none]", required=False, callback=_read_limit)
@home_option
@json_option
def limit(usd: Decimal | str | None, *, home: Path | None, as_json: bool) -> None:
    """Show or set what all campaigns of the ledger may spend in a calendar month (UTC), dollars.

    It holds on every machine from the next request on. RUNOFF_LEDGER_PER_MONTH_USD and limits.yaml can only
    lower it, where they are set.
    """
    from flows.runs.reconciling import user_name
    from flows.runs.team_ledger import set_team_limit, team_limit

    settings = read_settings(home)
    if usd is None:
        with opened_ledger(settings) as opened:
            found = team_limit(settings, opened)
    else:
        from tasks.storage.home import prepare_home

        prepare_home(settings.home)
        amount = usd if isinstance(usd, Decimal) else None
        found = set_team_limit(settings, amount, user_name(), datetime.now(UTC))
    if as_json:
        answer_json(found)
        return
    for line in _limit_lines(found):
        click.echo(line)


def _limit_lines(found: "TeamLimit") -> Iterator[str]:
    from tasks.money import format_usd

    def told(amount: Decimal | None) -> str:
        return "no limit" if amount is None else f"{format_usd(amount)} a month"

    if not found.set_limits:
        yield "No limit was set in the ledger. Set one with: runoff ledger limit USD"
    for place, one in enumerate(found.set_limits):
        before = "The whole ledger: " if place == 0 else "  before: "
        yield f"{before}{told(one.per_month_usd)}, set by {one.set_by} at {one.set_at:%Y-%m-%d %H:%M} UTC."
    if found.here_usd is not None:
        counts = "holds here" if found.here_usd == found.limit_usd else "is higher and changes nothing"
        yield f"This machine's own limit, {told(found.here_usd)}, {counts}."


@click.command()
@home_option
@json_option
def migrate(*, home: Path | None, as_json: bool) -> None:
    """Bring the ledger to this version of Runoff. Earlier versions can then no longer open it.

    A SQLite ledger is backed up first. One on PostgreSQL is shared, so that no other command migrates it: let
    its runs end, install this version on every machine, and back it up with pg_dump before.
    """
    from flows.runs.team_ledger import migrate as migrate_ledger

    done = migrate_ledger(read_settings(home))
    if as_json:
        answer_json(done)
        return
    if done.before == done.version:
        click.echo(f"The ledger {done.name} has version {done.version} already.")
        return
    was = f"from version {done.before} " if done.before else ""
    click.echo(f"The ledger {done.name} was migrated {was}to {done.version}.")
    if done.backup:
        click.echo(f"The ledger before is kept: {done.backup}")


@click.command()
@click.argument("url")
@home_option
@json_option
def copy(url: str, *, home: Path | None, as_json: bool) -> None:
    """Copy the ledger into the empty database at URL, and check every row and sum.

    URL is as in RUNOFF_LEDGER_URL: from SQLite to PostgreSQL, or back. Pictures stay where they are. Stop
    `runoff serve`, the workers and the review page first.
    """
    from flows.runs.team_ledger import copy_to
    from tasks.money import format_usd, from_nanousd

    copied = copy_to(read_settings(home), url)
    if as_json:
        answer_json(copied)
        return
    for name, n_rows in copied.rows.items():
        if n_rows:
            click.echo(f"  {n_rows:>9,}  {name}")
    charged = format_usd(from_nanousd(copied.charged_nanousd))
    click.echo(f"Every row was read back from {copied.to} and is the same; its orders are charged {charged}.")
    click.echo(
        "From now on use it on every machine: export RUNOFF_LEDGER_URL=... (the address that you gave)."
    )
    click.echo("The ledger before is unchanged. Put it aside, so that nobody buys by it.")
