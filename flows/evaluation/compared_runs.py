"""Runs beside one another: figures, scores with intervals, what changed in the campaign, pictures row by row.

A row is the same in two runs if its variables have the same values, wherever it stands. Scores are compared
only where they are by the same versions of the same scorers, weighted alike; otherwise that is said.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from statistics import fmean
from typing import Any

from flows.evaluation.nights import name_rows
from flows.evaluation.scored_drafts import name_scorers, scored_drafts, split_by_round
from flows.evaluation.verdict import compare_run
from flows.runs.lock import state_now
from flows.runs.run import StoredRun
from tasks.ab_test.evidence import ScoredDraft, compared_form, gather_evidence
from tasks.ab_test.intervals import mean_interval
from tasks.campaign.rounds import added_round_of
from tasks.candidate import Candidate
from tasks.errors import RunoffError
from tasks.ledger.report_rows import report_rows
from tasks.orders.missing_scores import partly_scored, scorers_that_count

PICTURES_A_CELL = 3
"""So many pictures of a row and arm are shown of each run, best first."""
MOST_RUNS = 12
"""The most runs that are laid beside one another."""
THERE = "there"
"""The value of what has none: a row, or a value of a variable."""


@dataclass(frozen=True, slots=True)
class MeanScore:
    """A mean score with its 95 % interval over rows; ``None`` where too few rows say nothing of it."""

    mean: float
    low: float | None
    high: float | None
    n_rows: int


@dataclass(frozen=True, slots=True)
class RunFigures:
    """One run in figures.

    Args:
        run_id: The run.
        campaign: Its campaign.
        state: Its state now.
        started_at: When it began, aware.
        verdict: Its verdict in a sentence; empty with one arm, or if its campaign file is not valid any more.
        spent_usd: What it is charged, dollars.
        drafts: Drafts of the campaign's own rounds that came.
        unique_images: Those that are no duplicates, and fit to show.
        added_drafts: Drafts of rounds that added arms.
        further_drafts: Drafts of further rounds.
        finals: Finals bought.
        accepted: Finals accepted.
        score: The mean total score of its own rounds' pictures, each row counting once; ``None`` without.
        by_arm: The same by arm.
        added_rounds: The same by arm of each round that added arms, which were made and are compared apart.
        scored_by: What the scores are by: scorers with their versions and weights.
        scored: The same in words.
    """

    run_id: str
    campaign: str
    state: str
    started_at: datetime
    verdict: str
    spent_usd: Decimal
    drafts: int
    unique_images: int
    added_drafts: int
    further_drafts: int
    finals: int
    accepted: int
    score: MeanScore | None
    by_arm: Mapping[str, MeanScore]
    added_rounds: tuple[Mapping[str, MeanScore], ...]
    scored_by: tuple[tuple[str, str, float], ...]
    scored: str


@dataclass(frozen=True, slots=True)
class Change:
    """What changed in the campaign between two runs: a key, and its values; ``None`` where it is not set."""

    key: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class MatchedRow:
    """The pictures of one row, of each run; a run that has no such row has none.

    Args:
        name: The values of its variables.
        pictures: By run, by arm: the best unique images, best first.
    """

    name: str
    pictures: tuple[Mapping[str, Sequence[Candidate]], ...]


@dataclass(frozen=True, slots=True)
class ComparedRuns:
    """Runs beside one another, the oldest first.

    Args:
        runs: Their figures.
        changes: Between each run and the one before it.
        rows: Their pictures, row by row: those that most runs have come first.
        are_scores_alike: Whether all scores are by the same scorers and weights.
    """

    runs: tuple[RunFigures, ...]
    changes: tuple[tuple[Change, ...], ...]
    rows: tuple[MatchedRow, ...]
    are_scores_alike: bool


def compare_runs(runs: Sequence[StoredRun]) -> ComparedRuns:
    """Lay runs beside one another, in the sequence in which they began. Writes nothing.

    Args:
        runs: Two or more, of one campaign or of several.
    """
    ordered = sorted(runs, key=lambda run: (run.record.started_at, run.run_id))
    figures = tuple(map(figures_of, ordered))
    changes = tuple(tuple(find_changes(_settings(one), _settings(other))) for one, other in pairwise(ordered))
    scored_by = {one.scored_by for one in figures if one.score is not None}
    return ComparedRuns(figures, changes, tuple(_matched(ordered)), len(scored_by) <= 1)


def added_arms(found: ComparedRuns) -> list[tuple[int, str]]:
    """List the arms of added rounds in any of the runs: the round's number, from 1, and the arm."""
    return list(
        dict.fromkeys(
            (number, arm)
            for one in found.runs
            for number, means in enumerate(one.added_rounds, 1)
            for arm in means
        )
    )


def added_score(figures: RunFigures, number: int, arm: str) -> MeanScore | None:
    """Find the mean score of an arm in an added round of a run; ``None`` if it has none.

    Args:
        figures: The run.
        number: The round, from 1.
        arm: The arm.
    """
    return figures.added_rounds[number - 1].get(arm) if number <= len(figures.added_rounds) else None


