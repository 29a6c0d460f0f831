"""How often the intervals of people's preference hold, and how often equally liked arms produce a winner.

Every person votes once or more on every row; three votes in ten are ties. The log-odds of preferring the
first arm differ from row to row with a standard deviation of 0.7, and from person to person as given. The
truth is the share of the first arm over all rows and people there could be. Beside it stands Wilson's
interval as if all votes were independent.

Run: python -m benchmarks.ab_votes [campaigns, default 1000]
"""

import sys

import numpy as np
from scipy import special
from statsmodels.stats.proportion import proportion_confint

from tasks.ab_test.preferences import Answer, ArmVote, Preference, prefer_arms

ROW_SPREAD = 0.7
TIES = 0.3
SHAPES = (
    (8, 1, 1),
    (12, 1, 3),
    (40, 1, 1),
    (40, 1, 3),
    (12, 2, 1),
    (12, 3, 1),
    (12, 10, 1),
    (40, 3, 1),
    (40, 10, 1),
)
"""Rows, people, votes of each person in each row."""
PERSON_SPREADS = (0.0, 0.3, 0.5)
LEANINGS = (0.0, 1.0)
"""Log-odds of preferring the first arm, in an average row by an average person."""


def main() -> None:
    """Print a table for equally liked arms, and one for arms of which one is preferred."""
    campaigns = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print("rows people votes | people differ by 0.0             0.3             0.5")
    for leaning in LEANINGS:
        print(f"log-odds {leaning}: holds, median width, a winner; (holds if votes were independent)")
        for rows, people, each in SHAPES:
            spreads = PERSON_SPREADS if people > 1 else PERSON_SPREADS[:1]
            figures = [_figures(campaigns, (rows, people, each), leaning, spread) for spread in spreads]
            print(f"{rows:4} {people:6} {each:5} | " + "   ".join(figures))


def _figures(campaigns: int, shape: tuple[int, int, int], leaning: float, spread: float) -> str:
    rng = np.random.default_rng([*shape, round(10 * spread), round(10 * leaning)])
    effects = rng.normal(0, np.hypot(ROW_SPREAD, spread), 1_000_000)
    truth = float(special.expit(leaning + effects).mean())
    found = [_draw(rng, shape, leaning, spread) for _ in range(campaigns)]
    known = [(one.low, one.high) for one in found if one.low is not None and one.high is not None]
    holds = np.mean([low <= truth <= high for low, high in known])
    naive = [
        proportion_confint(one.wins[0], sum(one.wins), method="wilson") for one in found if sum(one.wins)
    ]
    naive_holds = np.mean([low <= truth <= high for low, high in naive])
    wins = sum(one.winner is not None for one in found) / campaigns
    return (
        f"{holds:5.1%} {np.median([high - low for low, high in known]):.2f} {wins:5.1%} ({naive_holds:5.1%})"
    )


def _draw(rng: np.random.Generator, shape: tuple[int, int, int], leaning: float, spread: float) -> Preference:
    rows, people, each = shape
    of_row, of_person = rng.normal(0, ROW_SPREAD, rows), rng.normal(0, spread, people)
    odds = special.expit(leaning + of_row[:, None, None] + of_person[None, :, None])
    is_first, is_tie = rng.random((rows, people, each)) < odds, rng.random((rows, people, each)) < TIES
    votes = []
    for (row, person, number), first in np.ndenumerate(is_first):
        answer: Answer = "tie" if is_tie[row, person, number] else "first" if first else "second"
        votes.append(ArmVote(row, str(person), ("A", "B"), answer))
    (found,) = prefer_arms(votes)
    return found


if __name__ == "__main__":
    main()
