"""How many pictures it takes to find the best combination: of factors, and of as many plain arms.

Scores of a level vary by 0.05, those of two levels together by ``together``, every arm from row to row by
0.03, and pictures by 0.1; one order in ten is refused. ``ceiling``: scores end at 1, where many are. Factors
choose what ``verdict --best`` names, after the same pictures of every arm (``fixed``) or after ``allocation:
halving``; plain arms the one with the best mean over the rows, after the same pictures of each. 2^(7-4) has
eight arms of seven factors: its best combination of 128 is found by plain arms only if it is one of them.

``found``: what is chosen is within 0.02 of the best; ``missed``: how far from it on average. ``plain arms
need``: as many pictures a cell find it as often (or miss it by as little), between those measured by the
logarithm; ``>`` where the most do not. The populations and seeds are fixed; others were used to build it.

Run: python -m benchmarks.factor_best [campaigns, default 300]; writes its table into benchmarks/README.md
"""

import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from statistics import fmean
from typing import NamedTuple

import numpy as np

from benchmarks.figures import write_figures
from tasks.ab_test.best_combination import find_best
from tasks.ab_test.evidence import ScoredDraft
from tasks.ab_test.factor_model import Cell, Floats
from tasks.allocate import allocate
from tasks.campaign.rounds import RoundDecision, is_complete, passes_of, plan_rounds

ROWS = (4, 12)
MAIN_SPREAD, PICTURE_SPREAD, ARM_SPREAD, PROMPT_SPREAD, TOGETHER = 0.05, 0.1, 0.03, 0.1, 0.02
REFUSED, NEAR, NEAR_THE_CEILING = 0.1, 0.02, 0.85
OF_PLAIN, OF_FIXED, OF_HALVING = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32), (2,), (2, 4)
MORE = (6,)
"""Halving of kinds in which levels share little: of one factor, and of eight arms that work together."""
PLAIN_CAMPAIGNS = 2_000
SEED = 11
PROCESSES = 3
Places = tuple[int, ...]


class Kind(NamedTuple):
    """A kind of campaign: its factors' sizes, its arms, how much levels work together, whether scores end."""

    name: str
    sizes: Places
    arms: tuple[Places, ...]
    together: float = 0.0
    is_cut: bool = False
    shares_little: bool = False

    @property
    def combinations(self) -> list[Places]:
        """All combinations, made or not."""
        return list(itertools.product(*map(range, self.sizes)))


class Chosen(NamedTuple):
    """Whether the choice was near enough, or exactly the best; how far from it; and the pictures a cell."""

    is_found: bool
    is_best: bool
    missed: float
    pictures: float


def _full(name: str, *sizes: int, together: float = 0.0, is_cut: bool = False) -> Kind:
    return Kind(name, sizes, tuple(itertools.product(*map(range, sizes))), together, is_cut)


SATURATED = tuple(
    (a, b, c, a ^ b, a ^ c, b ^ c, a ^ b ^ c) for a, b, c in itertools.product(range(2), repeat=3)
)
KINDS = (
    _full("2x2x2", 2, 2, 2),
    _full("2x2x2", 2, 2, 2, together=TOGETHER)._replace(shares_little=True),
    _full("2x2x2 ceiling", 2, 2, 2, is_cut=True),
    _full("3x4x2", 3, 4, 2),
    _full("3x4x2", 3, 4, 2, together=TOGETHER),
    _full("12 levels", 12)._replace(shares_little=True),
    Kind("2^(7-4)", (2,) * 7, SATURATED),
    Kind("2^(7-4)", (2,) * 7, SATURATED, TOGETHER),
)


def main() -> None:
    """Print and write one line for each kind, number of rows, and way to buy."""
    campaigns = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    lines = [
        "design        together rows way     | pictures  found exactly missed"
        " | plain arms need: as often, as near"
    ]
    print(lines[0])
    kinds = list(itertools.product(KINDS, ROWS))
    with ProcessPoolExecutor(PROCESSES) as pool:
        for found in pool.map(measure, itertools.repeat(campaigns), *zip(*kinds, strict=True)):
            lines += found
            print(*found, sep="\n", flush=True)
    write_figures("benchmarks.factor_best", "\n".join(["```text", *lines, "```"]))


