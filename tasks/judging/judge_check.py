"""Whether the judge is right: its answers against people's, statement by statement.

The unit is a picture and a statement that both answered. Pictures are drawn so that the judge's yes and no
are both present, so agreement beyond chance (kappa) says whether the judge sees what is asked: 1 is as people
do, 0 is no better than guessing. The usual standard error of kappa is 0 where all agree, however few they
are; so the interval follows from how often people said yes where the judge did, and where it did not, each
with Jeffreys' prior, and reaches to 1 where nothing speaks against it.

Source: J. Cohen (1960), "A coefficient of agreement for nominal scales"; L. Brown, T. Cai, A. DasGupta
(2001), "Interval estimation for a binomial proportion", on Jeffreys' prior.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from tasks.judging.people_answers import Asked, PersonAnswer, last_answers, majority, said_by_picture
from tasks.judging.statement_answers import StatementAnswer

Finding = Literal["sees it", "cannot see it", "people cannot tell", "undecided"]
Proposal = Literal["", "drop", "reword", "other model"]

SIGHT = 0.5
"""A judge sees a statement if its kappa lies above: more than half of the way from guessing to people."""
ALWAYS_WRONG = 0.9
"""A judge that always says the same cannot see a statement if its share of right answers lies below."""
UNSURE = 1 / 3
"""From this share of people's answers on, they cannot tell either."""
LEAST_ANSWERS = 6
"""With fewer pictures answered nothing is found of a statement."""
_DRAWS, _SEED = 8000, 1


class Table(NamedTuple):
    """How many pictures the judge and people called true of a statement, or not."""

    both_yes: int
    only_judge: int
    only_people: int
    both_no: int

    @property
    def n(self) -> int:
        """How many pictures both answered."""
        return sum(self)

    @property
    def accuracy(self) -> float | None:
        """The share of which the judge said what people say; ``None`` without any."""
        return (self.both_yes + self.both_no) / self.n if self.n else None

    @property
    def says_both(self) -> bool:
        """Whether the judge said yes of some and no of others."""
        n_yes = self.both_yes + self.only_judge
        return 0 < n_yes < self.n


@dataclass(frozen=True, slots=True)
class CheckedStatement:
    """A statement by which the judge was compared with people.

    Args:
        template: The statement as it is written in the campaign.
        pictures: Pictures that both answered.
        both_yes: Those that both called true.
        only_judge: Those that the judge alone called true.
        only_people: Those that people alone called true.
        both_no: Those that neither did.
        cannot_tell: How many answers of people were that they cannot tell.
        split: Pictures of which as many people said yes as no; they are not compared.
        accuracy: The share of pictures of which the judge said what people say; ``None`` without any.
        low: The lower end of its 95 % interval.
        high: The upper end.
        kappa: Agreement beyond chance, at most 1; ``None`` without both answers of the judge.
        kappa_low: The lower end of its 95 % interval.
        kappa_high: The upper end.
        noise: How often two answers of the judge to the same picture differ, 0 to 1; ``None`` if it was
            asked about no picture twice.
        asked_again: About how many pictures it was asked more than once.
        finding: What follows.
        proposal: What to do about it; empty where nothing.
        reason: Both in a sentence.
    """

    template: str
    pictures: int
    both_yes: int
    only_judge: int
    only_people: int
    both_no: int
    cannot_tell: int
    split: int
    accuracy: float | None
    low: float | None
    high: float | None
    kappa: float | None
    kappa_low: float | None
    kappa_high: float | None
    noise: float | None
    asked_again: int
    finding: Finding
    proposal: Proposal
    reason: str


