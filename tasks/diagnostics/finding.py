"""One finding of ``runoff doctor``: what was checked, its state, and the next step."""

from dataclasses import dataclass
from typing import Literal

from tasks.errors import RunoffError

State = Literal["ok", "warning", "fault"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Args:
        subject: What was checked, in a word or two.
        state: ``fault`` when a run would not succeed as things are.
        what: What was found, in a sentence without any secret.
        way_out: What to do about it, if possible a command; empty when nothing needs doing.
    """

    subject: str
    state: State
    what: str
    way_out: str = ""

    @classmethod
    def of(cls, subject: str, error: RunoffError, state: State = "fault") -> "Finding":
        """Turn an error into a finding.

        Args:
            subject: What was checked.
            error: What went wrong.
            state: The finding's state.
        """
        way_out = error.next_step or (f"Accepted: {error.accepted}" if error.accepted else "")
        return cls(subject, state, f"{error.where}: {error.what}", way_out)
