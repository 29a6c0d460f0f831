"""Runs over time: a campaign's runs as a time line, and runs laid beside one another."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from starlette.requests import Request
from starlette.responses import Response

from flows.evaluation.compared_runs import (
    MOST_RUNS,
    ComparedRuns,
    MeanScore,
    RunFigures,
    added_arms,
    added_score,
    compare_runs,
    figures_of,
)
from flows.review.page_context import ARM_COLOURS, PageContext
from flows.runs.lock import fetch_files
from flows.runs.run import StoredRun
from tasks.errors import SettingError

SHOWN = 60
"""The newest runs of a campaign that its page shows."""
_WIDE, _TALL, _EDGE = 1000, 220, 24
"""The time line's drawing, in its own units."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A run on the time line: where its mean and its interval's ends are, in the drawing's units."""

    run_id: str
    x: float
    y: float | None
    low: float | None
    high: float | None
    is_comparable: bool


def routes(context: PageContext) -> APIRouter:
    """Make the routes of campaigns and of compared runs."""
    router = APIRouter()

    @router.get("/campaigns/{name}")
    def campaign(request: Request, name: str) -> Response:
        records = [run for run in context.ledger.runs.all() if run.campaign == name]
        if not records:
            raise HTTPException(404, "there is no run of such a campaign")
        runs = [_figures(StoredRun(context.settings, context.ledger, one)) for one in records[:SHOWN]]
        facts = {"name": name, "figures": runs, "n_runs": len(records), "line": draw_line(runs[::-1])}
        return context.page(request, "campaign.html", here="campaign", most=MOST_RUNS, **facts)

    @router.get("/compare")
    def compare(request: Request, run: Annotated[list[str], Query(max_length=MOST_RUNS)]) -> Response:
        names = dict.fromkeys(run)
        stored = [StoredRun.find(context.settings, context.ledger, name) for name in names]
        if len(stored) < 2:
            raise HTTPException(400, "two runs or more are compared")
        found = compare_runs(stored)
        return context.page(request, "compare.html", here="compare", **_compared_facts(found))

    return router


def _figures(run: StoredRun) -> RunFigures:
    """Read a run's figures, with the verdict that its report gave: finding it again takes a moment each."""
    verdict = ""
    with suppress(OSError, ValueError, KeyError, SettingError):
        fetch_files(run.folder, ["summary.json"])
        verdict = str(json.loads((run.folder / "summary.json").read_text(encoding="utf-8"))["verdict"])
    return figures_of(run, verdict)


def draw_line(figures: Sequence[RunFigures]) -> dict[str, Any]:
    """Place runs on a time line of mean scores, the oldest first.

    Args:
        figures: The runs. Scores that are by other scorers than the newest run's are marked.
    """
    scored = [one.score for one in figures if one.score is not None]
    ends = [end for one in scored for end in (one.mean, one.low, one.high) if end is not None]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    room = max(high - low, 0.02) * 0.15
    low, high = max(0.0, low - room), min(1.0, high + room)
    newest = next((one.scored_by for one in reversed(figures) if one.score is not None), ())
    step = (_WIDE - 2 * _EDGE) / max(len(figures) - 1, 1)

    def place(value: float | None) -> float | None:
        return None if value is None else round(_TALL - (value - low) / (high - low) * _TALL, 1)

    marks = [
        Mark(
            run_id=one.run_id,
            x=round(_EDGE + index * step, 1) if len(figures) > 1 else _WIDE / 2,
            y=place(_mean_of(one.score)),
            low=place(one.score.low if one.score else None),
            high=place(one.score.high if one.score else None),
            is_comparable=one.scored_by == newest,
        )
        for index, one in enumerate(figures)
    ]
    return {"marks": marks, "low": low, "high": high, "width": _WIDE, "height": _TALL}


def _mean_of(score: MeanScore | None) -> float | None:
    return None if score is None else score.mean


def _compared_facts(found: ComparedRuns) -> dict[str, Any]:
    arms = list(dict.fromkeys(arm for one in found.runs for arm in one.by_arm))
    arms += [
        arm
        for arm in dict.fromkeys(arm for row in found.rows for of_run in row.pictures for arm in of_run)
        if arm not in arms
    ]
    colours: Mapping[str, int] = {arm: index % ARM_COLOURS for index, arm in enumerate(arms)}
    return {
        "found": found,
        "arms": arms,
        "added": added_arms(found),
        "added_score": added_score,
        "colours": colours,
        "rows": found.rows[:200],
    }
