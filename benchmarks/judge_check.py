"""Whether the interval of a judge's agreement with people holds, and how often its finding is the right one.

A judge says yes to some pictures and no to others, as many of each as the drawing gives. People call the
first ones true with one probability, the others with another; both together are the true kappa. Each figure
is of many checks: how often the 95 % interval contains the true kappa, and what was found.

Run: python -m benchmarks.judge_check [checks, default 2000]
"""

import sys

import numpy as np

from benchmarks.figures import write_figures
from tasks.judging.judge_check import check_judge
from tasks.judging.people_answers import PersonAnswer, Said
from tasks.judging.statement_answers import StatementAnswer
from tests.support.builders import NOON

JUDGES = (
    ("as people", 1.0, 1.0),
    ("wrong in 5 %", 0.95, 0.95),
    ("wrong in 10 %", 0.9, 0.9),
    ("overlooks half of the faults", 1.0, 0.5),
    ("takes half of the right ones for faulty", 0.5, 1.0),
    ("guesses", 0.5, 0.5),
)
PICTURES = ((10, 10), (14, 6), (20, 20), (50, 50))


def main() -> None:
    """Print the table and write it into the README."""
    checks = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    lines = [
        f"`python -m benchmarks.judge_check`, {checks} checks for each line.",
        "",
        "| judge | its yes + its no | true agreement | in the interval | sees it | cannot see it |",
        "|---|---|---|---|---|---|",
    ]
    chance = np.random.default_rng(16)
    for name, true_of_yes, false_of_no in JUDGES:
        for n_yes, n_no in PICTURES:
            lines.append(_line(chance, name, (true_of_yes, false_of_no), (n_yes, n_no), checks))
    text = "\n".join(lines)
    print(text)
    write_figures("benchmarks.judge_check", text)


def _line(
    chance: np.random.Generator, name: str, right: tuple[float, float], n: tuple[int, int], checks: int
) -> str:
    expected = _kappa(right, n)
    held = sees = blind = 0
    for _ in range(checks):
        n_true = (int(chance.binomial(n[0], right[0])), int(chance.binomial(n[1], 1 - right[1])))
        found = check_judge(*_answers(n, n_true)).statements[0]
        assert found.kappa_low is not None
        assert found.kappa_high is not None
        held += found.kappa_low <= expected <= found.kappa_high
        sees, blind = sees + (found.finding == "sees it"), blind + (found.finding == "cannot see it")
    shares = " | ".join(f"{one / checks:.0%}" for one in (held, sees, blind))
    return f"| {name} | {n[0]} + {n[1]} | {expected:.2f} | {shares} |"


def _kappa(right: tuple[float, float], n: tuple[int, int]) -> float:
    yes = n[0] / sum(n)
    agreed = yes * right[0] + (1 - yes) * right[1]
    people = yes * right[0] + (1 - yes) * (1 - right[1])
    by_chance = yes * people + (1 - yes) * (1 - people)
    return (agreed - by_chance) / (1 - by_chance)


def _answers(n: tuple[int, int], n_true: tuple[int, int]) -> tuple[list[StatementAnswer], list[PersonAnswer]]:
    judged, people = [], []
    for place in range(2):
        for k in range(n[place]):
            name = f"c-{place}-{k}"
            judged.append(StatementAnswer(name, "A", 0, 1, "it", "it", False, place == 0, ""))
            said: Said = "yes" if k < n_true[place] else "no"
            people.append(PersonAnswer("run", name, "it", said, "mara", NOON))
    return judged, people


if __name__ == "__main__":
    main()
