"""What a person asks for from one picture: more like it, more of its row, other words, another model."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from flows.evaluation.further_rounds import describe_asked
from tasks.campaign.prompts import LIKE_BEGINNING
from tasks.candidate import Candidate
from tasks.errors import SettingError
from tasks.order import digest_of

Base = Literal["like", "row"]
"""``like``: an edit with the picture as its reference; ``row``: what the picture's arm asks of its row."""

MOST = 100
"""The most drafts of one further round: more are a campaign."""

LIKE_PROMPT = f"{LIKE_BEGINNING}{{{{ prompt }}}}"
"""What is asked for with a picture as the reference, where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One further round as a person asks for it.

    Args:
        candidate_id: The draft that its drafts grow from.
        n: How many, 1 to ``MOST``.
        base: What they are made from.
        prompt: A template over the row's variables, and the draft's own text as ``prompt``; ``None`` for
            ``LIKE_PROMPT``, or for the arm's own template.
        model: Another model than the arm's; ``None`` for the arm's.

    Raises:
        SettingError: The number is out of bounds, or the prompt is empty.
    """

    candidate_id: str
    n: int
    base: Base = "like"
    prompt: str | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.n <= MOST:
            raise _not_accepted(what=f"is {self.n} drafts", accepted=f"1 to {MOST}")
        if self.prompt is not None and not self.prompt.strip():
            raise _not_accepted(what="has an empty prompt", accepted="what the pictures shall show")

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Self:
        """Read what ``as_dict`` wrote."""
        return cls(
            candidate_id=facts["candidate_id"],
            n=facts["n"],
            base=facts["base"],
            prompt=facts["prompt"],
            model=facts["model"],
        )

    def as_dict(self) -> dict[str, Any]:
        """Write it as plain data."""
        return asdict(self)

    def key(self, n_before: int) -> str:
        """Name this purchase: the same thing, asked for as often before, is the same purchase.

        Args:
            n_before: How often the run was asked for exactly this before.
        """
        return f"{digest_of(self.as_dict())}-{n_before + 1}"

    def describe(self, draft: Candidate) -> str:
        """Say what is asked for of its draft, in a few words."""
        return describe_asked(self.as_dict(), draft)


def _not_accepted(*, what: str, accepted: str) -> SettingError:
    return SettingError(where="a further round", what=what, accepted=accepted)
