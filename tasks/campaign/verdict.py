"""The campaign file's ``ab_test`` and ``verdict``: where arms are compared too, and when enough is known."""

from typing import Annotated, Literal

from pydantic import Field

from tasks.campaign.section import Section


class AbTest(Section):
    """How arms are compared."""

    segments: tuple[Annotated[str, Field(min_length=1)], ...] | None = None
    """Variables by whose values arms are compared too; default: each with 2 to 8 values; `[]` for none."""


class Verdict(Section):
    """What the verdict over all nights of a scheduled campaign leads to."""

    stop_when: Literal["decided"] | None = None
    """`decided`: once an arm beats every other over all nights so far, scheduled runs are skipped."""
