"""The drafts needed to find the best of eight arms, and the quality of the verdict after rounds.

The truth of each simulated campaign is known: eight arms, six rows, arms whose effect differs from row to row
(standard deviation 0.03 of score), pictures that vary by 0.1 around their arm and row. The best arm is the
one with the highest true mean over the campaign's rows; one less than 0.01 below it counts as found too,
because Runoff buys no more pictures for so small a difference. ``fixed`` names the arm with the highest mean,
halving the one that is first by all pictures when its rounds are over. Its drafts are the average number
bought, because many campaigns end early. Rounds, leads and chances are Runoff's own; which arms continue is
computed for all campaigns at once, as ``tasks.allocate`` decides when no picture is missing (a test compares
the two).

The bound is the best that is possible: one pass over the rows at a time, of the leader or of the arm that is
hardest to separate from it, as soon as it is known (top-two sampling, balanced as Chen's optimal computing
budget allocation is), stopped by the chance of being wrong; and then one held-out pass of the two that come
first. The indifference and the chance to stop at are those that need the fewest drafts in each setting, which
cannot be known in advance.

The verdicts are computed by Runoff's own code picture by picture: with eight equal arms, how often a false
win is reported; how often the interval contains the true difference; and how far the lead of the arm that led
the choice is off on average, by the pictures held out and by all of them.

Source: C.-H. Chen, J. Lin, E. Yücesan, S. Chick (2000), "Simulation budget allocation for further enhancing
the efficiency of ordinal optimization"; D. Russo (2016), "Simple Bayesian algorithms for best arm
identification".

Run: python -m benchmarks.halving [campaigns, default 1000; ten and five times as many]
"""

import math
import sys
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from tasks.ab_test.arm_leads import measure_leads
from tasks.ab_test.evidence import HeldOut, ScoredDraft
from tasks.ab_test.result import NOT_ENOUGH
from tasks.ab_test.verdict import LEAST_DIFFERENCE, compare_arms
from tasks.allocate import LEAST_CHANCE, allocate
from tasks.campaign.rounds import (
    LAST_ARMS,
    Pass,
    RoundDecision,
    is_complete,
    passes_of,
    plan_rounds,
)

ARMS, ROWS = "ABCDEFGH", 6
PICTURE_SPREAD, UNLIKE = 0.1, 0.03
SETTINGS = ("drawn, sd 0.05", "drawn, sd 0.10", "0.02 apart", "one better by 0.04")
PER_PROMPT = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96)
SUCCESSES = (0.8, 0.9, 0.95, 0.975)
INDIFFERENCES = (0.0, 0.01, 0.02, 0.03, 0.04, 0.06)
DOUBTS = (2.0, 1.6, 1.3, 1.1, 0.9, 0.75, 0.6, 0.5, 0.4, 0.3, 0.22, 0.15, 0.1, 0.06, 0.03, 0.015, 0.007)

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]
Measured = list[tuple[float, float]]


class Found(NamedTuple):
    """What campaigns came to: which arm each names, its drafts and its rounds."""

    named: Indices
    drafts: Floats
    rounds: Floats


class Pictures(NamedTuple):
    """How many pictures each campaign has of an arm and row, their mean and their squared deviations."""

    counts: Floats
    means: Floats
    squares: Floats


def main() -> None:
    """Print the tables."""
    campaigns = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print("arms                 found | drafts: fixed  halving  ratio  bound")
    for setting in SETTINGS:
        print_ratios(setting, 10 * campaigns)
    print("drawn, sd 0.05, per_prompt   | at most   bought  rounds | found  by fixed")
    print_budgets(SETTINGS[0], 10 * campaigns)
    print("8 arms, 6 rows               | false wins  interval holds | bias held out, all pictures")
    for per_prompt in (4, 12):
        for setting, spread in (("equal arms", 0.0), ("drawn, sd 0.05", 0.05)):
            rng = np.random.default_rng(7)
            wins, holds, fresh, flattered = measure_verdicts(rng, 5 * campaigns, spread, per_prompt)
            false_wins, name = "–" if spread else f"{wins:.1%}", f"{setting}, {per_prompt} a prompt"
            print(f"{name:28} | {false_wins:>10} {holds:15.1%} | {fresh:+13.4f} {flattered:+13.4f}")


