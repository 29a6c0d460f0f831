"""The commands ``plan``, ``report``, ``explain`` and ``rescore``, which spend nothing and need no Prefect."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.commands import completing
from flows.commands.campaign_choice import chosen_campaign
from flows.commands.options import (
    answer_json,
    home_option,
    json_option,
    open_console,
    opened_ledger,
    read_settings,
)
from flows.commands.overriding import override_options
from tasks.limits import MOST_WEIGHT

if TYPE_CHECKING:
    from flows.evaluation.power import FactorPower, PowerPlan
    from flows.session.prepare import Prepared
    from tasks.campaign_file.overrides import Overrides
    from tasks.explain import ExplainedScore, Explanation

MARKS = {True: "yes", False: "no", None: "?"}


def _weights(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, float]:
    """Parse weights such as judge=3."""
    weights = {}
    for value in values:
        scorer, _, number = value.partition("=")
        try:
            weights[scorer] = float(number)
        except ValueError:
            weights[scorer] = -1.0
        if not scorer or not 0 <= weights[scorer] <= MOST_WEIGHT:
            accepted = f"SCORER=WEIGHT with WEIGHT from 0 to {MOST_WEIGHT:,}, such as judge=3"
            what = f"{value!r} is not a weight, accepted: {accepted}"
            raise click.BadParameter(what, context, option)
    return weights


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--all", "shows_all", is_flag=True, help="Show every prompt, not only the first ones.")
@click.option(
    "--power",
    "difference",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="DIFFERENCE",
    help="Also show how many rows and pictures find such a difference of scores, such as 0.05.",
)
@override_options
@home_option
@json_option
def plan(
    file: Path | None,
    *,
    shows_all: bool,
    difference: float | None,
    overrides: "Overrides",
    home: Path | None,
    as_json: bool,
) -> None:
    """Show what a campaign would buy, its prompts and its cost. Spends nothing.

    Also shows how long it takes, and what is probably not meant, such as two arms that ask for the same. If
    the campaign has masks, a preview of what they will change is drawn. --json has every prompt with the
    parameters of its requests. Without FILE it is the only campaign file in this folder.
    """
    from flows.commands.plan_tables import plan_renderable, warning_line
    from flows.commands.power_tables import power_renderable
    from flows.commands.prompt_tables import prompts_renderable
    from flows.runs.budgets import left_of_month
    from flows.runs.repeats import find_repeat
    from flows.session.pace import with_found_pace
    from flows.session.prepare import prepare, spent_this_month

    file = chosen_campaign(file, Path.cwd())
    prepared = with_found_pace(prepare(file, read_settings(home), "plan", overrides=overrides))
    repeat = find_repeat(prepared.home, prepared.campaign)
    spent = spent_this_month(prepared)
    preview = _preview_masks(prepared)
    power, of_factors = _plan_power(prepared, difference), _factor_power(prepared)
    if as_json:
        left = left_of_month(prepared.campaign, prepared.ledger_per_month_usd, spent)
        extra = {
            "ledger_per_month_usd": prepared.ledger_per_month_usd,
            "left_of_month_usd": left.campaign_usd,
            "left_of_ledger_month_usd": left.ledger_usd,
            "mask_preview": preview,
            "bought_as": repeat.run_id if repeat else None,
            "power": power and power.as_dict(),
            "main_effects_found": of_factors and of_factors.found,
        }
        answer_json({**prepared.plan.as_dict(), **extra})
        return
    console = open_console()
    console.print(plan_renderable(prepared.plan, prepared.ledger_per_month_usd, spent))
    if repeat is not None:
        console.print(warning_line(repeat.describe(datetime.now(UTC))))
    console.print(prompts_renderable(prepared.plan, shows_all=shows_all))
    if of_factors is not None:
        console.print(of_factors.state(), highlight=False)
    if power is not None:
        console.print(power_renderable(power, prepared.campaign))
    if preview is not None:
        click.echo(f"What the masks will change: {preview}")
    command = f"runoff run {overrides.describe(str(file))}"
    console.print(f"Nothing was bought. Buy it with: {command}", markup=False, soft_wrap=True)


def _plan_power(prepared: "Prepared", difference: float | None) -> "PowerPlan | None":
    if difference is None:
        return None
    from flows.evaluation.power import plan_power

    return plan_power(prepared.plan, prepared.settings, difference)


def _factor_power(prepared: "Prepared") -> "FactorPower | None":
    if prepared.campaign.factors is None:
        return None
    from flows.evaluation.power import plan_factor_power

    return plan_factor_power(prepared.plan, prepared.settings)


def _preview_masks(prepared: "Prepared") -> str | None:
    """Draw what a campaign's masks will change; returns the file, or ``None`` when it has no mask."""
    from tasks.attachments.previews import masked_pictures, write_preview

    masked = masked_pictures(prepared.plan.orders)
    if not masked:
        return None
    name = prepared.campaign.name
    return str(write_preview(name, masked, prepared.home / "previews" / f"{name}-masks.png"))


