"""A race of arms over nights: how often ``retire_when: beaten`` retires an arm falsely, and what it saves.

Four arms make three pictures of each of twelve rows every night, for thirty nights. Pictures vary by 0.1,
and the arms' effect differs from row to row by ``unlike``, the same on all nights. Every morning an arm that
another one beats by the anytime interval retires. Given are, for arms that are equal and for a last arm that
is worse: in how many campaigns an arm retires that is no worse than the others (at most 5 %), in how many the
worse one retires, after how many nights in half of these, and which share of the pictures is not bought.

Run: python -m benchmarks.ab_race [campaigns, default 100]
"""

import sys
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from tasks.ab_test.night_verdicts import Night, Retirement, compare_nights

ARMS = "ABCD"
WORST = ARMS[-1]
NIGHTS = 30
ROWS = 12
REPLICATES = 3
PICTURE_SPREAD = 0.1
LOSSES = (0.0, 0.05, 0.1, 0.2)


class Course(NamedTuple):
    """One campaign: the night after which each arm retired, by arm."""

    retired: dict[str, int]

    @property
    def share_saved(self) -> float:
        """The share of the pictures of thirty nights that is not bought."""
        return sum(NIGHTS - night for night in self.retired.values()) / (NIGHTS * len(ARMS))


def run_race(rng: np.random.Generator, loss: float, unlike: float) -> Course:
    """Run one race, in which the last arm is worse by ``loss``."""
    means = {arm: 0.5 + rng.normal(0, unlike, ROWS) - loss * (arm == WORST) for arm in ARMS}
    nights: list[Night] = []
    retired: dict[str, int] = {}
    for number in range(NIGHTS):
        scores = {
            arm: {
                str(row): rng.normal(mean, PICTURE_SPREAD, REPLICATES).tolist()
                for row, mean in enumerate(of_arm)
            }
            for arm, of_arm in means.items()
            if arm not in retired
        }
        nights.append(Night(str(number), date(2026, 1, 1) + timedelta(days=number), "emulator", scores))
        found = compare_nights(nights, 0, Retirement(dict.fromkeys(retired, ""), frozenset(ARMS)))
        retired |= dict.fromkeys(found.retiring if found else (), number + 1)
    return Course(retired)


def main() -> None:
    """Print the table."""
    campaigns = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    print("unlike  worse by | another arm retires | the worse one, after nights | not bought")
    for unlike in (0.0, 0.05):
        for loss in LOSSES:
            rng = np.random.default_rng([round(100 * unlike), round(100 * loss)])
            courses = [run_race(rng, loss, unlike) for _ in range(campaigns)]
            print(f"{unlike:6} {loss:9} | {_describe(courses, is_equal=not loss)}", flush=True)


def _describe(courses: list[Course], *, is_equal: bool) -> str:
    worse: set[str] = set() if is_equal else {WORST}
    wrong = np.mean([bool(course.retired.keys() - worse) for course in courses])
    after = [course.retired[WORST] for course in courses if WORST in course.retired]
    found = f"{'–':>13}" if is_equal else f"{len(after) / len(courses):6.1%} {np.median(after or [0]):6.0f}"
    saved = np.mean([one.share_saved for one in courses])
    return f"{wrong:20.1%} | {found:26} | {saved:8.1%}"


if __name__ == "__main__":
    main()
