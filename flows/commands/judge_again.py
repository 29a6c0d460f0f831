"""Asking a run's judge again: the price, the question whether to buy, and buying it."""

import asyncio
import sys
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from flows.commands.options import opened_ledger

if TYPE_CHECKING:
    from rich.console import Console

    from tasks.settings import Settings


def ask_again(settings: "Settings", name: str, n: int, console: "Console", *, yes: bool) -> None:
    """Ask a run's judge again about some pictures, if somebody agrees to the price. This spends money.

    Args:
        settings: The home and the environment.
        name: The run: its id, a unique beginning of it, or ``latest``.
        n: About how many pictures.
        console: Where the price is shown.
        yes: Spend without asking.

    Raises:
        RunoffError: It cannot be asked again, or no longer; what came is kept.
    """
    from flows.runs.progress import PlainDisplay, showing
    from flows.runs.run import StoredRun
    from flows.session.asking import ask_provider
    from flows.session.prepare import prepare
    from flows.stages.asked_again import ask_again as ask
    from flows.stages.asked_again import questions_again
    from tasks.campaign.succession import JUDGES
    from tasks.errors import CatalogueError
    from tasks.money import count_of, format_usd

    with opened_ledger(settings) as ledger:
        known = StoredRun.find(settings, ledger, name)
        try:
            prepared = prepare(known.campaign_file(), settings, known.run_id, needed=JUDGES)
        except CatalogueError as error:
            raise CatalogueError(
                where=f"run {known.run_id}",
                what=f"its judge cannot be asked again: {error.what}",
                next_step=f"What it answered stays, and people can be asked: runoff judge {known.run_id}",
            ) from None
        orders = questions_again(known, prepared, n)
        state = known.record.state
    if not orders:
        console.print("The judge was asked again about these pictures before; nothing was bought.")
        return
    most = format_usd(sum((order.estimate_usd for order in orders), Decimal(0)))
    console.print(f"{count_of(len(orders), 'question')} asked again: up to {most}.", markup=False)
    if not yes and sys.stdin.isatty() and not click.confirm("Buy them?", default=False, err=True):
        console.print("Nothing was bought.")
        return
    prepared = ask_provider(prepared)
    with showing(PlainDisplay(console)):
        asyncio.run(ask(prepared, orders, state))
