"""How well duels recover known strengths, and whether a judge's bias for the first picture cancels out.

Rows of eight pictures are drawn with strengths of log-odds N(0, 1.5), the fit's own prior. A judge answers
each comparison by Bradley and Terry's model with Davidson's ties (one in nine between equals). It prefers the
first picture in one of two ways: by odds (``60:40`` between equals), or it names the first blindly in a fifth
of its answers. Pairs are chosen as in a run, and asked in both orders. Reported, over all campaigns: how many
pairs of pictures are ranked in their true order, how often the best is found or is one of the first two, and
how often the 95 % interval contains the truth. Blind answers contain no information about the pictures, so
any fit finds less in them.

Then how often the interval contains the truth with other judges and other pictures, among them some that the
model does not claim to cover. Last, for pictures of equal strength, how much higher the value of one is
that is always shown first, when pairs are asked once, and when they are asked in both orders.

Sources: R. R. Davidson (1970) on ties, R. R. Davidson and R. J. Beaver (1977) on the order of presentation.

Run: python -m benchmarks.duel_strengths [campaigns, default 1000]
"""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tasks.judging.duels import in_both_orders, most_pairs, next_pairs
from tasks.judging.replies import DuelReply, Reply
from tasks.pairwise.bradley_terry import Meeting, strengths
from tasks.pairwise.likelihood import PRIOR_SD

PICTURES = 8
POOL = [f"c-{number}" for number in range(PICTURES)]
ANSWERS = {better: Reply(f'{{"reason": "", "better": "{better}"}}') for better in ("first", "tie", "second")}
RESULTS = {"first": 1.0, "tie": 0.5, "second": 0.0}
Judge = Callable[[str, str], str]


@dataclass(frozen=True)
class Case:
    """A judge, and the pictures that it compares.

    Args:
        name: As printed.
        odds: By how much the first picture's odds are raised.
        first: Share of answers that name the first without looking.
        second: Share that name the second without looking.
        ties: Davidson's weight: of two equals ``ties`` in ``2 + ties`` answers are ties.
        spread: Standard deviation of the strengths, in log-odds.
    """

    name: str
    odds: float = 1.0
    first: float = 0.0
    second: float = 0.0
    ties: float = 0.25
    spread: float = PRIOR_SD


LIKINGS = (Case("none"), Case("60:40", odds=1.5), Case("20 % blindly", first=0.2))
OTHERS = (
    Case("75:25", odds=3.0),
    Case("40 % blindly first", first=0.4),
    Case("20 % blindly second", second=0.2),
    Case("20 % blindly either", first=0.1, second=0.1),
    Case("no ties", ties=0.0),
    Case("half of equals tied", ties=2.0),
    Case("strengths closer, 1.0", spread=1.0),
    Case("strengths wider, 2.0", spread=2.0),
)
PER_ROW, PER_ROW_OF_OTHERS = (7, 12, 28), (12, 28)


def main() -> None:
    """Print the three tables."""
    campaigns = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print(f"{campaigns:,} rows of {PICTURES} pictures each")
    print("pairs  liking for first | in order  best found  in first two | interval holds")
    for per_row in PER_ROW:
        for case in LIKINGS:
            order, best, two, holds = measure_recovery(campaigns, per_row, case)
            figures = f"{order:8.1%} {best:11.1%} {two:13.1%} | {holds:14.1%}"
            print(f"{per_row:5} {case.name:>17} | {figures}", flush=True)
    print(f"{'interval holds with pairs':>25} | " + " ".join(f"{n:6}" for n in PER_ROW_OF_OTHERS))
    for case in OTHERS:
        held = (measure_recovery(campaigns, per_row, case)[-1] for per_row in PER_ROW_OF_OTHERS)
        print(f"{case.name:>25} | " + " ".join(f"{share:6.1%}" for share in held), flush=True)
    print("liking for first | gain of the picture shown first: asked once    in both orders")
    for case in LIKINGS:
        once = measure_gain(np.random.default_rng(2), campaigns, case, is_doubled=False)
        both = measure_gain(np.random.default_rng(3), campaigns, case, is_doubled=True)
        print(f"{case.name:>16} | {_told(once):>46} {_told(both):>17}", flush=True)


