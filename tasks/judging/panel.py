"""A panel's opinion of a picture: the mean of its judges, and how far they disagree.

A panel is asked about the best pictures only. So its opinion chooses among them, and is never a part of the
totals by which arms are compared: the arm whose pictures it looked at more often would be favoured or not by
that alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from tasks.judging.rubric import RubricAnswer


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a panel says of a picture.

    Args:
        judges: How many of its judges gave a score, the first one included.
        value: The mean of their scores, in [0, 1].
        disagreement: How often two of them say otherwise of a statement, 0 to 1; ``None`` where no two
            answered the same one.
        broken: The places, from 0, of the statements that most of them call false; half of them are enough.
    """

    judges: int
    value: float
    disagreement: float | None
    broken: frozenset[int]


def opinion_of(answers: Sequence[RubricAnswer]) -> Opinion | None:
    """Join the answers of a panel's judges to the same statements; ``None`` unless two gave a score.

    Args:
        answers: Their answers, each about every statement in its place.
    """
    values = [answer.value for answer in answers if answer.value is not None]
    if len(values) < 2:
        return None
    by_statement = [
        [verdict for verdict in verdicts if verdict is not None]
        for verdicts in zip(*(answer.verdicts for answer in answers), strict=True)
    ]
    pairs = [one != other for verdicts in by_statement for one, other in combinations(verdicts, 2)]
    return Opinion(
        judges=len(values),
        value=sum(values) / len(values),
        disagreement=sum(pairs) / len(pairs) if pairs else None,
        broken=frozenset(
            place
            for place, verdicts in enumerate(by_statement)
            if verdicts and 2 * sum(verdicts) <= len(verdicts)
        ),
    )
