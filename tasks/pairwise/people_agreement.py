"""How far people agree with one another: Krippendorff's alpha over what two or more of them judged.

1 is agreement on everything, 0 what chance would give, below 0 they contradict one another. Alpha allows for
people who judged different pairs, which a kappa does not. The answers to a pair are one picture, the other,
tie and both bad, whichever side they were on. Stars are ranks.

Source: K. Krippendorff (2011), "Computing Krippendorff's alpha-reliability", forms for nominal and ordinal
data with missing values. Its implementations on PyPI are under the GPL, which would be Runoff's then; the
tests hold this one against theirs.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tasks.pairwise.votes import Vote, without_skips

Level = Literal["nominal", "ordinal"]

FEWEST = 5
"""With fewer shared pairs or pictures, alpha would be read out of a handful of answers."""


@dataclass(frozen=True, slots=True)
class PeopleAgreement:
    """How far people agree.

    Args:
        alpha: Krippendorff's alpha, at most 1; ``None`` if it cannot be said.
        shared: How many pairs, or pictures, two or more people judged.
        people: How many people judged one of these.
        note: Why there is no alpha; empty if there is one.
    """

    alpha: float | None
    shared: int
    people: int
    note: str

    def as_dict(self) -> dict[str, Any]:
        """Turn it into JSON values."""
        return asdict(self)


def agree_on_pairs(votes: Iterable[Vote]) -> PeopleAgreement:
    """Measure how far people agree on which picture of a pair is better; skips are no answers."""
    answers: dict[Hashable, dict[str, int]] = defaultdict(dict)
    for vote in without_skips(votes):
        first, _ = pair = tuple(sorted((vote.left_id, vote.right_id)))
        better = {"left": vote.left_id, "right": vote.right_id}.get(vote.outcome)
        value = {"tie": 2, "both bad": 3}.get(vote.outcome, 0 if better == first else 1)
        answers[pair][vote.voter] = value
    return _measure(answers, "pairs", "nominal")


def agree_on_stars(stars: Mapping[str, Mapping[str, int]]) -> PeopleAgreement:
    """Measure how far people agree on stars.

    Args:
        stars: Candidate id to each person's stars.
    """
    return _measure(stars, "pictures", "ordinal")


def _measure(answers: Mapping[Any, Mapping[str, int]], noun: str, level: Level) -> PeopleAgreement:
    shared = [given for given in answers.values() if len(given) > 1]
    people = sorted({name for given in shared for name in given})
    if len(shared) < FEWEST:
        note = f"fewer than {FEWEST} {noun} were judged by two people or more"
        return PeopleAgreement(None, len(shared), len(people), note)
    if len({value for given in shared for value in given.values()}) < 2:
        note = "everybody gave the same answer to all of them, so that chance cannot be told from agreement"
        return PeopleAgreement(None, len(shared), len(people), note)
    return PeopleAgreement(_alpha(shared, level), len(shared), len(people), "")


def _alpha(shared: Sequence[Mapping[str, int]], level: Level) -> float:
    """Hold the pairs of answers that disagree within a pair or picture against those expected by chance."""
    values = sorted({value for given in shared for value in given.values()})
    counts = np.array([[list(given.values()).count(value) for value in values] for given in shared], float)
    of_each = counts.sum(axis=1)
    observed = (counts / (of_each - 1)[:, None]).T @ counts - np.diag(
        (counts / (of_each - 1)[:, None]).sum(0)
    )
    total = counts.sum(axis=0)
    expected = (np.outer(total, total) - np.diag(total)) / (total.sum() - 1)
    apart = _apart(total, level)
    return float(1 - (observed * apart).sum() / (expected * apart).sum())


def _apart(total: NDArray[np.float64], level: Level) -> NDArray[np.float64]:
    """Say how far apart two values are: any other is one off, or by how many answers lie between them."""
    if level == "nominal":
        return 1 - np.eye(len(total))
    middle = np.cumsum(total) - total / 2
    return np.asarray(np.subtract.outer(middle, middle) ** 2)
