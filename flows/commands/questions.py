"""The command ``questions``: the statements that a model writes from a campaign's briefs, and their price."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flows.commands.campaign_choice import chosen_campaign
from flows.commands.options import (
    answer_json,
    home_option,
    json_option,
    open_console,
    read_settings,
    yes_option,
)

if TYPE_CHECKING:
    from rich.console import Console

    from flows.session.prepare import Prepared
    from tasks.campaign import Campaign


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--write", "writes", is_flag=True, help="Have those written that are missing. Spends money.")
@yes_option
@home_option
@json_option
def questions(file: Path | None, *, writes: bool, yes: bool, home: Path | None, as_json: bool) -> None:
    """Show the statements that a model writes from a campaign's briefs, and what the missing ones cost.

    They are kept in questions.yaml beside FILE, where you edit them, and every run asks what stands there. A
    run has missing ones written by itself; --write does it beforehand, and buys nothing else. Without FILE it
    is the only campaign file in this folder.
    """
    from flows.session.prepare import prepare
    from tasks.campaign.briefs import missing_briefs
    from tasks.ledger.runs import new_run_id

    console = open_console(as_json=as_json)
    prepared = prepare(chosen_campaign(file, Path.cwd()), read_settings(home), new_run_id(datetime.now(UTC)))
    _require_briefs(prepared)
    if writes and missing_briefs(prepared.campaign):
        prepared = _written(prepared, console, yes=yes)
    facts = _facts(prepared)
    if as_json:
        answer_json(facts)
    else:
        _show(facts, console)


def _require_briefs(prepared: "Prepared") -> None:
    from tasks.campaign.briefs import asks_from_brief
    from tasks.errors import SettingError

    if not asks_from_brief(prepared.campaign):
        raise SettingError(
            where=f"{prepared.place}: score.judge.questions",
            what="is not set, so that no model writes statements for this campaign",
            accepted="from_brief, with judge among score.weights",
            money="Nothing was bought.",
            next_step="Set it; or see what the judge is asked with: runoff plan",
        )


def _written(prepared: "Prepared", console: "Console", *, yes: bool) -> "Prepared":
    """Have the missing statements written, if somebody agrees. This spends money, within the budgets."""
    import sys

    from flows.runs.progress import PlainDisplay, showing
    from flows.session.asking import ask_provider
    from flows.stages.brief_questions import write_statements
    from tasks.storage.home import prepare_home

    prepared.terms.check()
    console.print(_price_line(_facts(prepared)), markup=False, soft_wrap=True)
    if not yes and sys.stdin.isatty() and not click.confirm("Buy them?", default=False, err=True):
        console.print("Nothing was bought.")
        return prepared
    prepared = ask_provider(prepared)
    prepare_home(prepared.settings.home)
    with showing(PlainDisplay(console)):
        campaign = asyncio.run(write_statements(prepared))
    return replace(prepared, plan=replace(prepared.plan, campaign=campaign))


def _facts(prepared: "Prepared") -> dict[str, Any]:
    from tasks.campaign.briefs import briefs_of, missing_briefs
    from tasks.campaign_file.questions_file import QUESTIONS_FILE
    from tasks.catalogue.estimates import Estimates
    from tasks.orders.judging_plan import price_brief

    campaign = prepared.campaign
    estimates = Estimates(prepared.catalogue, prepared.terms.provider, prepared.providers)
    costs = [price_brief(campaign, brief, estimates) for brief in missing_briefs(campaign)]
    folder = prepared.questions_folder
    return {
        "file": str(folder / QUESTIONS_FILE) if folder else None,
        "briefs": [_entry(campaign, brief, row) for brief, row in briefs_of(campaign).items()],
        "missing": len(costs),
        "low_usd": sum((cost.low_usd for cost in costs), Decimal(0)),
        "high_usd": sum((cost.high_usd for cost in costs), Decimal(0)),
    }


def _entry(campaign: "Campaign", brief: str, row: int) -> dict[str, Any]:
    judge = campaign.score.judge
    known = judge.statements_by_brief.get(brief) if judge else None
    statements = None if known is None else [one.model_dump(exclude_unset=True) for one in known]
    return {"brief": brief, "row": row + 1, "statements": statements}


def _show(facts: dict[str, Any], console: "Console") -> None:
    for entry in facts["briefs"]:
        console.print(f"row {entry['row']}  {entry['brief']}", markup=False, soft_wrap=True)
        for number, one in enumerate(entry["statements"] or (), 1):
            above = f"  (only if: {one['depends_on']})" if one.get("depends_on") else ""
            line = f"  {number}. {one['statement']}{'  must' if one.get('must') else ''}{above}"
            console.print(line, markup=False, soft_wrap=True)
        if entry["statements"] is None:
            console.print("  not written yet", style="dim")
    console.print(_price_line(facts), markup=False, soft_wrap=True)


def _price_line(facts: dict[str, Any]) -> str:
    from flows.commands.plan_tables import format_range
    from tasks.money import count_of

    if not facts["missing"]:
        return f"All statements are written. Edit them in {facts['file']}."
    price = format_range(facts["low_usd"], facts["high_usd"])
    return (
        f"{count_of(facts['missing'], 'brief')} without statements: {price}, paid once. A run has them"
        " written first; or now: runoff questions --write"
    )
