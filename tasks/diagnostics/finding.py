"""One line of the doctor: what was looked at, how it is, and the way out."""

from dataclasses import dataclass
from typing import Literal

from tasks.errors import RunoffError

State = Literal["ok", "warning", "fault"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Args:
        subject: What was looked at, in a word or two.
        state: ``fault`` when a run would not succeed as things are.
        what: What is there, in a sentence without any secret.
        way_out: What to do about it, best as a command; empty when all is well.
    """

    subject: str
    state: State
    what: str
    way_out: str = ""

    @classmethod
    def of(cls, subject: str, error: RunoffError, state: State = "fault") -> "Finding":
        """Turn an error into a finding."""
        way_out = error.next_step or (f"Accepted: {error.accepted}" if error.accepted else "")
        return cls(subject, state, f"{error.where}: {error.what}", way_out)
