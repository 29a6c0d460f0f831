"""The second half of ``benchmarks.ab_verdict``: the A/B test on awkward scores.

For each population and number of rows, three pictures each: how often equal arms produce a winner (at most
5 %), how often the 95 % interval contains the truth of unequal arms (93 to 97 %, or more), its median width,
and how often the better arm is found. The last three are given for a plain paired t-test over the rows too,
over the campaigns in which it has an interval at all. Then an arm that fails in a few rows, beside the
share of campaigns in which at most the interval can hold: a method that never errs once a row has failed,
and takes the plain t's interval where none has, as for an arm that never fails. Then two equal arms of which
one copies half of its pictures.
"""

from collections.abc import Iterator
from decimal import Decimal
from functools import partial

import numpy as np
from scipy import stats

from benchmarks.ab_populations import BREAK, POPULATIONS, Arms, Draw, Floats, breaks, draw_copies, truth_of
from tasks.ab_test.evidence import ScoredDraft
from tasks.ab_test.paired_rows import row_difference
from tasks.ab_test.verdict import compare_arms
from tasks.candidate import Status

ROWS = (3, 6, 12, 24, 40)
REPLICATES = 3
CENT = Decimal("0.01")


def print_awkward(campaigns: int) -> None:
    """Print the tables."""
    print(f"{'':15} rows | equal: wins | unequal: holds width found | plain t: holds width found")
    for name, equal, unequal in POPULATIONS:
        for rows in ROWS:
            print(f"{name:15} {rows:4} |    {_false_wins(campaigns, rows, equal):6.1%}   | ", end="")
            print(_line(campaigns, rows, unequal))
    for share in (0.05, 0.1, 0.2):
        equal, unequal = partial(breaks, shares=(share, share)), partial(breaks, shares=(share, 0.0))
        for rows in ROWS:
            print(
                f"breaks in {share:4.0%}  {rows:4} |    {_false_wins(campaigns, rows, equal):6.1%}   | ",
                end="",
            )
            print(f"{_line(campaigns, rows, unequal)} | at most {_most(campaigns, rows, unequal):.1%}")
    for rows in (4, 8, 16):
        rng = np.random.default_rng([rows, 4])
        wins = [_copies_verdict(rng, rows) for _ in range(campaigns)]
        shares = {arm: sum(verdict == f"{arm} wins" for verdict in wins) / campaigns for arm in "AB"}
        print(f"half of A's are copies, {rows:2} rows: A wins in {shares['A']:.1%}, B in {shares['B']:.1%}")


def _by_row(scores: Floats) -> dict[int, list[float]]:
    return {row: values[~np.isnan(values)].tolist() for row, values in enumerate(scores)}


def _draw(campaigns: int, rows: int, draw: Draw) -> Iterator[Arms]:
    rng = np.random.default_rng([rows, REPLICATES])
    for _ in range(campaigns):
        yield draw(rng, rows, REPLICATES)


def _false_wins(campaigns: int, rows: int, draw: Draw) -> float:
    found = [row_difference(*map(_by_row, arms)) for arms in _draw(campaigns, rows, draw)]
    return sum(_excludes(one.low, one.high, 0) for one in found) / campaigns


def _excludes(low: float | None, high: float | None, value: float) -> bool:
    return low is not None and high is not None and not low <= value <= high


def _line(campaigns: int, rows: int, draw: Draw) -> str:
    ours, plain = [], []
    for arms in _draw(campaigns, rows, draw):
        by_row = [_by_row(arm) for arm in arms]
        found = row_difference(*by_row)
        ours.append((found.low, found.high))
        shared = [row for row in range(rows) if by_row[0][row] and by_row[1][row]]
        plain.append(_plain(np.array([np.mean(by_row[0][row]) - np.mean(by_row[1][row]) for row in shared])))
    truth = truth_of(draw)
    return f"        {_figures(ours, truth)} |          {_figures(plain, truth)}"


def _most(campaigns: int, rows: int, draw: Draw) -> float:
    truth, n_holding = truth_of(draw), 0
    for first, second in _draw(campaigns, rows, draw):
        differences = first.mean(axis=1) - second.mean(axis=1)
        low, high = _plain(differences)
        n_holding += bool((differences < -BREAK / 2).any()) or not _excludes(low, high, truth)
    return n_holding / campaigns


def _plain(differences: Floats) -> tuple[float | None, float | None]:
    if differences.size < 2 or np.ptp(differences) < 1e-12:
        return None, None
    error = stats.sem(differences)
    reach = stats.t.ppf(0.975, differences.size - 1) * error
    return differences.mean() - reach, differences.mean() + reach


def _figures(intervals: list[tuple[float | None, float | None]], truth: float) -> str:
    known = [(low, high) for low, high in intervals if low is not None and high is not None]
    holds = sum(low <= truth <= high for low, high in known) / len(known)
    width = float(np.median([high - low for low, high in known]))
    found = sum(_excludes(low, high, 0) for low, high in known) / len(intervals)
    return f"{holds:6.1%} {width:5.2f} {found:5.1%}"


def _copies_verdict(rng: np.random.Generator, rows: int) -> str:
    drafts = []
    for arm, clusters in zip("AB", draw_copies(rng, rows), strict=True):
        for place, scores in enumerate(clusters):
            name, row = f"{arm}-{place}", place * rows // len(clusters)
            for index, score in enumerate(sorted(scores.tolist(), reverse=True)):
                picture = f"{name}-{index}"
                status: Status = "duplicate" if index else "survivor"
                drafts.append(
                    ScoredDraft(
                        picture,
                        arm,
                        row,
                        place,
                        "received",
                        CENT,
                        picture,
                        status,
                        score,
                        cluster=f"{name}-0",
                    )
                )
    return compare_arms(drafts).pairs[0].verdict