def a_judge(rng: np.random.Generator, planted: dict[str, float], case: Case) -> Judge:
    """Make a judge that knows the truth, with noise, ties and a bias for the first picture."""

    def judge(first: str, second: str) -> str:
        drawn = rng.random()
        if drawn < case.first + case.second:
            return "first" if drawn < case.first else "second"
        for_first, for_second = case.odds * math.exp(planted[first]), math.exp(planted[second])
        tie = case.ties * math.sqrt(for_first * for_second)
        drawn = rng.random() * (for_first + for_second + tie)
        return "first" if drawn < for_first else "second" if drawn < for_first + for_second else "tie"

    return judge


def hold_duels(judge: Judge, per_row: int) -> list[Meeting]:
    """Hold one row's duels, round by round as a run does; the meetings that were asked in both orders."""
    if per_row >= math.comb(PICTURES, 2):
        return [(a, b, RESULTS[judge(a, b)]) for a, b in in_both_orders(list(combinations(POOL, 2)))]
    duels: list[DuelReply] = []
    asked: set[tuple[str, str]] = set()
    while pairs := next_pairs(POOL, asked, duels, most_pairs(PICTURES, per_row) - len(asked)):
        asked.update(pairs)
        duels += [DuelReply(0, a, b, ANSWERS[judge(a, b)]) for a, b in in_both_orders(pairs)]
    return [(duel.first_id, duel.second_id, _result(duel)) for duel in duels]


def _result(duel: DuelReply) -> float:
    return next(RESULTS[better] for better, reply in ANSWERS.items() if reply is duel.reply)


def measure_recovery(campaigns: int, per_row: int, case: Case) -> tuple[float, float, float, float]:
    """Measure pairs in their true order, best found, best among the first two, and intervals that hold."""
    rng = np.random.default_rng([per_row, 1])
    in_order, best, two, holds = [], [], [], []
    for _ in range(campaigns):
        drawn = rng.normal(0, case.spread, PICTURES)
        planted = dict(zip(POOL, drawn - drawn.mean(), strict=True))
        found = strengths(hold_duels(a_judge(rng, planted, case), per_row))
        ranked = sorted(POOL, key=lambda name: -found[name].value)
        in_order += [
            (planted[a] > planted[b]) == (found[a].value > found[b].value) for a, b in combinations(POOL, 2)
        ]
        champion = max(planted, key=lambda name: planted[name])
        best.append(ranked[0] == champion)
        two.append(champion in ranked[:2])
        truth = {name: 1 / (1 + math.exp(-odds)) for name, odds in planted.items()}
        holds += [found[name].low <= truth[name] <= found[name].high for name in POOL]
    return float(np.mean(in_order)), float(np.mean(best)), float(np.mean(two)), float(np.mean(holds))


def measure_gain(
    rng: np.random.Generator, campaigns: int, case: Case, *, is_doubled: bool
) -> tuple[float, float]:
    """Measure how much higher the value of a picture is that stands first in the pool, all being equal.

    Returns:
        The mean over campaigns and its standard error.
    """
    judge = a_judge(rng, dict.fromkeys(POOL, 0.0), case)
    pairs = list(combinations(POOL, 2))
    gains = []
    for _ in range(campaigns):
        asked = list(in_both_orders(pairs)) if is_doubled else pairs
        found = strengths([(a, b, RESULTS[judge(a, b)]) for a, b in asked])
        gains.append(found[POOL[0]].value - np.mean([found[name].value for name in POOL[1:]]))
    return float(np.mean(gains)), float(np.std(gains) / math.sqrt(campaigns))


def _told(gain: tuple[float, float]) -> str:
    return f"{gain[0]:+.3f} ± {1.96 * gain[1]:.3f}"


if __name__ == "__main__":
    main()