def print_ratios(setting: str, campaigns: int) -> None:
    """Print how many drafts each success takes, and what they are to those of ``fixed``."""
    truth = draw_truth(np.random.default_rng(SETTINGS.index(setting)), setting, campaigns)
    fixed, halving = success_by_drafts(setting, truth)
    bounds = [success_by_doubt(truth, indifference) for indifference in INDIFFERENCES]
    for success in SUCCESSES:
        all_alike, in_rounds = drafts_for(success, fixed), drafts_for(success, halving)
        bound = min(drafts_for(success, one) for one in bounds)
        ratios = f"{in_rounds / all_alike:6.2f} {bound / all_alike:6.2f}"
        print(f"{setting:20} {success:5.1%} | {all_alike:13,.0f} {in_rounds:8,.0f} {ratios}")


def print_budgets(setting: str, campaigns: int) -> None:
    """Print what is bought of what could be, and how often the best arm is found then."""
    truth = draw_truth(np.random.default_rng(SETTINGS.index(setting)), setting, campaigns)
    for per_prompt in (2, 4, 8, 16, 32):
        rng = np.random.default_rng(per_prompt)
        found, named = find_by_halving(rng, truth, per_prompt), find_fixed(rng, truth, per_prompt)
        most, bought = len(ARMS) * ROWS * per_prompt, found.drafts.mean()
        shares = f"{share_found(truth, found.named):5.1%} {share_found(truth, named):9.1%}"
        print(f"{per_prompt:28} | {most:7,} {bought:8,.0f} {found.rounds.mean():7.1f} | {shares}")


def success_by_drafts(setting: str, truth: Floats) -> tuple[Measured, Measured]:
    """Return how often the best arm is found, by the number of drafts bought: all alike, and in rounds."""
    fixed: Measured = []
    halving: Measured = []
    for per_prompt in (1, *PER_PROMPT, 2 * PER_PROMPT[-1]):
        rng = np.random.default_rng([SETTINGS.index(setting), per_prompt])
        named = find_fixed(rng, truth, per_prompt)
        fixed.append((len(ARMS) * ROWS * per_prompt, share_found(truth, named)))
        if per_prompt in PER_PROMPT:
            found = find_by_halving(rng, truth, per_prompt)
            halving.append((float(found.drafts.mean()), share_found(truth, found.named)))
    return fixed, halving


def success_by_doubt(truth: Floats, indifference: float) -> Measured:
    """Return the same of the bound, stopped at one doubt after the other."""
    found = [find_step_by_step(np.random.default_rng(2), truth, doubt, indifference) for doubt in DOUBTS]
    return [(float(one.drafts.mean()), share_found(truth, one.named)) for one in found]


def share_found(truth: Floats, named: Indices) -> float:
    """Return in how many campaigns the named arm is the best, or as good as."""
    means = truth.mean(axis=2)
    lost = means.max(axis=1) - np.take_along_axis(means, named[:, None], axis=1)[:, 0]
    return float((lost < LEAST_DIFFERENCE).mean())


def draw_truth(rng: np.random.Generator, setting: str, campaigns: int) -> Floats:
    """Draw the true mean score of each campaign, arm and row."""
    shape = (campaigns, len(ARMS), ROWS)
    if setting.startswith("drawn"):
        of_arm = rng.normal(0, float(setting.rpartition(" ")[2]), shape[:2])
    elif setting == "0.02 apart":
        of_arm = np.broadcast_to(0.02 * np.arange(len(ARMS)), shape[:2])
    else:
        of_arm = np.broadcast_to(0.04 * (np.arange(len(ARMS)) == 0), shape[:2])
    return of_arm[..., None] + rng.normal(0, UNLIKE, shape) + rng.normal(0.5, 0.1, (campaigns, 1, ROWS))


def find_fixed(rng: np.random.Generator, truth: Floats, per_prompt: int) -> Indices:
    """Name the arm with the highest mean when all have as many pictures."""
    noise = rng.normal(0, PICTURE_SPREAD / per_prompt**0.5, truth.shape)
    found: Indices = (truth + noise).mean(axis=2).argmax(axis=1)
    return found