@dataclass(frozen=True, slots=True)
class JudgeCheck:
    """The judge against people.

    Args:
        statements: Those that the judge answered, the one that it sees worst first.
        people: How many people answered.
        answers: How many answers they gave.
        people_agree: How often two people said the same where both could tell, 0 to 1; ``None`` if no two
            answered the same.
    """

    statements: tuple[CheckedStatement, ...]
    people: int
    answers: int
    people_agree: float | None

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found of the statements that should not stay as they are, a sentence each."""
        return tuple(f"“{one.template}”: {one.reason}" for one in self.statements if one.proposal)

    def as_dict(self) -> dict[str, Any]:
        """Turn the result into JSON values."""
        return asdict(self)


def check_judge(
    judged: Sequence[StatementAnswer],
    people: Sequence[PersonAnswer],
    again: Mapping[Asked, Sequence[bool]] | None = None,
) -> JudgeCheck:
    """Compare the judge's answers with people's.

    A statement that depends on another is compared only where the judge called that one true: elsewhere its
    answer was not the judge's own.

    Args:
        judged: The judge's answers.
        people: People's, oldest first.
        again: All answers of the judge to each picture and statement, where there are several.
    """
    given = last_answers(people)
    said = said_by_picture(people)
    by_template: dict[str, list[StatementAnswer]] = defaultdict(list)
    for one in judged:
        if one.is_true is not None and one.is_own:
            by_template[one.template].append(one)
    found = [_check(template, own, said, again or {}) for template, own in by_template.items()]
    return JudgeCheck(
        tuple(sorted(found, key=_worst_first)),
        people=len({one.answered_by for one in given}),
        answers=len(given),
        people_agree=_people_agree(said),
    )


def _worst_first(one: CheckedStatement) -> tuple[bool, bool, float, float]:
    return (
        not one.proposal,
        one.accuracy is None,
        1.0 if one.kappa is None else one.kappa,
        one.accuracy or 0.0,
    )


def _check(
    template: str,
    own: Sequence[StatementAnswer],
    said: Mapping[Asked, Counter[Any]],
    again: Mapping[Asked, Sequence[bool]],
) -> CheckedStatement:
    counts: Counter[tuple[bool, bool]] = Counter()
    n_unsure = n_split = n_said = 0
    for one in own:
        told = said.get(one.about)
        if told is None:
            continue
        n_unsure, n_said = n_unsure + told["cannot_tell"], n_said + told.total()
        by_people = majority(told)
        if by_people is not None:
            counts[one.is_true is True, by_people] += 1
        elif told["yes"]:
            n_split += 1
    table = Table(counts[True, True], counts[True, False], counts[False, True], counts[False, False])
    low, high = _accuracy_interval(table)
    kappa, (kappa_low, kappa_high) = _kappa(table), _kappa_interval(table)
    noise, n_again = _noise([again[one.about] for one in own if one.about in again])
    finding = _find(table, kappa_low, kappa_high, high, n_unsure / n_said if n_said else 0.0)
    proposal = _propose(finding, table)
    return CheckedStatement(
        template,
        table.n,
        *table,
        cannot_tell=n_unsure,
        split=n_split,
        accuracy=table.accuracy,
        low=low,
        high=high,
        kappa=kappa,
        kappa_low=kappa_low,
        kappa_high=kappa_high,
        noise=noise,
        asked_again=n_again,
        finding=finding,
        proposal=proposal,
        reason=_describe(finding, proposal, table, n_unsure, n_said),
    )


def _find(
    table: Table, kappa_low: float | None, kappa_high: float | None, high: float | None, unsure: float
) -> Finding:
    if unsure >= UNSURE:
        return "people cannot tell"
    if table.n < LEAST_ANSWERS:
        return "undecided"
    if kappa_low is None or kappa_high is None:
        return "cannot see it" if high is not None and high < ALWAYS_WRONG else "undecided"
    return "sees it" if kappa_low > SIGHT else "cannot see it" if kappa_high < SIGHT else "undecided"


def _propose(finding: Finding, table: Table) -> Proposal:
    """Reword what is read more strictly than people do, ask another model where faults are overlooked."""
    if finding == "people cannot tell":
        return "reword"
    if finding != "cannot see it":
        return ""
    if table.only_judge >= 2 * table.only_people:
        return "other model"
    return "reword" if table.only_people >= 2 * table.only_judge else "drop"


_ADVICE: Mapping[Proposal, str] = {
    "": "",
    "drop": "Drop it, or measure it without a model.",
    "reword": "Reword it.",
    "other model": "Ask another model (score.judge.model); if that does not see it either, drop it.",
}


def _describe(finding: Finding, proposal: Proposal, table: Table, n_unsure: int, n_said: int) -> str:
    if finding == "people cannot tell":
        return f"People could not tell in {n_unsure} of {n_said} answers. {_ADVICE[proposal]}"
    if not table.n:
        return "People have not answered it yet."
    if finding == "cannot see it":
        what = {
            "other model": f"It overlooked {table.only_judge} that fail",
            "reword": f"It failed {table.only_people} that are right",
        }.get(proposal, f"It overlooked {table.only_judge} that fail and failed {table.only_people} others")
        return f"{what}, and cannot see this. {_ADVICE[proposal]}"
    if finding == "sees it":
        return "It sees this."
    if not table.says_both:
        return "It said the same of all of them, so it is not known whether it sees this."
    return "Too few to say whether it sees this."


def _accuracy_interval(table: Table) -> tuple[float | None, float | None]:
    """Return the 95 % interval of the share of right answers, by Wilson's method."""
    if not table.n:
        return None, None
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(table.both_yes + table.both_no, table.n, method="wilson")
    return float(low), float(high)


