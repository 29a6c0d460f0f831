"""Whether duels recover planted strengths, and whether a judge's liking for the first picture is cancelled.

Rows of eight pictures are drawn with strengths of log-odds N(0, 1.5), the fit's own prior. A judge answers
each comparison by Bradley and Terry's model with Davidson's ties (one in nine between equals). It likes the
first picture in one of two ways: by odds (``60:40`` between equals), or it names the first without looking in
a fifth of its answers. Pairs are chosen as in a run. Told are, over all campaigns: how many pairs of pictures
come out in their true order, how often the best is found or is one of the first two, and how often the 95 %
interval holds the truth. Answers without looking tell nothing of the pictures, so no fit finds as much in
them.

Then, for pictures of equal strength, how much the value of one that is always shown first lies above the
others', when pairs are asked once, and when they are asked in both orders.

Sources: R. R. Davidson (1970) on ties, R. R. Davidson and R. J. Beaver (1977) on the order of presentation.

Run: python -m benchmarks.duel_strengths [campaigns, default 1000]
"""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tasks.bradley_terry import PRIOR_SD, Meeting, strengths
from tasks.duels import in_both_orders, most_pairs, next_pairs
from tasks.replies import DuelReply, Reply

PICTURES = 8
TIES = 0.25
"""Davidson's weight: of two equals one answer in nine is a tie."""
POOL = [f"c-{number}" for number in range(PICTURES)]
ANSWERS = {better: Reply(f'{{"reason": "", "better": "{better}"}}') for better in ("first", "tie", "second")}
RESULTS = {"first": 1.0, "tie": 0.5, "second": 0.0}
Judge = Callable[[str, str], str]


@dataclass(frozen=True)
class Liking:
    """How a judge likes the first picture: by odds, and in which share of answers without looking."""

    name: str
    odds: float = 1.0
    share: float = 0.0


NONE, ODDS, BLIND = Liking("none"), Liking("60:40", odds=1.5), Liking("20 % blindly", share=0.2)


def main() -> None:
    """Print both tables."""
    campaigns = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print(f"{campaigns:,} rows of {PICTURES} pictures each")
    print("pairs  liking for first | in order  best found  in first two | interval holds")
    for per_row in (7, 12, 28):
        for liking in (NONE, ODDS, BLIND):
            rng = np.random.default_rng([per_row, 1])
            order, best, two, holds = measure_recovery(rng, campaigns, per_row, liking)
            told = f"{order:8.1%} {best:11.1%} {two:13.1%} | {holds:14.1%}"
            print(f"{per_row:5} {liking.name:>17} | {told}", flush=True)
    print("liking for first | gain of the picture shown first: asked once    in both orders")
    for liking in (NONE, ODDS, BLIND):
        once = measure_gain(np.random.default_rng(2), campaigns, liking, is_doubled=False)
        both = measure_gain(np.random.default_rng(3), campaigns, liking, is_doubled=True)
        print(f"{liking.name:>16} | {_told(once):>46} {_told(both):>17}", flush=True)


def a_judge(rng: np.random.Generator, planted: dict[str, float], liking: Liking) -> Judge:
    """Make a judge that knows the truth, with noise, ties and a liking for the first picture."""

    def judge(first: str, second: str) -> str:
        if rng.random() < liking.share:
            return "first"
        for_first, for_second = liking.odds * math.exp(planted[first]), math.exp(planted[second])
        tie = TIES * math.sqrt(for_first * for_second)
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


def measure_recovery(
    rng: np.random.Generator, campaigns: int, per_row: int, liking: Liking
) -> tuple[float, float, float, float]:
    """Measure pairs in their true order, best found, best among the first two, and intervals that hold."""
    in_order, best, two, holds = [], [], [], []
    for _ in range(campaigns):
        drawn = rng.normal(0, PRIOR_SD, PICTURES)
        planted = dict(zip(POOL, drawn - drawn.mean(), strict=True))
        found = strengths(hold_duels(a_judge(rng, planted, liking), per_row))
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
    rng: np.random.Generator, campaigns: int, liking: Liking, *, is_doubled: bool
) -> tuple[float, float]:
    """Measure how much higher the value of a picture is that stands first in the pool, all being equal.

    Returns:
        The mean over campaigns and its standard error.
    """
    judge = a_judge(rng, dict.fromkeys(POOL, 0.0), liking)
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
