"""The JSON bodies that pages send, validated before anything is written."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from flows.further.asked import Base
from tasks.judging.people_answers import Said
from tasks.pairwise.votes import VoteOutcome
from tasks.remarks import MOST_STARS

Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$"
    ),
]
Id = Annotated[str, StringConstraints(max_length=40, pattern=r"^[A-Za-z0-9-]*$")]
Revision = Annotated[int, Field(ge=0, le=2**31 - 1)]
Dollars = Annotated[Decimal, Field(ge=0, max_digits=20, allow_inf_nan=False)]
MOST_CHARACTERS = 5000
"""More than any statement has."""


class Body(BaseModel):
    """A decision of a person; ``by`` is their name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Name


class DuplicateBody(Body):
    """Whether one picture is a duplicate of another."""

    copy_id: Id
    of_id: Id
    is_copy: bool


class VoteBody(Body):
    """Which of the two pictures of a duel is better, or that neither is, or nothing."""

    duel_id: Id
    outcome: VoteOutcome


class UndoBody(Body):
    """Undo the vote of a duel."""

    duel_id: Id


class StatementBody(Body):
    """Whether a statement is true of a picture."""

    candidate_id: Id
    statement: Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS)]
    answer: Said


class LabelBody(Body):
    """A label of the campaign's, given to a picture or taken off it."""

    candidate_id: Id
    label: Annotated[str, Field(min_length=1, max_length=40)]
    is_set: bool


class StarsBody(Body):
    """A picture's stars; 0 takes them back."""

    candidate_id: Id
    stars: Annotated[int, Field(ge=0, le=MOST_STARS)]


class CommentBody(Body):
    """A comment on a picture."""

    candidate_id: Id
    text: Annotated[
        str,
        StringConstraints(
            strip_whitespace=True, min_length=1, max_length=1000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]+$"
        ),
    ]


class TakeBackBody(Body):
    """Take one's own comment back."""

    candidate_id: Id
    remark_id: Annotated[int, Field(ge=1, le=2**31 - 1)]


class ShortlistBody(Body):
    """Finalists in their order, changed from the revision ``after``."""

    candidate_ids: Annotated[list[Id], Field(max_length=500)]
    after: Revision


class CancelBody(Body):
    """Give the run up for good."""


class DeclineBody(Body):
    """Decide that none of the run's pictures is bought again."""

    reason: Annotated[str, Field(max_length=500)] = ""


class ConfirmBody(Body):
    """Confirm to buy the finalists of a revision, for at most the price shown."""

    revision: Revision
    most_usd: Dollars


class FurtherBody(Body):
    """Confirm to buy more of a picture, for at most the price shown; ``key`` names the purchase."""

    base: Base
    n: Annotated[int, Field(ge=1, le=100)]
    prompt: Annotated[str | None, Field(max_length=MOST_CHARACTERS)] = None
    model: Annotated[str | None, Field(max_length=100)] = None
    key: Annotated[str, Field(min_length=8, max_length=40, pattern=r"^[A-Za-z0-9-]+$")]
    most_usd: Dollars


class BestBody(Body):
    """Confirm to make the best combination, for at most the price shown; ``key`` names the purchase."""

    key: Annotated[str, Field(min_length=8, max_length=40, pattern=r"^[A-Za-z0-9-]+$")]
    most_usd: Dollars


class AcceptanceBody(Body):
    """Whether a final is accepted."""

    candidate_id: Id
    is_accepted: bool