def _kappa(table: Table) -> float | None:
    """Return Cohen's kappa; ``None`` where the judge always said the same, which no kappa can tell of."""
    if not table.says_both:
        return None
    n_judge, n_people = table.both_yes + table.only_judge, table.both_yes + table.only_people
    by_chance = (n_judge * n_people + (table.n - n_judge) * (table.n - n_people)) / table.n**2
    return ((table.both_yes + table.both_no) / table.n - by_chance) / (1 - by_chance)


def _kappa_interval(table: Table) -> tuple[float | None, float | None]:
    if not table.says_both:
        return None, None
    chance = np.random.default_rng(_SEED)
    yes_where_yes = chance.beta(table.both_yes + 0.5, table.only_judge + 0.5, _DRAWS)
    yes_where_no = chance.beta(table.only_people + 0.5, table.both_no + 0.5, _DRAWS)
    share_yes = (table.both_yes + table.only_judge) / table.n
    right = share_yes * yes_where_yes + (1 - share_yes) * (1 - yes_where_no)
    people_yes = share_yes * yes_where_yes + (1 - share_yes) * yes_where_no
    by_chance = share_yes * people_yes + (1 - share_yes) * (1 - people_yes)
    low, high = np.quantile((right - by_chance) / (1 - by_chance), (0.025, 0.975))
    return float(low), 1.0 if table.accuracy == 1 else float(high)


def _noise(answers: Sequence[Sequence[bool]]) -> tuple[float | None, int]:
    """Return how often two answers to one picture differ, and about how many pictures there are two."""
    shares = [_differing(each) for each in answers if len(each) > 1]
    return (sum(shares) / len(shares), len(shares)) if shares else (None, 0)


def _differing(answers: Sequence[bool]) -> float:
    """Return the share of pairs of answers that differ."""
    n, n_yes = len(answers), sum(answers)
    return n_yes * (n - n_yes) / (n * (n - 1) / 2)


def _people_agree(said: Mapping[Asked, Counter[Any]]) -> float | None:
    n_alike = n_pairs = 0
    for told in said.values():
        n_yes, n_no = told["yes"], told["no"]
        n_alike += (n_yes * (n_yes - 1) + n_no * (n_no - 1)) // 2
        n_pairs += (n_yes + n_no) * (n_yes + n_no - 1) // 2
    return n_alike / n_pairs if n_pairs else None