def figures_of(run: StoredRun, verdict: str | None = None) -> RunFigures:
    """Describe one run in figures. Writes nothing.

    Args:
        run: The run.
        verdict: Its verdict, where it is known already: finding it takes a moment.
    """
    candidates = run.read_candidates()
    made = [one for one in candidates if one.is_campaign_draft]
    finals = [one for one in candidates if one.is_final]
    verdict, by_round, scored_by, scored = _scored(run, candidates, made, verdict)
    added_from = _added_from(run)
    own = [one for one in made if not added_round_of(one.replicate, added_from)]
    scores = by_round.pop(0, {})
    return RunFigures(
        run_id=run.run_id,
        campaign=run.record.campaign,
        state=state_now(run.ledger, run.folder, run.record),
        started_at=run.record.started_at,
        verdict=verdict,
        spent_usd=run.ledger.orders.charged_usd(run.run_id),
        drafts=len(own),
        unique_images=sum(one.is_survivor for one in own),
        added_drafts=len(made) - len(own),
        further_drafts=sum(one.is_further_draft for one in candidates),
        finals=len(finals),
        accepted=sum(one.is_accepted is True for one in finals),
        score=scores.pop("", None),
        by_arm=scores,
        added_rounds=tuple(
            {arm: mean for arm, mean in by_round.get(number, {}).items() if arm}
            for number in range(1, len(added_from) + 1)
        ),
        scored_by=scored_by,
        scored=scored,
    )


def _scored(
    run: StoredRun, candidates: Sequence[Candidate], made: Sequence[Candidate], verdict: str | None
) -> tuple[str, dict[int, dict[str, MeanScore]], tuple[tuple[str, str, float], ...], str]:
    """Return the verdict, the mean scores of each round, and what they are by.

    Those of a round are by arm, and of all under no name; the campaign's own rounds are 0.
    """
    try:
        campaign = run.campaign
    except RunoffError:  # its file is gone or no longer valid
        return verdict or "", {}, (), ""
    weights, ledger = campaign.score.weights, run.ledger
    rows = report_rows(run.run_id, ledger.orders.of_run(run.run_id), candidates)
    votes, decided = ledger.votes.of_run(run.run_id), ledger.rounds.of_run(run.run_id)
    if verdict is None:
        compared = compare_run(rows, candidates, campaign, decided, votes)
        verdict = str((compared or {}).get("headline", ""))
    drafts = scored_drafts(rows, partly_scored(made, weights), weights)
    counted = scorers_that_count(made, weights)
    versions = {
        (name, one.scores[name].version, float(weights[name]))
        for one in made
        for name in counted
        if name in one.scores and one.scores[name].value is not None
    }
    scores = {number: _means(own) for number, own in split_by_round(drafts, campaign).items()}
    return verdict, scores, tuple(sorted(versions)), name_scorers(counted)


def _added_from(run: StoredRun) -> tuple[int, ...]:
    try:
        return run.campaign.added_from
    except RunoffError:
        return ()


def _means(drafts: Sequence[ScoredDraft]) -> dict[str, MeanScore]:
    """Return the mean scores of drafts by arm, and of all under no name."""
    by_row: dict[str, defaultdict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for piece in gather_evidence(drafts, compared_form(drafts)):
        by_row[piece.arm][piece.row].append(piece.score)
        by_row[""][piece.row].append(piece.score)
    return {arm: _mean([fmean(values) for values in of_rows.values()]) for arm, of_rows in by_row.items()}


def _mean(values: Sequence[float]) -> MeanScore:
    low, high = mean_interval(values)
    return MeanScore(fmean(values), low, high, len(values))


def _settings(run: StoredRun) -> dict[str, Any]:
    try:
        return run.campaign.model_dump(mode="json", exclude_unset=True)
    except RunoffError:
        return {}


def find_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """Find what differs between two campaigns, key by key; of rows, which came and which went.

    Args:
        before: The earlier campaign as plain data.
        after: The later one.
    """
    one, other = (dict(_flat(each)) for each in (before, after))
    for key in sorted({*one, *other}):
        if one.get(key) != other.get(key):
            yield Change(key, one.get(key), other.get(key))


def _flat(campaign: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in campaign.items():
        if key == "rows" and isinstance(value, list):
            for name in name_rows(value):
                yield f"rows: {name.rpartition(' ')[0]}", THERE
        elif key == "variables" and isinstance(value, dict):
            for name, values in value.items():
                yield from ((f"variables.{name}: {one}", THERE) for one in values)
        else:
            yield from _flat_value(key, value)


def _flat_value(key: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for name, one in value.items():
            yield from _flat_value(f"{key}.{name}", one)
    elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        for index, one in enumerate(value, 1):
            yield from _flat_value(f"{key}.{index}", one)
    elif value is not None:
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        yield key, text


def _matched(runs: Sequence[StoredRun]) -> Iterator[MatchedRow]:
    found: dict[str, list[dict[str, list[Candidate]]]] = {}
    shown: dict[str, str] = {}
    for index, run in enumerate(runs):
        try:
            rows = run.campaign.all_rows
        except RunoffError:
            rows = ()
        keys = name_rows(rows)
        shown |= {key: " · ".join(map(str, row.values())) for key, row in zip(keys, rows, strict=True)}
        for draft in sorted(run.read_candidates("draft"), key=lambda one: (one.rank is None, one.rank or 0)):
            if not (draft.is_survivor and draft.is_campaign_draft) or draft.row >= len(keys):
                continue
            cells = found.setdefault(keys[draft.row], [{} for _ in runs])
            cell = cells[index].setdefault(draft.arm, [])
            if len(cell) < PICTURES_A_CELL:
                cell.append(draft)
    in_order = sorted(found.items(), key=lambda each: -sum(map(bool, each[1])))
    for key, cells in in_order:
        yield MatchedRow(shown[key], tuple(cells))
