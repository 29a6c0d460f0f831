"""What people decide about a run's pictures: copies, finalists, finals. It goes before every rule.

Each is a fact with its author and its time. Selection and deduplication follow them whenever a run is
resumed or decided anew.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DuplicateDecision:
    """A person's word on whether one picture is a copy of another.

    Args:
        run_id: The run.
        copy_id: The candidate in question, of this run.
        of_id: The candidate it is compared with, of this run or of an earlier one.
        is_copy: Whether it is a copy; ``False`` takes back what a rule found.
        decided_by: Who says so.
        decided_at: Aware UTC time.
    """

    run_id: str
    copy_id: str
    of_id: str
    is_copy: bool
    decided_by: str
    decided_at: datetime


def last_duplicate_decisions(decisions: Iterable[DuplicateDecision]) -> list[DuplicateDecision]:
    """Keep, of all that was said of one pair in either direction, what was said last.

    Args:
        decisions: Oldest first.
    """
    last: dict[frozenset[str], DuplicateDecision] = {}
    for decision in decisions:
        pair = frozenset((decision.copy_id, decision.of_id))
        last.pop(pair, None)
        last[pair] = decision
    return list(last.values())


@dataclass(frozen=True, slots=True)
class Shortlist:
    """The finalists as a person chose them.

    Args:
        run_id: The run.
        revision: 1 for the first choice, one more for every change; 0 is the rule's own.
        candidate_ids: The drafts, the one that matters most first.
        chosen_by: Who chose them.
        chosen_at: Aware UTC time.
        confirmed_by: Who agreed to buy them; ``None`` while nobody did.
        confirmed_at: When.
    """

    run_id: str
    revision: int
    candidate_ids: tuple[str, ...]
    chosen_by: str
    chosen_at: datetime
    confirmed_by: str | None = None
    confirmed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A person's word on a final.

    Args:
        run_id: The run.
        candidate_id: The final.
        is_accepted: Whether it is delivered.
        decided_by: Who says so.
        decided_at: Aware UTC time.
    """

    run_id: str
    candidate_id: str
    is_accepted: bool
    decided_by: str
    decided_at: datetime