def find_by_halving(rng: np.random.Generator, truth: Floats, per_prompt: int) -> Found:
    """Name the arm that comes first by all pictures once the rounds are over."""
    rounds = plan_rounds(truth.shape[1], per_prompt, "halving")
    n_all = rounds[-1].first_replicate + rounds[-1].replicates
    made = Pictures(*(np.zeros(truth.shape) for _ in range(3)))
    is_in, is_last = np.ones(truth.shape[:2], dtype=bool), np.zeros(len(truth), dtype=bool)
    is_over, n_rounds = is_last.copy(), np.zeros(len(truth))
    for each, following in zip(rounds, [*rounds[1:], None], strict=True):
        n = np.where(is_last, rounds[-1].replicates, each.replicates)
        made = add_pictures(rng, made, truth, n[:, None, None], is_in & ~is_over[:, None])
        n_rounds += ~is_over
        is_over |= is_last
        if following is not None:
            goes_on, is_settled = who_goes_on(
                made, is_in, following.first_replicate / n_all, following.n_arms
            )
            is_in = np.where(is_over[:, None], is_in, goes_on)
            is_last |= is_settled
    lead = measure_leads(made.counts * is_in[..., None], made.means, made.squares, 1.0).lead
    named: Indices = np.nan_to_num(lead, nan=-np.inf).argmax(axis=1)
    return Found(named, made.counts.sum(axis=(1, 2)), n_rounds)


def add_pictures(
    rng: np.random.Generator, made: Pictures, truth: Floats, n: NDArray[np.int_], of: Flags
) -> Pictures:
    """Draw ``n`` pictures of some arms in every row: their mean and squares as they are distributed."""
    means = truth + rng.normal(0, PICTURE_SPREAD / n**0.5, truth.shape)
    squares = PICTURE_SPREAD**2 * np.where(n > 1, rng.chisquare(np.maximum(n - 1, 1), truth.shape), 0.0)
    counts = made.counts + n * of[..., None]
    off = (means - made.means) * of[..., None]
    share = np.divide(n, counts, out=np.zeros(truth.shape), where=counts > 0)
    return Pictures(
        counts,
        made.means + off * share,
        made.squares + squares * of[..., None] + off**2 * made.counts * share,
    )


def who_goes_on(made: Pictures, is_in: Flags, share_made: float, most: int) -> tuple[Flags, Flags]:
    """Return which arms of each campaign continue, and in which campaigns the choice is over."""
    found = measure_leads(made.counts * is_in[..., None], made.means, made.squares, share_made)
    place = (-np.where(is_in, found.lead, -np.inf)).argsort(axis=1, kind="stable").argsort(axis=1)
    in_race = is_in & (place < most) & ~(found.chance < LEAST_CHANCE)
    n_in_race = in_race.sum(axis=1)
    goes_on = is_in & (place < np.maximum(n_in_race, LAST_ARMS)[:, None])
    return goes_on, n_in_race == 1


def find_step_by_step(
    rng: np.random.Generator, truth: Floats, doubt: float, indifference: float, most_passes: int = 400
) -> Found:
    """Name an arm by one pass over the rows at a time, until the chance of a better one is ``doubt``."""
    error = PICTURE_SPREAD / truth.shape[2] ** 0.5
    left, means = np.arange(len(truth)), truth.mean(axis=2)
    n_arms = means.shape[1]
    counts, sums = np.ones(means.shape), means + rng.normal(0, error, means.shape)
    found = Found(np.zeros(len(truth), dtype=np.intp), np.zeros(len(truth)), np.zeros(len(truth)))
    for passes in range(n_arms, most_passes + 1):
        seen, at = sums / counts, np.arange(len(left))
        first = seen.argmax(axis=1)
        spread = error * np.sqrt(1 / counts[at, first][:, None] + 1 / counts)
        surety = (seen[at, first][:, None] - seen + indifference) / spread
        surety[at, first] = np.inf
        second = surety.argmin(axis=1)
        stops = ((1 - ndtr(surety)).sum(axis=1) <= doubt) | (passes == most_passes)
        fresh = means + rng.normal(0, error, means.shape)
        ends = (sums + fresh) / (counts + 1)
        named = np.where(ends[at, first] >= ends[at, second], first, second)
        found.named[left[stops]] = named[stops]
        found.drafts[left[stops]] = truth.shape[2] * (passes + LAST_ARMS)
        found.rounds[left[stops]] = passes - n_arms + 2
        others = (counts**2).sum(axis=1) - counts[at, first] ** 2
        arm = np.where(counts[at, first] ** 2 < others, first, second)
        counts[at, arm] += 1
        sums[at, arm] += means[at, arm] + rng.normal(0, error, len(at))
        left, means, counts, sums = (one[~stops] for one in (left, means, counts, sums))
        if not len(left):
            break
    return found


