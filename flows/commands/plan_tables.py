"""Tables of the plan, at most 80 columns wide; plain text without a terminal."""

from collections.abc import Sequence
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from flows.commands.fitting_table import FittingTable
from flows.runs.budgets import left_of_month
from tasks.campaign import Campaign
from tasks.campaign.designs import state_confounding
from tasks.campaign.factors import names_in
from tasks.catalogue.providers import LEAST_IMAGES_PER_MINUTE
from tasks.ledger.spending import MonthSpent
from tasks.money import format_share, format_usd
from tasks.plan import Plan


def plan_renderable(
    plan: Plan, ledger_per_month_usd: Decimal | None = None, spent: MonthSpent | None = None
) -> Group:
    """Draw a plan for ``rich.console.Console.print``.

    Args:
        plan: The plan.
        ledger_per_month_usd: What the whole ledger may spend in a month, when there is such a limit.
        spent: What this month was charged already; ``None`` if that is not known.
    """
    parts: list[RenderableType] = [
        _title(plan),
        *_design_table(plan.campaign),
        _orders_table(plan),
        _money_table(plan, ledger_per_month_usd, spent),
    ]
    parts += [Padding(Text(note, "dim"), (not n, 0, 0, 1)) for n, note in enumerate(plan.notes)]
    return Group(*parts, *(warning_line(sentence) for sentence in plan.warnings), Text(""))


def _title(plan: Plan) -> RenderableType:
    campaign = plan.campaign
    rows = _count(campaign.n_rows, "row")
    title = Text.assemble(
        (campaign.name, "bold"),
        (f"  at {', '.join(campaign.sellers)}", "dim"),
        (f" · {_count(len(campaign.arms), 'arm')} × {rows} × {campaign.drafts.per_prompt}", "dim"),
    )
    return Padding(title, (1, 0, 0, 1))


def _design_table(campaign: Campaign) -> list[Table | Padding]:
    """Draw the factors, if the campaign has any: their levels, and what each varies."""
    factors, made = campaign.factors, campaign.levels_by_arm.values()
    if factors is None:
        return []
    table = FittingTable()
    table.add_column("factor", no_wrap=True)
    table.add_column("levels, the baseline first", overflow="fold")
    table.add_column("varies", overflow="fold")
    for factor, levels in factors.named_levels.items():
        counts = [(level, sum(arm[factor] == level for arm in made)) for level in levels]
        text = ", ".join(f"{level} ({_count(count, 'arm')})" for level, count in counts)
        keys = dict.fromkeys(key for level in levels.values() for key in level.settings)
        used = ["prompt"] * (factor in names_in(factors.prompt))
        table.add_row(Text(factor, "cyan"), text, ", ".join([*used, *keys]))
    note = state_confounding(list(made), campaign.levels_by_factor)
    return [table, Padding(Text(note), (0, 0, 1, 1))] if note else [table]


def _orders_table(plan: Plan) -> Table:
    campaign = plan.campaign
    table = FittingTable()
    table.add_column("arm", overflow="fold", min_width=7)
    table.add_column("model", overflow="fold")
    table.add_column("settings", overflow="fold")
    table.add_column("pictures", justify="right", overflow="fold")
    table.add_column("dollars", justify="right", no_wrap=True)
    for arm in plan.arms:
        dollars = format_range(arm.low_usd, arm.high_usd)
        name = Text(arm.arm, "cyan")
        model = arm.model if len(campaign.sellers) == 1 else f"{arm.model} at {arm.provider}"
        table.add_row(name, model, f"{arm.quality} {arm.size}", f"{arm.pictures:,}", dollars)
    for part in plan.rounds[1:]:
        name, settings = Text(f"round {part.number}", "cyan"), f"{part.replicates:,} of each arm and row"
        dollars = format_range(part.low_usd, part.high_usd)
        pictures = _span(part.fewest_pictures, part.pictures)
        table.add_row(name, f"up to {part.arms} arms", settings, pictures, dollars)
    if plan.judging:
        dollars = format_range(plan.judging.low_usd, plan.judging.high_usd)
        asked, models = f"≤ {_count(plan.judging.orders, 'question')}", ", ".join(plan.judging.models)
        table.add_row(Text("judge", "yellow"), models, asked, "", dollars)
    for number, edition in enumerate(plan.finals.editions if plan.finals.finalists else ()):
        dollars = format_range(edition.low_usd, edition.high_usd)
        name = Text(" ".join(filter(None, ("finals", edition.name))), "magenta")
        pictures = _span(edition.fewest_pictures, edition.most_pictures)
        settings = f"{edition.quality} {edition.size}"
        if edition.questions:
            settings += f", ≤ {_count(edition.questions, 'question')}"
        seller = campaign.final_provider(campaign.editions[number])
        model = edition.model if len(campaign.sellers) == 1 else f"{edition.model} at {seller}"
        table.add_row(name, model, settings, pictures, dollars)
    return table


