"""The page ``report.html``: one file for people that opens from disk and needs no network.

The figures are from ``measures``, the pictures from ``pictures``, the sentences from ``verdict``. The
templates escape all text. Style and script are inlined from this folder.
"""

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from tasks.ab_test.shown_difference import show_difference
from tasks.money import count_of, format_usd
from tasks.page_templates import open_templates
from tasks.prompt_words import own_words
from tasks.report_page.effects import complete_effects
from tasks.report_page.facts import ArmFacts, RunFacts
from tasks.report_page.family import find_families
from tasks.report_page.frontier import draw_frontier
from tasks.report_page.grid import build_grid, grid_facts
from tasks.report_page.interactions import draw_interactions
from tasks.report_page.measures import (
    account,
    count_scores,
    group_troubles,
    measure_arm,
    measure_finals,
)
from tasks.report_page.people import show_disputed, show_remarked
from tasks.report_page.pictures import Picture, build_finalists, build_gallery
from tasks.report_page.race import show_race
from tasks.report_page.rows import (
    Row,
    count_pictures,
    first_made,
    is_draft,
    is_duplicate,
    is_final,
    is_finalist,
    is_unique_image,
)
from tasks.report_page.segments import complete_segments, known_interactions
from tasks.report_page.sources import Sources, choose_sources
from tasks.report_page.spending import Spending, state_spending, sum_up_spending
from tasks.report_page.statements import show_statements
from tasks.report_page.verdict import divide_verdict, state_verdict, summarize

_HERE = Path(__file__).parent
_ARM_COLOURS = 6
_BEST_OF_ARM = 4
NOT_MEASURED = "–"
_PIECES_AT_ONCE = 1_000


def write_page(rows: Sequence[Row], facts: RunFacts, run_folder: Path) -> bytes:
    """Render the whole page, as UTF-8; it is never in memory as text.

    Args:
        rows: The report rows.
        facts: The facts of the run.
        run_folder: The run's folder: the rows' files are in it, and the page will be.
    """
    drafts = [row for row in rows if is_draft(row)]
    finals = [row for row in rows if is_final(row)]
    arms = list(dict.fromkeys([*facts.arms, *sorted({row["arm"] for row in rows})]))
    sources = choose_sources(run_folder, [row["thumbnail"] for row in rows if row["thumbnail"]])
    verdict = state_verdict(rows, facts)
    own = first_made(drafts, facts.added_from)
    unique_images = [row for row in own if is_unique_image(row)]
    finalists = build_finalists(drafts, finals, sources, facts.min_fidelity)
    spending = sum_up_spending(rows, facts)
    described = [_describe_arm(arm, own, finals, unique_images, facts, sources) for arm in arms]
    prompts = own_words([arm["facts"].prompt for arm in described])
    described = [arm | {"prompt": parts} for arm, parts in zip(described, prompts, strict=True)]
    stream = _environment().get_template("page.html").stream(
        facts=facts,
        colours={arm: index % _ARM_COLOURS for index, arm in enumerate(arms)},
        verdict=verdict,
        divided_verdict=divide_verdict(verdict),
        summary=summarize(rows, facts),
        key_figures=_key_figures(drafts, finals, spending, facts),
        arms=described,
        frontier=draw_frontier(described),
        pairs=_complete_pairs(list((facts.ab_test or {}).get("pairs") or ())),
        segments=complete_segments(facts),
        effects=complete_effects(facts),
        interaction_plots=draw_interactions(facts),
        effects_note=((facts.ab_test or {}).get("effects") or {}).get("note"),
        best=((facts.ab_test or {}).get("effects") or {}).get("best"),
        statements=show_statements(drafts, facts, sources),
        interactions=known_interactions(facts),
        race=show_race(facts),
        finalists=finalists,
        families=find_families(rows, sources),
        grid=_grid(own, facts, sources),
        gallery=build_gallery(drafts, arms, sources),
        disputed=show_disputed(drafts, facts, sources),
        remarked=show_remarked(drafts, sources),
        histograms=count_scores({arm: _scores(unique_images, arm) for arm in arms}),
        radii=_count_radii(facts),
        drafts=count_pictures(drafts),
        money=account(rows, facts),
        spending=state_spending(spending),
        unique_image_usd=measure_arm(drafts, {})["cost_per_unique_image_usd"],
        troubles=group_troubles(rows),
        style=_inlined("page.css", "grid.css"),
        is_embedded=sources.is_embedded,
        script=_inlined("grid.js", "page.js"),
    )  # fmt: skip
    stream.enable_buffering(_PIECES_AT_ONCE)
    file = io.BytesIO()
    stream.dump(file, encoding="utf-8")
    return file.getvalue()