def drafts_for(success: float, measured: Measured) -> float:
    """Read off how many drafts a success takes, between two measured numbers on a scale of logarithms.

    A number that finds no more than a smaller one is left out. Where the smallest finds more already, it is
    that one; where none finds enough, it is without end.
    """
    points = sorted(measured)
    better = [point for place, point in enumerate(points) if all(point[1] > one[1] for one in points[:place])]
    if better[0][1] >= success:
        return better[0][0]
    for (few, low), (many, high) in pairwise(better):
        if low < success <= high:
            return float(few * (many / few) ** ((success - low) / (high - low)))
    return math.inf


def measure_verdicts(
    rng: np.random.Generator, campaigns: int, spread: float, per_prompt: int = 4
) -> tuple[float, float, float, float]:
    """Run whole campaigns in rounds, whose arms differ by ``spread``.

    Returns:
        The shares with a winner, and with the arms' true difference inside the interval; and how far the lead
        over the campaign's rows of the arm that led the choice is off, by the pictures held out and by all.
    """
    wins, holds, fresh, flattered = 0, 0, [], []
    for _ in range(campaigns):
        of_arm = rng.normal(0, spread, len(ARMS))
        truth = of_arm[:, None] + rng.normal(0, UNLIKE, (len(ARMS), ROWS))
        scored, held_out, leader = make_rounds(rng, truth + 0.5, per_prompt)
        both = [draft for draft in scored if draft.arm in held_out.arms]
        (pair,), (all_of_it,) = compare_arms(scored, held_out=held_out).pairs, compare_arms(both).pairs
        assert pair.difference is not None
        assert all_of_it.difference is not None
        assert pair.low is not None
        assert pair.high is not None
        a, b = (ARMS.index(arm) for arm in pair.arms)
        wins += pair.verdict != NOT_ENOUGH
        holds += bool(pair.low <= of_arm[a] - of_arm[b] <= pair.high)
        side, in_rows = (1 if leader == ARMS[a] else -1), float(truth[a].mean() - truth[b].mean())
        fresh.append(side * (pair.difference - in_rows))
        flattered.append(side * (all_of_it.difference - in_rows))
    return wins / campaigns, holds / campaigns, float(np.mean(fresh)), float(np.mean(flattered))


def make_rounds(
    rng: np.random.Generator, truth: Floats, per_prompt: int
) -> tuple[list[ScoredDraft], HeldOut, str]:
    """Make every picture of a campaign in rounds; tell which were held out, and which arm led the choice."""
    rounds = plan_rounds(len(ARMS), per_prompt, "halving")
    decided: list[RoundDecision] = []
    scored = list(draw_pass(rng, truth, passes_of(rounds, ARMS, decided)[-1]))
    while not is_complete(rounds, decided):
        arms = passes_of(rounds, ARMS, decided)[-1].arms
        decision = allocate(scored, arms, rounds, number=len(decided) + 1)
        assert decision is not None
        decided.append(decision)
        scored += draw_pass(rng, truth, passes_of(rounds, ARMS, decided)[-1])
    last = decided[-1]
    return scored, HeldOut(frozenset(last.arms_going_on), last.next_first_replicate), last.arms_going_on[0]


def draw_pass(rng: np.random.Generator, truth: Floats, one: Pass) -> Iterator[ScoredDraft]:
    """Draw the pictures of one round."""
    for arm in one.arms:
        yield from draw_pictures(rng, arm, truth[ARMS.index(arm)], one.first_replicate, one.replicates)


def draw_pictures(
    rng: np.random.Generator, arm: str, truth: Floats, first: int, replicates: int
) -> Iterator[ScoredDraft]:
    """Draw one arm's pictures of one round."""
    scores = truth[:, None] + rng.normal(0, PICTURE_SPREAD, (truth.size, replicates))
    for (row, index), score in np.ndenumerate(scores):
        name = f"{arm}-{row}-{first + index}"
        yield ScoredDraft(
            name, arm, row, first + index, "received", Decimal("0.01"), name, "survivor", float(score)
        )


if __name__ == "__main__":
    main()
