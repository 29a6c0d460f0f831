"""What people answered to the statements that the judge answers: one answer to a picture and a statement.

A person's last answer counts. Where several people answered the same, their majority does; a tie, and people
who could not tell, say nothing about what the picture shows.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Said = Literal["yes", "no", "cannot_tell"]
Asked = tuple[str, str]
"""What was asked about: a candidate's id, and the statement."""


@dataclass(frozen=True, slots=True)
class PersonAnswer:
    """A person's answer to a statement about a picture.

    Args:
        run_id: The run.
        candidate_id: The picture.
        statement: The statement as it was asked.
        answer: Whether it is true of the picture, or that one cannot tell.
        answered_by: Who answered.
        answered_at: Aware UTC time.
    """

    run_id: str
    candidate_id: str
    statement: str
    answer: Said
    answered_by: str
    answered_at: datetime

    @property
    def about(self) -> Asked:
        """The picture and the statement."""
        return self.candidate_id, self.statement


def last_answers(answers: Iterable[PersonAnswer]) -> list[PersonAnswer]:
    """Keep each person's last answer to a picture and statement.

    Args:
        answers: Oldest first.
    """
    last: dict[tuple[Asked, str], PersonAnswer] = {}
    for one in answers:
        last.pop((one.about, one.answered_by), None)
        last[one.about, one.answered_by] = one
    return list(last.values())


def said_by_picture(answers: Iterable[PersonAnswer]) -> Mapping[Asked, Counter[Said]]:
    """Count what people said of each picture and statement; each person's last answer counts.

    Args:
        answers: Oldest first.
    """
    said: dict[Asked, Counter[Said]] = defaultdict(Counter)
    for one in last_answers(answers):
        said[one.about][one.answer] += 1
    return said


def majority(said: Mapping[Said, int]) -> bool | None:
    """Whether most people called a statement true; ``None`` for a tie, and where nobody could tell."""
    n_yes, n_no = said.get("yes", 0), said.get("no", 0)
    return None if n_yes == n_no else n_yes > n_no
