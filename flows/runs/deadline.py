"""How long people have to decide about a run's finalists, and what happens then: told before it happens."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from flows.runs.run import StoredRun
from tasks.campaign.recurrence import interval_of
from tasks.errors import RunoffError

BY = "the campaign"
"""Who is said to have decided when nobody did in time."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The end of a run's review.

    Args:
        at: When it ends, aware.
        then: ``decline`` buys nothing; ``auto`` buys the finalists as they are chosen then.
        within: The time that the campaign gives, such as ``72h``.
    """

    at: datetime
    then: Literal["decline", "auto"]
    within: str

    @property
    def sentence(self) -> str:
        """What happens when nobody decides, for people."""
        what = "these finalists are bought" if self.then == "auto" else "none of them is bought"
        return f"Decide by {self.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC; after that, {what}."


def deadline_of(run: StoredRun) -> Deadline | None:
    """Return when the review of a run ends; ``None`` if it awaits none, or for ever.

    The time counts from the moment at which the run began to await review. A run whose campaign file is gone
    or no longer valid has no deadline.
    """
    if run.record.state != "awaiting review" or run.record.finished_at is None:
        return None
    try:
        rules = run.campaign.finalists
    except RunoffError:
        return None
    if rules.decide_within is None:
        return None
    return Deadline(
        run.record.finished_at + interval_of(rules.decide_within), rules.then, rules.decide_within
    )