def _inlined(*names: str) -> Markup:
    return Markup("\n".join((_HERE / name).read_text(encoding="utf-8") for name in names))


def _grid(drafts: Sequence[Row], facts: RunFacts, sources: Sources) -> dict[str, Any] | None:
    """Return the grid of factors; thumbnails that are embedded in the gallery are not embedded again."""
    if not facts.factors or not any(map(is_unique_image, drafts)):
        return None
    linked = {} if sources.is_embedded else {row["candidate_id"]: row["thumbnail"] for row in drafts}
    return grid_facts(build_grid(drafts, facts), {name: sources.thumbnail(at) for name, at in linked.items()})


def load_templates() -> None:
    """Load the page's templates before it is rendered: compiling them takes a quarter of a second."""
    for template in _environment().list_templates(["html"]):
        _environment().get_template(template)


@cache
def _environment() -> Environment:
    filters = {
        "usd": _usd,
        "ledger_usd": _ledger_usd,
        "number": _number,
        "difference": _difference,
        "share": _percent,
        "signed_percent": _signed_percent,
        "moment": _moment,
        "noun": count_of,
        "sentence": _sentence,
    }
    return open_templates(_HERE, filters)


def _usd(amount: Decimal | float | None) -> str:
    return NOT_MEASURED if amount is None else format_usd(Decimal(str(amount)))


def _ledger_usd(amount: Decimal) -> str:
    """Format dollars for a column: always to the hundredth of a cent, so that they line up."""
    return f"${amount:,.4f}"


def _number(value: float | None, decimals: int = 2) -> str:
    return NOT_MEASURED if value is None else f"{value:,.{decimals}f}".replace("-", "−")


def _difference(value: float | None) -> str:
    return NOT_MEASURED if value is None else show_difference(value)