def _span(least: int, most: int) -> str:
    return f"{least:,}" if least == most else f"{least:,}–{most:,}"


def _money_table(plan: Plan, ledger_per_month_usd: Decimal | None, spent: MonthSpent | None) -> Padding:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in _money_lines(plan, ledger_per_month_usd, spent):
        table.add_row(name, value)
    return Padding(table, (0, 0, 0, 1))


def _money_lines(
    plan: Plan, ledger_per_month_usd: Decimal | None, spent: MonthSpent | None
) -> Sequence[tuple[str, RenderableType]]:
    budget, left = plan.campaign.budget, left_of_month(plan.campaign, ledger_per_month_usd, spent)
    play = " of play money" if plan.campaign.sellers == ("emulator",) else ""
    lines: list[tuple[str, RenderableType]] = [
        ("total", Text(format_range(plan.low_usd, plan.high_usd) + play, "bold green")),
        (
            "all at high quality",
            f"{format_usd(plan.all_high_usd)} or more for the same {_count(plan.pictures, 'draft')}",
        ),
        (
            "budget",
            f"{format_usd(budget.per_run_usd)} per run"
            + _month(budget.per_month_usd, f"per month{_left(left.campaign_usd)}")
            + _month(ledger_per_month_usd, f"per month for all campaigns{_left(left.ledger_usd)}"),
        ),
        ("time", _drafts_time(plan)),
    ]
    if plan.judging and plan.judging.briefs:
        briefs = _count(plan.judging.briefs, "brief")
        lines.append(("statements", f"of {briefs}, written first and paid once: runoff questions"))
    if plan.judging and plan.drafts_low_usd:
        share = plan.judging.usual_usd / plan.drafts_low_usd
        limit = plan.campaign.score.max_share
        most = "" if limit is None else f", at most {format_share(limit)}"
        lines.append(("judging", f"about {share:.0%} of the drafts' price{most}"))
    if plan.month is not None:
        spending = format_range(plan.month.low_usd, plan.month.high_usd)
        runs = _count(plan.month.runs, "run")
        stop = f"; {_month(budget.per_month_usd, 'stops it')[2:]}" if budget.per_month_usd else ""
        lines.append(("next 30 days", f"{runs} by the schedule: {spending}{stop}"))
    if plan.rounds:
        lines.append(
            ("rounds", "an upper bound; drafts that no longer affect which arm is best are not bought")
        )
    if plan.finals.finalists:
        then = (
            "chosen by rule and bought within the run"
            if plan.finals.approval == "auto"
            else "bought after a person's review"
        )
        lines.append(("finals", f"{then}, up to {format_seconds(plan.finals_s)} with every attempt"))
    return lines


def _drafts_time(plan: Plan) -> str:
    if plan.campaign.drafts.lane == "batch":
        return "drafts within 24 h, in the provider's Batch lane at half the price; no process waits for them"
    if plan.found_per_minute is not None:
        return f"{format_seconds(plan.drafts_s)} for drafts at {plan.found_per_minute:g} pictures a minute"
    if plan.images_per_minute == "auto":
        least = f"{LEAST_IMAGES_PER_MINUTE} pictures a minute"
        return f"up to {format_seconds(plan.drafts_s)} for drafts, from {least} up to your account's limit"
    return f"{format_seconds(plan.drafts_s)} for drafts at {plan.images_per_minute} pictures a minute"


def _month(limit_usd: Decimal | None, of_what: str) -> str:
    return "" if limit_usd is None else f", {format_usd(limit_usd)} {of_what}"


def _left(left_usd: Decimal | None) -> str:
    return " (what is left of it is not known)" if left_usd is None else f" ({format_usd(left_usd)} left)"


def warning_line(sentence: str) -> Padding:
    """Draw one warning."""
    return Padding(Text.assemble(("! ", "bold yellow"), (sentence, "yellow")), (1, 0, 0, 1))


def format_range(low_usd: Decimal, high_usd: Decimal) -> str:
    """Write two dollar amounts as one range; as one amount when they read the same.

    Example:
        >>> format_range(Decimal("0.0527"), Decimal("0.1216"))
        '$0.0527–0.1216'
    """
    low, high = format_usd(low_usd), format_usd(high_usd)
    return low if low == high else f"{low}–{high.removeprefix('$')}"


def format_seconds(seconds: float) -> str:
    """Write a duration for people, rounded up to the second, minute or quarter of an hour.

    Example:
        >>> format_seconds(9), format_seconds(288), format_seconds(9000)
        ('9 s', '5 min', '2.5 h')
    """
    if seconds < 1:
        return "1 s"
    if seconds < 100:
        return f"{-(-seconds // 1):.0f} s"
    if seconds < 100 * 60:
        return f"{-(-seconds // 60):.0f} min"
    return f"{-(-seconds // 900) / 4:,g} h"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
