"""What pages send: small JSON bodies, each checked whole before anything is written."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]+$")
]
Id = Annotated[str, StringConstraints(max_length=40)]


class Word(BaseModel):
    """Anything that a person says; ``by`` is the name given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Name


class DuplicateBody(Word):
    """Whether one picture is a copy of another."""

    copy_id: Id
    of_id: Id
    is_copy: bool


class VoteWord(Word):
    """Which of the two pictures of a duel is better."""

    duel_id: Id
    outcome: Literal["left", "right", "tie"]


class UndoWord(Word):
    """Take a duel's vote back."""

    duel_id: Id


class ShortlistWord(Word):
    """Finalists in their order, made from the revision ``after``."""

    candidate_ids: Annotated[list[Id], Field(max_length=500)]
    after: Annotated[int, Field(ge=0)]


class ConfirmWord(Word):
    """Agree to buy the finalists of a revision, for at most what was shown."""

    revision: Annotated[int, Field(ge=0)]
    most_usd: Annotated[str, StringConstraints(max_length=24, pattern=r"^[0-9.]+$")]


class AcceptanceWord(Word):
    """Whether a final is delivered."""

    candidate_id: Id
    is_accepted: bool
