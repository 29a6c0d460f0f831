"""How many drafts it takes to find the best of eight arms, and what is worth the verdict at the rounds' end.

Campaigns are drawn whose truth is known: eight arms, six rows, arms that behave unlike from row to row
(standard deviation 0.03 of score), pictures that vary by 0.1 around their arm and row. The best arm is the
one with the highest true mean over the campaign's rows; one less than 0.01 below it counts as found too, as
Runoff asks for no more pictures for so little. ``fixed`` names the arm with the highest mean, halving the one
that comes first by all pictures when its rounds are over. Rounds and their sizes are Runoff's own; which arms
go on is drawn for all campaigns at once, as ``tasks.allocate`` decides when no picture is missing.

The verdict's part goes through Runoff's own code picture by picture: with eight equal arms, how often a false
win is said; how often the interval holds the arms' true difference; and how far the lead of the arm that led
the choice is off on average, by the pictures held out and by all of them.

Run: python -m benchmarks.halving [campaigns, default 1000; ten and five times as many]
"""

import sys
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tasks.ab_test import LEAST_DIFFERENCE, NOT_ENOUGH, HeldOut, ScoredDraft, compare_arms
from tasks.allocate import allocate
from tasks.rounds import RoundDecision, passes_of, plan_rounds

ARMS, ROWS = "ABCDEFGH", 6
PICTURE_SPREAD, UNLIKE = 0.1, 0.03
SETTINGS = ("drawn, sd 0.05", "drawn, sd 0.10", "0.02 apart", "one better by 0.04")
PER_PROMPT = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96)
SUCCESSES = (0.8, 0.9, 0.95, 0.975)

Floats = NDArray[np.float64]


def main() -> None:
    """Print both tables."""
    campaigns = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print("arms                 found | drafts: fixed  halving  ratio")
    for setting in SETTINGS:
        fixed, halving = success_by_drafts(setting, 10 * campaigns)
        for success in SUCCESSES:
            needed = drafts_for(success, fixed), drafts_for(success, halving)
            ratio = "" if None in needed else f"{needed[1] / needed[0]:6.2f}"  # type: ignore[operator]
            n_fixed, n_halving = ("–" if one is None else f"{one:,.0f}" for one in needed)
            print(f"{setting:20} {success:5.1%} | {n_fixed:>13} {n_halving:>8} {ratio}")
    print("8 arms, 6 rows, 4 a prompt   | false wins  interval holds | bias held out, all pictures")
    for setting, spread in (("equal arms", 0.0), ("drawn, sd 0.05", 0.05)):
        wins, holds, fresh, flattered = measure_verdicts(np.random.default_rng(7), 5 * campaigns, spread)
        told = f"{wins:10.1%}" if not spread else "         –"
        print(f"{setting:28} | {told} {holds:15.1%} | {fresh:+13.4f} {flattered:+13.4f}")


def success_by_drafts(setting: str, campaigns: int) -> tuple[dict[int, float], dict[int, float]]:
    """Return how often the best arm is found, by number of drafts: all alike, and in rounds."""
    fixed: dict[int, float] = {}
    halving: dict[int, float] = {}
    truth = draw_truth(np.random.default_rng(SETTINGS.index(setting)), setting, campaigns)
    for per_prompt in PER_PROMPT:
        rng = np.random.default_rng([SETTINGS.index(setting), per_prompt])
        drafts = len(ARMS) * ROWS * per_prompt
        fixed[drafts] = share_found(truth, find_fixed(rng, truth, per_prompt))
        halving[drafts] = share_found(truth, find_by_halving(rng, truth, per_prompt))
    return fixed, halving


def share_found(truth: Floats, named: NDArray[np.intp]) -> float:
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


def find_fixed(rng: np.random.Generator, truth: Floats, per_prompt: int) -> NDArray[np.intp]:
    """Name the arm with the highest mean when all have as many pictures."""
    noise = rng.normal(0, PICTURE_SPREAD / per_prompt**0.5, truth.shape)
    found: NDArray[np.intp] = (truth + noise).mean(axis=2).argmax(axis=1)
    return found


def find_by_halving(rng: np.random.Generator, truth: Floats, per_prompt: int) -> NDArray[np.intp]:
    """Name the arm that comes first by all pictures once the rounds are over."""
    rounds = plan_rounds(truth.shape[1], per_prompt, "halving")
    sums, counts = np.zeros(truth.shape[:2]), np.zeros(truth.shape[:2])
    is_in = np.ones(truth.shape[:2], dtype=bool)
    for each, n_going_on in zip(rounds, [*(later.n_arms for later in rounds[1:]), 1], strict=True):
        noise = rng.normal(0, PICTURE_SPREAD / each.replicates**0.5, truth.shape)
        sums += (truth + noise).mean(axis=2) * each.replicates * is_in
        counts += each.replicates * is_in
        means = np.where(is_in, sums / counts, -np.inf)
        is_in = means >= np.partition(means, -n_going_on, axis=1)[:, -n_going_on][:, None]
    found: NDArray[np.intp] = is_in.argmax(axis=1)
    return found


def drafts_for(success: float, measured: dict[int, float]) -> float | None:
    """Read off how many drafts a success takes, between two measured numbers on a scale of logarithms."""
    points = sorted(measured.items())
    for (few, low), (many, high) in pairwise(points):
        if low < success <= high:
            return float(few * (many / few) ** ((success - low) / (high - low)))
    return None


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
    scored: list[ScoredDraft] = []
    decided: list[RoundDecision] = []
    for each, later in zip(rounds, [*rounds[1:], None], strict=True):
        one = passes_of(rounds, ARMS, decided)[-1]
        for arm in one.arms:
            scored += draw_pictures(rng, arm, truth[ARMS.index(arm)], one.first_replicate, one.replicates)
        if later is not None:
            decision = allocate(scored, one.arms, number=each.number, n_going_on=later.n_arms)
            assert decision is not None
            decided.append(decision)
    going_on = decided[-1].arms_going_on
    return scored, HeldOut(frozenset(going_on), rounds[-1].first_replicate), going_on[0]


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
