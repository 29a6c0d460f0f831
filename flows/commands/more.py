"""The command ``more``: further drafts from one picture of a run, priced first and bought once."""

import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.commands import completing
from flows.commands.buying import begin, confirmed, loaded, report_outcome, run_shown, started_engine
from flows.commands.options import (
    answer_json,
    home_option,
    json_option,
    opened_ledger,
    read_dollars,
    read_settings,
    yes_option,
)

if TYPE_CHECKING:
    from rich.console import Console

    from flows.further.asked import Asked
    from flows.further.plan import FurtherPlan
    from tasks.candidate import Candidate

ONCE_MORE = "Bought before: buy it once more?"


@click.command()
@click.argument("run", shell_complete=completing.runs)
@click.argument("picture", shell_complete=completing.pictures)
@click.option("--n", default=4, show_default=True, type=click.IntRange(1, 100), help="How many drafts.")
@click.option("--like", "is_like", is_flag=True, help="With the picture as the reference; the default.")
@click.option("--row", "is_row", is_flag=True, help="What its arm asks of its row, once more.")
@click.option(
    "--prompt", help="Other words: a template over the row, with the draft's own text as {{ prompt }}."
)
@click.option("--model", help="Another model of the arm's provider.", shell_complete=completing.models)
@click.option("--again", is_flag=True, help="Also if exactly this was bought before.")
@click.option("--price", "only_prices", is_flag=True, help="Show what it costs, and buy nothing.")
@click.option(
    "--at-most",
    "at_most_usd",
    metavar="USD",
    callback=read_dollars,
    help="Buy nothing if it can cost more than this.",
)
@click.option("--key", metavar="NAME", help="Names this purchase: one with the same name is made only once.")
@click.option("--by", hidden=True, help="Who asks, for the ledger; default: this user.")
@yes_option
@home_option
@json_option
def more(
    run: str,
    picture: str,
    *,
    n: int,
    is_like: bool,
    is_row: bool,
    prompt: str | None,
    model: str | None,
    again: bool,
    only_prices: bool,
    at_most_usd: Decimal | None,
    key: str | None,
    by: str | None,
    yes: bool,
    home: Path | None,
    as_json: bool,
) -> None:
    """Buy further drafts from PICTURE of RUN: like it, in other words, of its row, or with another model.

    Shows the price and asks first. They are a further round of the same run: scored and deduplicated like all
    others, but no evidence about arms, and chosen only by a person. With --prompt or --model alone the
    picture's own request is made with these; with --like the picture is sent along.
    """
    if is_like and is_row:
        message = (
            "--like and --row exclude one another: the picture is the reference, or its row is made again"
        )
        raise click.UsageError(message)
    console = begin(as_json=as_json)
    from flows.further.asked import Asked
    from flows.further.plan import further_plan

    def ask(draft: "Candidate") -> "Asked":
        is_of_row = is_row or (not is_like and (prompt is not None or model is not None))
        return Asked(draft.candidate_id, n, "row" if is_of_row else "like", prompt, model)

    settings = read_settings(home)
    with opened_ledger(settings) as ledger:
        ledger.require_fit_to_spend(settings.home)
    prepared, planned = further_plan(settings, run, picture, ask)
    _show(planned, console)
    if only_prices:
        if as_json:
            answer_json(_facts(planned))
        return
    named = key or _agreed_key(planned, console, yes=yes, is_again=again)
    if named is None or (key is not None and not confirmed(yes=yes)):
        console.print("Nothing was bought.")
        if as_json:
            answer_json(_facts(planned))
        return
    from flows.session.asking import ask_provider
    from flows.session.prepare import with_prepared

    prepared = ask_provider(prepared)
    limit = f"{planned.most_usd if at_most_usd is None else at_most_usd:f}"
    with started_engine(settings.home, console) as engine:
        from flows.engine.recorded_run import run_recorded
        from flows.more import more as flow

        loaded()
        engine.wait_ready()
        wanted = (planned.run_id, planned.asked.as_dict(), named, limit, by, str(settings.home))
        with with_prepared(prepared):
            outcome = run_shown(lambda: run_recorded(engine, flow, *wanted), console)
    report_outcome(outcome, console, as_json=as_json)


def _show(planned: "FurtherPlan", console: "Console") -> None:
    console.print(planned.sentence, markup=False, soft_wrap=True)
    for note in planned.notes:
        console.print(f"  {note}", markup=False, soft_wrap=True, style="yellow")


def _agreed_key(planned: "FurtherPlan", console: "Console", *, yes: bool, is_again: bool) -> str | None:
    """Ask whether to buy, and name the purchase; ``None`` if nothing is to be bought.

    What was bought before is bought once more only where somebody says so: a command that is repeated by a
    script, or after a kill, completes the earlier purchase instead.
    """
    from tasks.money import count_of

    n_before = len(planned.before)
    if planned.before and not is_again:
        last = planned.before[-1]
        when = _age(last.asked_at)
        if planned.n_left_of_last:
            left = count_of(planned.n_left_of_last, "draft")
            said = f"Asked for {when} ago, as further round {last.number}: {left} of it still to send."
            console.print(f"{said} Nothing else is bought.", soft_wrap=True)
            return last.key if confirmed(yes=yes, question="Send them?") else None
        if yes or not sys.stdin.isatty():
            said = f"Bought {when} ago, as further round {last.number}."
            console.print(f"{said} To buy it once more, add --again.", soft_wrap=True)
            return None
        planned.require_budget()
        console.print(f"Bought {when} ago, as further round {last.number}.")
        return planned.asked.key(n_before) if confirmed(yes=False, question=ONCE_MORE) else None
    planned.require_budget()
    return planned.asked.key(n_before) if confirmed(yes=yes) else None


def _age(moment: datetime) -> str:
    from flows.runs.repeats import format_age

    return format_age((datetime.now(UTC) - moment).total_seconds())


def _facts(planned: "FurtherPlan") -> dict[str, object]:
    return {
        "run_id": planned.run_id,
        "asked": planned.asked.as_dict(),
        "what": planned.what,
        "prompt": planned.prompt,
        "model": planned.model,
        "drafts_usd": planned.drafts_usd,
        "judging_usd": planned.judging_usd,
        "most_usd": planned.most_usd,
        "left_usd": planned.left_usd,
        "left_in": planned.left_in,
        "bought_before": [one.number for one in planned.before],
        "still_to_send": planned.n_left,
        "notes": list(planned.notes),
    }
