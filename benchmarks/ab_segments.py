"""How often segments are named that differ in nothing, and how often those that do are found.

Two arms, three pictures of each in a row; rows of four kinds and two seasons, so six segments. Pictures vary
by 0.1 around their prompt, arms from row to row by 0.03. Planted: +0.1 in one kind, -0.1 in another, nothing
on the whole. For votes: three people vote once on every row; planted are log-odds of +1.5 and -1.5. Last, how
often the difference is found to depend on the kind at all (at most 5 % with nothing planted).

Run: python -m benchmarks.ab_segments [campaigns, default 1000]
"""

import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

from tasks.ab_test.preferences import ArmVote
from tasks.ab_test.segment_preferences import prefer_in_segments
from tasks.ab_test.segment_verdicts import compare_in_segments, find_interactions
from tasks.ab_test.segments import Segment, find_segments

ROWS = (12, 24, 40, 80)
REPLICATES, PEOPLE = 3, 3
KINDS = "wxyz"

Named = list[tuple[str, str]]
"""Values of the segments that are named, and the arm that is better there."""


class Planted(NamedTuple):
    """By how much B is better in each kind."""

    name: str
    of_score: Sequence[float]
    of_log_odds: Sequence[float]


PLANTED = (Planted("none", (0, 0, 0, 0), (0, 0, 0, 0)), Planted("both", (0.1, -0.1, 0, 0), (1.5, -1.5, 0, 0)))


def main() -> None:
    """Print a table for scores and one for votes."""
    campaigns = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print("       rows planted | any named   the better   the worse   another or the wrong arm")
    for name, draw in (("scores", _by_scores), ("votes", _by_votes)):
        for rows in ROWS:
            for planted in PLANTED:
                print(f"{name:6} {rows:4} {planted.name:7} | {_figures(campaigns, rows, draw, planted)}")
    print("       rows planted | depends on the kind, at 5 %")
    for rows in ROWS:
        for planted in PLANTED:
            print(f"scores {rows:4} {planted.name:7} | {_depends(campaigns, rows, planted):5.1%}", flush=True)


def _depends(campaigns: int, rows: int, planted: Planted) -> float:
    kinds = [KINDS[row % 4] for row in range(rows)]
    segments = find_segments([{"kind": kind} for kind in kinds])
    rng = np.random.default_rng([rows, len(planted.name), 1])
    found = [find_interactions(_draw_scores(rng, kinds, planted), segments)[0] for _ in range(campaigns)]
    return float(np.mean([one.p_value is not None and one.p_value <= 0.05 for one in found]))


def _figures(
    campaigns: int,
    rows: int,
    draw: Callable[[np.random.Generator, Sequence[str], Sequence[Segment], Planted], Named],
    planted: Planted,
) -> str:
    variables = [{"kind": KINDS[row % 4], "season": "ab"[row // 4 % 2]} for row in range(rows)]
    segments, kinds = find_segments(variables), [row["kind"] for row in variables]
    rng = np.random.default_rng([rows, len(planted.name)])
    named = [draw(rng, kinds, segments, planted) for _ in range(campaigns)]
    true = {("w", "B"), ("x", "A")} if any(planted.of_score) else set()
    shares = [
        np.mean([bool(one) for one in named]),
        np.mean([("w", "B") in one for one in named]),
        np.mean([("x", "A") in one for one in named]),
        np.mean([bool(set(one) - true) for one in named]),
    ]
    return "        ".join(f"{share:5.1%}" for share in shares)


def _by_scores(
    rng: np.random.Generator, kinds: Sequence[str], segments: Sequence[Segment], planted: Planted
) -> Named:
    by_row = _draw_scores(rng, kinds, planted)
    return [(one.value, one.winner) for one in compare_in_segments(by_row, segments) if one.winner]


def _draw_scores(
    rng: np.random.Generator, kinds: Sequence[str], planted: Planted
) -> dict[str, dict[int, list[float]]]:
    n_rows = len(kinds)
    prompts = rng.normal(0.5, 0.1, n_rows)
    lifts = np.array([planted.of_score[KINDS.index(kind)] for kind in kinds])
    scores = {
        arm: (prompts + lift + rng.normal(0, 0.03, n_rows))[:, None]
        + rng.normal(0, 0.1, (n_rows, REPLICATES))
        for arm, lift in (("A", 0.0), ("B", lifts))
    }
    return {arm: dict(enumerate(values.tolist())) for arm, values in scores.items()}


def _by_votes(
    rng: np.random.Generator, kinds: Sequence[str], segments: Sequence[Segment], planted: Planted
) -> Named:
    of_row, of_person = rng.normal(0, 0.7, len(kinds)), rng.normal(0, 0.3, PEOPLE)
    votes = []
    for row, kind in enumerate(kinds):
        for person in range(PEOPLE):
            odds = planted.of_log_odds[KINDS.index(kind)] + of_row[row] + of_person[person]
            is_for_b = rng.random() < special.expit(odds)
            votes.append(ArmVote(row, str(person), ("A", "B"), "second" if is_for_b else "first"))
    return [(one.value, one.winner) for one in prefer_in_segments(votes, segments) if one.winner]


if __name__ == "__main__":
    main()