@click.command()
@click.argument("run", default="latest", shell_complete=completing.runs)
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(("html", "csv", "parquet", "json", "xlsx", "pdf")),
    help="Write only this format, as report.FORMAT; can be repeated. xlsx needs the extra xlsx; pdf is the"
    " contact sheet.",
)
@home_option
@json_option
def report(run: str, *, formats: tuple[str, ...], home: Path | None, as_json: bool) -> None:
    """Write a run's report again, from the ledger. Spends nothing."""
    from flows.run_report import write_run_formats, write_run_report
    from flows.runs.run import StoredRun

    settings = read_settings(home)
    if formats:
        with opened_ledger(settings) as opened:
            paths = write_run_formats(StoredRun.find(settings, opened, run), formats)
        if as_json:
            answer_json(paths)
        else:
            click.echo("\n".join(map(str, paths.values())))
        return
    with opened_ledger(settings) as opened:
        written = write_run_report(StoredRun.find(settings, opened, run))
    files = written.files
    if as_json:
        answer_json(
            {
                **asdict(files),
                "calibration": written.facts.calibration,
                "lacking": list(written.gathered.lacking),
            }
        )
    else:
        for line in written.gathered.lacking:
            click.echo(line)
        click.echo(
            f"{written.verdict}\nReport  {files.html}\nTable   {files.csv}\nSheet   {files.contact_sheet}"
        )


@click.command()
@click.argument("run", default="latest", shell_complete=completing.runs)
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--weight",
    "weights",
    multiple=True,
    callback=_weights,
    metavar="SCORER=WEIGHT",
    help="Use this weight instead of the campaign's; can be repeated, once for each scorer.",
)
@home_option
@json_option
def rescore(
    run: str, file: Path | None, *, weights: dict[str, float], home: Path | None, as_json: bool
) -> None:
    """Deduplicate, score and choose again. Spends nothing.

    Uses the run's campaign.yaml, or FILE: a campaign file whose deduplicate, score and finalists
    sections replace the run's own.
    """
    from flows.commands.tables import outcome_renderable, where_to_look
    from flows.rescore import rescore as decide_again

    settings = read_settings(home)
    with opened_ledger(settings) as opened:
        outcome = decide_again(settings, opened, run, file, weights)
    if as_json:
        answer_json(outcome)
        return
    open_console().print(outcome_renderable(outcome))
    click.echo("\n".join(where_to_look(outcome)))


@click.command()
@click.argument("run", shell_complete=completing.runs)
@click.argument("picture", shell_complete=completing.pictures)
@home_option
@json_option
def explain(run: str, picture: str, *, home: Path | None, as_json: bool) -> None:
    """Explain why a picture of RUN was chosen or not.

    Shows its scores, its rank, and every rule it was tested by. PICTURE is a candidate's id, the beginning
    of one, or a file name such as A-000-001. Duplicates, unfit pictures and finals can be explained too.
    """
    from flows.evaluation.panel import read_panel
    from flows.evaluation.winners import find_winners_of_run
    from flows.runs.run import StoredRun
    from tasks.explain import explain as explain_picture
    from tasks.explain import find_candidate

    settings = read_settings(home)
    with opened_ledger(settings) as opened:
        stored = StoredRun.find(settings, opened, run)
        candidates, campaign = stored.read_candidates(), stored.campaign
        winners = find_winners_of_run(stored)
        opinions = read_panel(stored, [one for one in candidates if one.is_draft])
    found = explain_picture(find_candidate(candidates, picture), candidates, campaign, winners, opinions)
    if as_json:
        answer_json(found)
    else:
        click.echo("\n".join(_explanation_lines(found)))


def _explanation_lines(found: "Explanation") -> list[str]:
    lines = [
        f"{found.name} · {found.candidate_id}",
        f"  arm {found.arm}, row {found.row + 1}: {found.prompt}",
        "",
        found.reason[:1].upper() + found.reason[1:] + ".",
        f"It is {found.standing}"
        + (f", rank {found.rank} of {found.survivors}." if found.rank else ".")
        + (f" Its duplicates: {', '.join(found.copies)}." if found.copies else ""),
        "",
        "Total score " + ("none" if found.score is None else f"{found.score:.4f}"),
    ]
    for score in found.scores:
        lines += _score_lines(score)
    if found.rules:
        lines += ["", "Rules"]
        lines += [
            f"  {MARKS[rule.holds]:<4}{rule.name:<15} {rule.limit}: {rule.found}" for rule in found.rules
        ]
    return lines


def _score_lines(score: "ExplainedScore") -> list[str]:
    value = "none  " if score.value is None else f"{score.value:.4f}"
    lines = [f"  {score.scorer:<11} {value}  weight {score.share:.0%}  {score.reason}"]
    raw = ", ".join(f"{name} {figure:.3g}" for name, figure in sorted(score.measurements.items()))
    return [*lines, f"              {raw}"] if raw else lines