def _percent(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{value:.0%}"


def _signed_percent(percent: float | None) -> str:
    return NOT_MEASURED if percent is None else f"{percent:+.1f}%".replace("-", "−")


def _sentence(text: str | None) -> str:
    ends = (".", "!", "?")
    if not text:
        return ""
    first = text.split(maxsplit=1)[0].rstrip(":,") if text.strip() else ""
    if first.isalpha():  # a model's name is not capitalised
        text = text[0].upper() + text[1:]
    return text if text.endswith(ends) else f"{text}."


def _moment(moment: datetime | None) -> str:
    if moment is None:
        return NOT_MEASURED
    utc = moment.astimezone(UTC)
    return f"{utc.day} {utc:%B %Y, %H:%M} UTC"


def _key_figures(
    drafts: Sequence[Row], finals: Sequence[Row], spending: Spending, facts: RunFacts
) -> list[tuple[str, str, str]]:
    """List label, figure and note of each key figure; unknown figures are left out."""
    made, orders = count_pictures(drafts), len({row["order_id"] for row in drafts})
    finalists = sum(map(is_finalist, drafts))
    measures = measure_arm(drafts, {})
    share, unique_image_usd = measures["duplicate_rate"], measures["cost_per_unique_image_usd"]
    figures = [
        ("Drafts made", f"{made:,}", orders and f"of {count_of(orders, 'request')}"),
        (
            "Duplicates",
            f"{sum(map(is_duplicate, drafts)):,}",
            share and f"{share:.0%} of the pictures compared",
        ),
        ("Finalists", f"{finalists:,}", _note_on_finals(finalists, finals)),
        ("Spent", spending.show(spending.spent_usd), _note_on_estimate(spending, facts)),
        (
            "Would be saved" if spending.awaits_finals else "Saved",
            spending.show(spending.saved_usd),
            _note_on_saving(spending),
        ),
        (
            "Cost per unique image",
            unique_image_usd and _usd(unique_image_usd),
            "drafts’ cost divided by unique images",
        ),
    ]
    return [(label, figure, note or "") for label, figure, note in figures if figure]


def _note_on_finals(finalists: int, finals: Sequence[Row]) -> str:
    if finals:
        return f"{sum(1 for row in finals if row['accepted']):,} accepted at high quality"
    return "not bought yet" if finalists else "none chosen"


def _note_on_estimate(spending: Spending, facts: RunFacts) -> str:
    if spending.estimated_usd:
        return f"of which {_usd(spending.estimated_usd)} estimated"
    return f"of {_usd(facts.estimate_usd)} planned at most" if facts.estimate_usd else ""


def _note_on_saving(spending: Spending) -> str:
    share = spending.saved_share
    if share and spending.awaits_finals:
        high, finals = spending.show(spending.all_high_usd), spending.show(spending.finals_usd)
        return f"{share:.0%} of {high}, with finals for {finals}"
    return f"{share:.0%} of {spending.show(spending.all_high_usd)}, all at high quality" if share else ""


def _describe_arm(
    arm: str,
    drafts: Sequence[Row],
    finals: Sequence[Row],
    unique_images: Sequence[Row],
    facts: RunFacts,
    sources: Sources,
) -> dict[str, Any]:
    own = [row for row in drafts if row["arm"] == arm]
    tested = ((facts.ab_test or {}).get("arms") or {}).get(arm) or {}
    ranked = sorted(
        (row for row in unique_images if row["arm"] == arm and row["score"] is not None),
        key=lambda row: -row["score"],
    )
    best = [Picture(row, sources.thumbnail(row["thumbnail"])) for row in ranked[:_BEST_OF_ARM]]
    arm_facts = facts.arms.get(arm) or ArmFacts(prompt=own[0]["prompt"] if own else "")
    measures = measure_arm(own, tested) | measure_finals(
        own, [row for row in finals if row["arm"] == arm and not row.get("further_round")]
    )
    return {"name": arm, "facts": arm_facts, "measures": measures, "best": best}


def _scores(unique_images: Sequence[Row], arm: str) -> list[float]:
    return [row["score"] for row in unique_images if row["arm"] == arm and row["score"] is not None]


def _complete_pairs(pairs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Complete each pair: all keys, the leader first, and a common scale for drawing the intervals."""
    needed = ("more_rows_needed", "more_pictures_needed")
    about = ("rows", "unseen_share", "note")
    keys = ("arms", "difference", "low", "high", "probability", "verdict", *needed, *about)
    full = [_put_leader_first({key: pair.get(key) for key in keys}) for pair in pairs]
    ends = [abs(value) for pair in full for value in (pair["low"], pair["high"]) if value is not None]
    reach = max([0.05, *ends]) * 1.1
    return [pair | {"reach": reach} for pair in full]


def _put_leader_first(pair: dict[str, Any]) -> dict[str, Any]:
    if (pair["difference"] or 0) >= 0:
        return pair
    swapped = {
        "arms": pair["arms"][::-1], "difference": -pair["difference"],
        "low": pair["high"] and -pair["high"], "high": pair["low"] and -pair["low"],
        "probability": None if pair["probability"] is None else 1 - pair["probability"],
    }  # fmt: skip
    return pair | swapped


def _count_radii(facts: RunFacts) -> list[tuple[int, int]]:
    return sorted((int(radius), count) for radius, count in (facts.copies_by_radius or {}).items())
