"""The command ``more``: further drafts from one picture of a run, priced first and bought once."""

import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.commands import completing
from flows.commands.added_round import Agreed, add_round, buy_round, read_levels
from flows.commands.buying import begin, confirmed
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

FEW = 4
ONCE_MORE = "Bought before: buy it once more?"


@click.command()
@click.argument("run", shell_complete=completing.runs)
@click.argument("picture", shell_complete=completing.pictures, required=False)
@click.option(
    "--n",
    type=click.IntRange(1, 100),
    help="How many drafts: 4; of each arm and row with --level or --best, as many as the campaign makes.",
)
@click.option("--like", "is_like", is_flag=True, help="With the picture as the reference; the default.")
@click.option("--row", "is_row", is_flag=True, help="What its arm asks of its row, once more.")
@click.option(
    "--prompt", help="Other words: a template over the row, with the draft's own text as {{ prompt }}."
)
@click.option("--model", help="Another model of the arm's provider.", shell_complete=completing.models)
@click.option(
    "--level",
    "levels",
    multiple=True,
    metavar="FACTOR.NAME=TEXT",
    help="A new level of a factor, instead of PICTURE: its text, or settings such as {quality: high}.",
)
@click.option("--best", "is_best", is_flag=True, help="The best combination of factors, instead of PICTURE.")
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
    picture: str | None,
    *,
    n: int | None,
    is_like: bool,
    is_row: bool,
    prompt: str | None,
    model: str | None,
    levels: tuple[str, ...],
    is_best: bool,
    again: bool,
    only_prices: bool,
    at_most_usd: Decimal | None,
    key: str | None,
    by: str | None,
    yes: bool,
    home: Path | None,
    as_json: bool,
) -> None:
    """Buy further drafts of RUN: from PICTURE, or of new levels, or of the best combination of factors.

    Shows the price and asks first. Those from PICTURE, like it, in other words, of its row, or with another
    model, are a further round of the same run: scored and deduplicated like all others, but no evidence about
    arms, and chosen only by a person. With --prompt or --model alone the picture's own request is made with
    these; with --like the picture is sent along.

    --level and --best add arms to a run with factors, and make arms of before again beside them, so that what
    changed since is not taken for an effect. They are evidence, and finalists like all others.
    """
    agreed = Agreed(only_prices, again, at_most_usd, key, by, yes, as_json)
    if levels or is_best:
        if picture or is_like or is_row or prompt or model or (levels and is_best):
            message = (
                "--level or --best stands alone: they add arms, of every row, and not more of a picture."
            )
            raise click.UsageError(message)
        add_round(run, read_levels(levels), n, agreed, home)
        return
    if picture is None:
        message = "Missing argument 'PICTURE': a picture's id or file; or --level, or --best."
        raise click.UsageError(message)
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
        return Asked(draft.candidate_id, n or FEW, "row" if is_of_row else "like", prompt, model)

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
    buy_round("more", prepared, planned, named, agreed, console)


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
