"""The campaign file's ``retention``: how long the files of its pictures are kept.

Rows in the ledger, finalists, finals, liked pictures and reports stay for ever, whatever it says.
"""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from tasks.campaign.section import Section

AGE_PATTERN = "^[1-9][0-9]{0,3}d$"
AGE_WORDS = "a number of days from 1d to 9999d"
Age = Annotated[str, Field(pattern=AGE_PATTERN)]


class Retention(Section):
    """How long files are kept before they are deleted; rows in the ledger, finalists and finals are kept."""

    drafts: Age | None = None
    """Drafts that nobody chose, liked or bought again, from the end of their run, such as 30d. Default: for
    ever."""

    declined: Age | None = None
    """Drafts of declined runs, but for liked ones, from when they were declined, such as 7d. Default: as
    `drafts`."""

    mirrors: Age | None = None
    """What a mirror of a store has of a run, from the end of the run, such as 3d. Default: for ever."""

    @property
    def sentence(self) -> str:
        """What is deleted, and when, for people; empty if nothing is."""
        ages = {
            "losing drafts": self.drafts,
            "drafts of declined runs": self.declined,
            "this machine's mirrors of runs": self.mirrors,
        }
        told = [f"{what} after {_days(age)}" for what, age in ages.items() if age]
        return f"retention: files are deleted after each run: {', '.join(told)}." if told else ""


def age_of(age: str) -> timedelta:
    """Read a valid age."""
    return timedelta(days=int(age.removesuffix("d")))


def _days(age: str) -> str:
    number = age.removesuffix("d")
    return "1 day" if number == "1" else f"{number} days"
