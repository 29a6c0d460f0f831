"""``runoff more --level`` and ``--best``: a round that adds arms to a run, priced first and bought once."""

import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import click

from flows.commands.buying import begin, confirmed, loaded, report_outcome, run_shown, started_engine
from flows.commands.options import answer_json, opened_ledger, read_settings

if TYPE_CHECKING:
    from rich.console import Console

    from flows.further.added import AddedPlan
    from flows.further.plan import FurtherPlan
    from flows.session.prepare import Prepared
    from tasks.campaign.added_round import NewLevels


class Agreed(NamedTuple):
    """How somebody agrees to a purchase.

    Args:
        only_prices: Nothing is bought.
        again: Also if exactly this was bought before.
        at_most_usd: The most that it may cost, dollars; ``None`` for the price that is shown.
        key: Names the purchase.
        by: Who asks; ``None`` for this user.
        yes: Nobody is asked.
        as_json: Standard output is for JSON.
    """

    only_prices: bool
    again: bool
    at_most_usd: Decimal | None
    key: str | None
    by: str | None
    yes: bool
    as_json: bool


def read_levels(given: Sequence[str]) -> "NewLevels":
    """Read new levels, such as ``light.neon=neon light`` or ``quality.high={quality: high}``."""
    from tasks.marked_yaml import YamlFaultError, read_yaml

    found: dict[str, dict[str, Any]] = {}
    for one in given:
        place, is_there, text = one.partition("=")
        factor, dot, name = place.partition(".")
        if not (is_there and dot and factor and name and text.strip()):
            message = f"{one!r} is no level: write FACTOR.NAME=TEXT, such as light.neon='neon light'."
            raise click.BadParameter(message, param_hint="--level")
        value: Any = text
        if text.lstrip().startswith("{") and not text.lstrip().startswith("{{"):
            try:
                value = read_yaml(f"level: {text}").data["level"]
            except YamlFaultError as error:
                message = f"{text!r} is no mapping of settings: {error}"
                raise click.BadParameter(message, param_hint="--level") from None
        if name in found.setdefault(factor, {}):
            message = f"{factor}.{name} is given twice."
            raise click.BadParameter(message, param_hint="--level")
        found[factor][name] = value
    return found


def add_round(run: str, levels: "NewLevels", n: int | None, agreed: Agreed, home: Path | None) -> None:
    """Price a round, ask, and buy it."""
    console = begin(as_json=agreed.as_json)
    from flows.further.added import AskedRound, plan_added
    from flows.runs.reconciling import user_name

    settings, by = read_settings(home), agreed.by or user_name()
    with opened_ledger(settings) as ledger:
        ledger.require_fit_to_spend(settings.home)
    asked = AskedRound(levels, n)
    prepared, planned = plan_added(settings, run, asked, agreed.key, by)
    console.print(planned.sentence, markup=False, soft_wrap=True)
    for note in planned.notes:
        console.print(f"  {note}", markup=False, soft_wrap=True, style="yellow")
    if agreed.only_prices or not _is_agreed(planned, agreed):
        if not agreed.only_prices:
            console.print("Nothing was bought.")
        if agreed.as_json:
            answer_json(_facts(planned))
        return
    buy_round("more_arms", prepared, planned, planned.key, agreed, console)


def buy_round(
    flow: Literal["more", "more_arms"],
    prepared: "Prepared",
    planned: "FurtherPlan | AddedPlan",
    key: str,
    agreed: Agreed,
    console: "Console",
) -> None:
    """Buy a round that was agreed to. This spends money, within the campaign's budgets.

    Args:
        flow: The flow in ``flows.more`` that buys it.
        prepared: The prepared run.
        planned: The round.
        key: Names the purchase.
        agreed: How somebody agreed to it.
        console: Where progress and outcome are shown.
    """
    from flows.session.asking import ask_provider
    from flows.session.prepare import with_prepared

    prepared, home = ask_provider(prepared), prepared.home
    limit = f"{planned.most_usd if agreed.at_most_usd is None else agreed.at_most_usd:f}"
    with started_engine(home, console) as engine:
        from flows.engine.recorded_run import run_recorded
        from flows.more import more, more_arms

        loaded()
        engine.wait_ready()
        wanted = (planned.run_id, planned.asked.as_dict(), key, limit, agreed.by, str(home))
        with with_prepared(prepared):
            outcome = run_shown(
                lambda: run_recorded(engine, more_arms if flow == "more_arms" else more, *wanted), console
            )
        report_outcome(outcome, console, as_json=agreed.as_json)  # before the server ends


def _is_agreed(planned: "AddedPlan", agreed: Agreed) -> bool:
    """Ask whether to buy; what was bought before is bought once more only where somebody says so."""
    if planned.is_known:
        return confirmed(yes=agreed.yes)
    planned.require_budget()
    if planned.n_before and not agreed.again:
        if agreed.yes or not sys.stdin.isatty():
            click.echo("Exactly this was bought before. To buy it once more, add --again.", err=True)
            return False
        return confirmed(yes=False, question="Bought before: buy it once more?")
    return confirmed(yes=agreed.yes)


def _facts(planned: "AddedPlan") -> dict[str, object]:
    return {
        "run_id": planned.run_id,
        "asked": planned.asked.as_dict(),
        "what": planned.what,
        "arms": list(planned.arms),
        "beside": list(planned.beside),
        "requests": len(planned.orders),
        "drafts_usd": planned.drafts_usd,
        "judging_usd": planned.judging_usd,
        "most_usd": planned.most_usd,
        "left_usd": planned.left_usd,
        "left_in": planned.left_in,
        "bought_before": planned.n_before,
        "notes": list(planned.notes),
    }