def measure(campaigns: int, kind: Kind, rows: int) -> list[str]:
    """Simulate campaigns of one kind; returns a line of plain arms, and of each way of factors to buy."""
    plain = {n: _plain(_rng(kind, rows, 1, n), kind, rows, n) for n in OF_PLAIN}
    lines = [_line(kind, rows, "plain 4", plain[4], {})]
    ways = [("fixed", n) for n in OF_FIXED] if len(kind.sizes) > 1 else []
    for way, n in (*ways, *(("halving", n) for n in OF_HALVING + MORE * kind.shares_little)):
        rng = _rng(kind, rows, 2 if way == "fixed" else 3, n)
        found = [_by_factors(rng, kind, rows, n, is_halving=way == "halving") for _ in range(campaigns)]
        lines.append(_line(kind, rows, f"{way} {n}", found, plain))
    return lines


def _rng(kind: Kind, rows: int, of: int, n: int) -> np.random.Generator:
    return np.random.default_rng(
        [SEED, *kind.sizes, len(kind.arms), int(kind.together * 100), int(kind.is_cut), rows, of, n]
    )


def _line(
    kind: Kind, rows: int, way: str, found: Sequence[Chosen], plain: Mapping[int, Sequence[Chosen]]
) -> str:
    shares = [fmean(each) for each in zip(*found, strict=True)]
    head = f"{kind.name:13} {kind.together:8} {rows:4} {way:9} | {shares[3]:7.2f} {shares[0]:7.1%}"
    head += f" {shares[1]:6.1%} {shares[2]:7.4f}"
    if not plain:
        return head
    often = {n: fmean(one.is_found for one in each) for n, each in plain.items()}
    near = {n: -fmean(one.missed for one in each) for n, each in plain.items()}
    return f"{head} | {_need(often, shares[0], shares[3])}  {_need(near, -shares[2], shares[3])}"


def _need(plain: Mapping[int, float], reached: float, pictures: float) -> str:
    """Say how many pictures a cell plain arms need to reach as much, and the factors' share of that."""
    steps = np.maximum.accumulate(list(plain.values()))  # a little less with more pictures is chance
    if reached > steps[-1]:
        return f" >{max(plain)} (<{pictures / max(plain):.0%})"
    if reached <= steps[0]:
        return f"  {min(plain)} ({pictures / min(plain):.0%})"
    need = float(np.exp(np.interp(reached, steps, np.log(list(plain)))))
    return f"{need:4.1f} ({pictures / need:4.0%})"


def _means(rng: np.random.Generator, kind: Kind) -> dict[Places, float]:
    """Draw the combinations' means."""
    places = np.array(kind.combinations)
    total = np.zeros(len(places))
    for factor, size in enumerate(kind.sizes):
        total += rng.normal(0, MAIN_SPREAD, size)[places[:, factor]]
    for one, other in itertools.combinations(range(len(kind.sizes)), 2):
        both = rng.normal(0, kind.together, (kind.sizes[one], kind.sizes[other])) if kind.together else None
        total += 0 if both is None else both[places[:, one], places[:, other]]
    middle = NEAR_THE_CEILING if kind.is_cut else 0.5
    return dict(zip(kind.combinations, (total + middle).tolist(), strict=True))


def _usual(rng: np.random.Generator, kind: Kind, means: Mapping[Places, float], rows: int) -> Floats:
    """Draw what each arm usually scores in each row; shape (arms, rows)."""
    own = np.array([means[places] for places in kind.arms])[:, None]
    usual: Floats = own + rng.normal(0, PROMPT_SPREAD, rows) + rng.normal(0, ARM_SPREAD, (len(own), rows))
    return usual


def _pictures(rng: np.random.Generator, kind: Kind, usual: Floats, n: int) -> Floats:
    """Draw pictures; shape of ``usual`` and n more; nan where refused."""
    scores = rng.normal(usual[..., None], PICTURE_SPREAD, (*usual.shape, n))
    scores = np.minimum(scores, 1.0) if kind.is_cut else scores
    return np.where(rng.random(scores.shape) < REFUSED, np.nan, scores)


