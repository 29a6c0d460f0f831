"""The campaign file's ``ab_test`` and ``verdict``: where arms are compared too, and when enough is known."""

from typing import Annotated, Literal

from pydantic import Field

from tasks.campaign.pictures import Arm
from tasks.campaign.section import Section

Name = Annotated[str, Field(min_length=1)]


class AbTest(Section):
    """How arms are compared."""

    segments: tuple[Name, ...] | None = None
    """Variables by whose values arms are compared too; default: each with 2 to 8 values; `[]` for none."""


class RetiredArm(Section):
    """An arm that lost, so that it is no longer bought. Runoff writes this into a run's own file."""

    since: str
    """The first run without it."""

    why: str
    """Which arm beat it, and over how many nights."""

    arm: Arm
    """The arm as it was."""


class Verdict(Section):
    """What the verdict over all nights of a campaign leads to."""

    stop_when: Literal["decided"] | None = None
    """`decided`: once an arm beats every other over all nights so far, scheduled runs are skipped."""

    retire_when: Literal["beaten"] | None = None
    """`beaten`: an arm that another beats over all nights so far is left out of later runs."""

    keep: tuple[Name, ...] = ()
    """Arms that are never left out: a champion to compare with, or an arm to bring back."""

    retired: dict[str, RetiredArm] = Field(default={})
    """The arms that were left out, by name, in a run's own file."""
