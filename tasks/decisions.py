"""People's decisions about a run's duplicates, finalists and finals, which override every rule.

Each has an author and a time. Deduplication and selection apply them again whenever a run is resumed or
rescored.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DuplicateDecision:
    """A person's decision whether one picture is a duplicate of another.

    Args:
        run_id: The run.
        copy_id: The candidate in question, of this run.
        of_id: The candidate it is compared with, of this run or of an earlier one.
        is_copy: Whether it is a duplicate; ``False`` overrides what the rule found.
        decided_by: Who decided.
        decided_at: Aware UTC time.
    """

    run_id: str
    copy_id: str
    of_id: str
    is_copy: bool
    decided_by: str
    decided_at: datetime


def last_duplicate_decisions(decisions: Iterable[DuplicateDecision]) -> list[DuplicateDecision]:
    """Keep the last decision about each pair, in whichever direction it was made.

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
    """The finalists that a person chose.

    Args:
        run_id: The run.
        revision: 1 for the first choice, one more for every change; 0 is the rule's choice.
        candidate_ids: The drafts, the most important first.
        chosen_by: Who chose them.
        chosen_at: Aware UTC time.
        confirmed_by: Who confirmed buying them; ``None`` until somebody does.
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
    """A person's decision to accept or reject a final.

    Args:
        run_id: The run.
        candidate_id: The final.
        is_accepted: Whether it is delivered.
        decided_by: Who decided.
        decided_at: Aware UTC time.
    """

    run_id: str
    candidate_id: str
    is_accepted: bool
    decided_by: str
    decided_at: datetime