def _choose(means: Mapping[Places, float], places: Places, pictures: float) -> Chosen:
    missed = max(means.values()) - means[places]
    return Chosen(missed <= NEAR, missed < 1e-12, missed, pictures)


def _plain(rng: np.random.Generator, kind: Kind, rows: int, n: int) -> list[Chosen]:
    """Choose the arm with the best mean over the rows, what each row adds to all arms taken off."""
    found = []
    for _ in range(PLAIN_CAMPAIGNS):
        means = _means(rng, kind)
        scores = _pictures(rng, kind, _usual(rng, kind, means, rows), n)
        is_there = ~np.isnan(scores)
        counts = is_there.sum(axis=2)
        cells = np.where(is_there, scores, 0).sum(axis=2) / np.maximum(counts, 1)
        known = counts > 0
        of_row = (cells * known).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        leads = ((cells - of_row) * known).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        leads = np.where(known.any(axis=1), leads, -np.inf)
        found.append(_choose(means, kind.arms[int(np.argmax(leads))], n))
    return found


def _by_factors(rng: np.random.Generator, kind: Kind, rows: int, n: int, *, is_halving: bool) -> Chosen:
    """Buy the pictures of a campaign with factors, and choose the combination that its verdict names."""
    means = _means(rng, kind)
    usual = _usual(rng, kind, means, rows)
    levels = {f"f{factor}": [str(place) for place in range(size)] for factor, size in enumerate(kind.sizes)}
    arms = {"_".join(map(str, each)): dict(zip(levels, map(str, each), strict=True)) for each in kind.arms}
    drafts = list(
        _halved(rng, kind, usual, arms, n)
        if is_halving
        else _bought(rng, kind, usual, list(arms), list(arms), 0, n)
    )
    scores: dict[tuple[str, int], list[float]] = {}
    for one in drafts:
        if one.score is not None:
            scores.setdefault((one.arm, one.row), []).append(one.score)
    cells = [Cell(arms[arm], row, *_summed(own)) for (arm, row), own in scores.items()]
    best = find_best(cells, levels, list(arms.values()))
    chosen: Mapping[str, str] = arms[max(scores, key=lambda cell: fmean(scores[cell]))[0]]
    if best is not None:  # there is none where an arm was refused in every row, and then dropped
        chosen = best.levels
    places = tuple(int(chosen[factor]) for factor in levels)
    return _choose(means, places, len(drafts) / usual.size)


def _summed(scores: Sequence[float]) -> tuple[float, int, float]:
    mean = fmean(scores)
    return mean, len(scores), sum((score - mean) ** 2 for score in scores)


def _halved(
    rng: np.random.Generator, kind: Kind, usual: Floats, arms: Mapping[str, Mapping[str, str]], n: int
) -> Iterator[ScoredDraft]:
    rounds, decided, drafts = plan_rounds(len(arms), n, "halving"), list[RoundDecision](), list[ScoredDraft]()
    while True:
        this = passes_of(rounds, list(arms), decided)[-1]
        bought = list(_bought(rng, kind, usual, list(arms), this.arms, this.first_replicate, this.replicates))
        drafts += bought
        yield from bought
        if is_complete(rounds, decided):
            return
        decision = allocate(drafts, this.arms, rounds, number=len(decided) + 1, levels=arms)
        assert decision is not None
        decided.append(decision)


def _bought(
    rng: np.random.Generator,
    kind: Kind,
    usual: Floats,
    every: Sequence[str],
    arms: Sequence[str],
    first: int,
    n: int,
) -> Iterator[ScoredDraft]:
    places = [every.index(arm) for arm in arms]
    for arm, of_arm in zip(arms, _pictures(rng, kind, usual[places], n), strict=True):
        for row, of_row in enumerate(of_arm):
            for index, score in enumerate(of_row.tolist()):
                name = f"{arm} {row} {first + index}"
                is_made = score == score
                yield ScoredDraft(
                    name, arm, row, first + index, "received" if is_made else "refused", None,
                    name if is_made else None, "survivor" if is_made else None, score if is_made else None,
                )  # fmt: skip


if __name__ == "__main__":
    main()
