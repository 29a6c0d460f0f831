"""Whether the judge's statements find planted errors, and the arm that has more of them.

Pictures are painted by the emulator and judged in this process. Ladders: for each kind of error 200 rows,
each painted without an error, with it, and with one more of another kind; the ladder is ranked right when
every step lowers the judge's score. Named: the only statement that fails, while the one that it depends on is
true, is the planted one. Arms: 24 rows of 4 pictures, errors planted in 10 % of one arm's pictures and in
30 % of the other's, more in some rows than in others; the intervals are held against the share of yes that
the judge would give about all pictures there could be.

Run: python -m benchmarks.planted_errors [pictures of a kind, default 200] [campaigns, default 300]
"""

import sys
from collections.abc import Sequence

import numpy as np
from scipy import special

from benchmarks.figures import write_figures
from benchmarks.planted_pictures import (
    KINDS,
    STATEMENTS,
    Brief,
    ask,
    draw_brief,
    paint_with,
    roots_of_failure,
)
from tasks.ab_test.paired_rows import row_difference
from tasks.ab_test.statements import sum_up_statements
from tasks.emulator.painting.contents import ErrorKind
from tasks.judging.statement_answers import StatementAnswer

ERROR_RATES = (0.0, 0.05, 0.20)
ROWS, REPLICATES = 24, 4
ARM_RATES = {"A": 0.1, "B": 0.3}
ROW_SPREAD = 0.7
"""Standard deviation of a row's log-odds of an error, the same for both arms."""


def main() -> None:
    """Print the tables and write them into the README."""
    pictures = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    campaigns = int(sys.argv[2]) if len(sys.argv) > 2 else 300
    lines = [
        f"`python -m benchmarks.planted_errors`: ladders of {pictures} rows for each kind of error, ranked"
        " right and the planted statement named:",
        "",
        "| judge's errors | " + " | ".join(kind.replace("_", " ") for kind in KINDS) + " | all |",
        "|---|" + "---|" * (len(KINDS) + 1),
        *(_ladders(pictures, rate) for rate in ERROR_RATES),
        "",
        f"{campaigns} campaigns of {ROWS} rows x {REPLICATES} pictures x 2 arms, a word misspelt in 10 % of"
        " A's pictures and 30 % of B's:",
        "",
        "| judge's errors | B is named | A is named | another statement is named"
        " | interval of the difference holds | interval of an arm's share holds |",
        "|---|---|---|---|---|---|",
        *(_arms(campaigns, rate) for rate in ERROR_RATES),
    ]
    text = "\n".join(lines)
    print(text)
    write_figures("benchmarks.planted_errors", text)


def _ladders(pictures: int, error_rate: float) -> str:
    rng = np.random.default_rng(16)
    figures = [_ladder(pictures, kind, error_rate, rng) for kind in KINDS]
    cells = [f"{ranked:.1%} / {named:.1%}" for ranked, named in [*figures, np.mean(figures, axis=0)]]
    return f"| {error_rate:.0%} | " + " | ".join(cells) + " |"


def _ladder(
    pictures: int, kind: ErrorKind, error_rate: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the shares of ladders ranked right and of planted statements named."""
    ranked, named = [], []
    for number in range(pictures):
        brief, seed = draw_brief(rng), 1000 * number + 7
        more: ErrorKind = "misspelt" if kind == "missing" else _another(kind, rng)
        rungs = [paint_with(brief, errors, seed) for errors in ((), (kind,), (kind, more))]
        answers = [ask(picture, brief.statements, seed, error_rate) for picture in rungs]
        values = [answer.value or 0.0 for answer in answers]
        ranked.append(values[0] > values[1] > values[2])
        named.append(roots_of_failure(answers[1].verdicts) == [kind])
    return float(np.mean(ranked)), float(np.mean(named))


def _another(kind: ErrorKind, rng: np.random.Generator) -> ErrorKind:
    """Draw a further kind of error; a missing thing would hide the first."""
    return str(rng.choice([one for one in KINDS if one not in (kind, "missing")]))  # type: ignore[return-value]


def _arms(campaigns: int, error_rate: float) -> str:
    rng = np.random.default_rng([16, round(100 * error_rate)])
    judged = {arm: _judged_share(rate, error_rate) for arm, rate in ARM_RATES.items()}
    found, wrong, others, difference_holds, share_holds = [], [], [], [], []
    for number in range(campaigns):
        answers = _campaign(rng, number, error_rate)
        results = sum_up_statements(answers)
        planted = next(one for one in results if one.template == STATEMENTS["misspelt"][0])
        found.append(("B", "A") in planted.differing)
        wrong.append(("A", "B") in planted.differing)
        others.append(any(one.differing for one in results if one is not planted))
        difference = row_difference(*(_by_row(answers, arm) for arm in "AB"))
        assert difference.low is not None
        assert difference.high is not None
        difference_holds.append(difference.low <= judged["A"] - judged["B"] <= difference.high)
        share_holds += [
            share.low <= judged[arm] <= share.high
            for arm, share in planted.arms.items()
            if share.low is not None and share.high is not None
        ]
    shares = map(np.mean, (found, wrong, others, difference_holds, share_holds))
    return f"| {error_rate:.0%} | " + " | ".join(f"{share:.1%}" for share in shares) + " |"


def _judged_share(rate: float, error_rate: float) -> float:
    """Return how often the judge says yes: to right pictures unless it errs, to wrong ones if it does."""
    wrong = float(_row_rates(rate, np.random.default_rng(1), 1_000_000).mean())
    return (1 - wrong) * (1 - error_rate) + wrong * error_rate


def _row_rates(
    rate: float, rng: np.random.Generator, rows: int
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.asarray(special.expit(special.logit(rate) + rng.normal(0, ROW_SPREAD, rows)))


def _campaign(rng: np.random.Generator, number: int, error_rate: float) -> list[StatementAnswer]:
    briefs = [draw_brief(rng) for _ in range(ROWS)]
    of_row = rng.normal(0, ROW_SPREAD, ROWS)
    return [
        answer
        for arm, rate in ARM_RATES.items()
        for row, brief in enumerate(briefs)
        for replicate in range(REPLICATES)
        for answer in _answers(
            brief,
            (f"{number}-{arm}-{row}-{replicate}", arm, row),
            bool(rng.random() < special.expit(special.logit(rate) + of_row[row])),
            error_rate,
        )
    ]


def _answers(
    brief: Brief, at: tuple[str, str, int], is_misspelt: bool, error_rate: float
) -> list[StatementAnswer]:
    name, arm, row = at
    seed = sum(ord(letter) * 131**place for place, letter in enumerate(name)) % 2**40
    picture = paint_with(brief, ("misspelt",) if is_misspelt else (), seed)
    answer = ask(picture, brief.statements, seed, error_rate)
    templates = [template for template, _ in STATEMENTS.values()]
    parts = zip(brief.statements, templates, answer.verdicts, answer.reasons, strict=True)
    return [
        StatementAnswer(name, arm, row, number, text, template, False, is_true, reason)
        for number, (text, template, is_true, reason) in enumerate(parts, 1)
    ]


def _by_row(answers: Sequence[StatementAnswer], arm: str) -> dict[int, list[float]]:
    found: dict[int, list[float]] = {}
    for one in answers:
        if one.arm == arm and one.template == STATEMENTS["misspelt"][0]:
            found.setdefault(one.row, []).append(float(bool(one.is_true)))
    return found


if __name__ == "__main__":
    main()
