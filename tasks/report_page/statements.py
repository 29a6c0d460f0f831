"""The judge's statements on the page: how often each is true by arm, with some pictures that fail it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tasks.report_page.facts import RunFacts
from tasks.report_page.pictures import Picture
from tasks.report_page.rows import Row
from tasks.report_page.sources import Sources

MOST_STATEMENTS = 40
MOST_PICTURES = 3


@dataclass(frozen=True, slots=True)
class ShownStatement:
    """One statement on the page.

    Args:
        template: The statement as it is written.
        must: Whether it is a condition.
        arms: Each arm's share, as in ``RunFacts.statements``.
        differing: The pairs of arms that differ, the worse first.
        failing: Some pictures of which it is not true, of the arms in turn.
    """

    template: str
    must: bool
    arms: dict[str, dict[str, Any]]
    differing: list[list[str]]
    failing: list[Picture]


def show_statements(drafts: Sequence[Row], facts: RunFacts, sources: Sources) -> list[ShownStatement]:
    """List the statements, the one that is true least often first.

    Args:
        drafts: The report rows of stage ``draft``.
        facts: The run's facts, with the statements.
        sources: Gives thumbnails.
    """
    rows = {row["candidate_id"]: row for row in drafts if row["candidate_id"]}
    return [
        ShownStatement(
            template=one["template"],
            must=one["must"],
            arms=one["arms"],
            differing=one["differing"],
            failing=[
                Picture(rows[name], sources.thumbnail(rows[name]["thumbnail"]))
                for name in _in_turn([arm["failing"] for arm in one["arms"].values()])
                if name in rows
            ],
        )
        for one in facts.statements[:MOST_STATEMENTS]
    ]


def _in_turn(lists: Sequence[Sequence[str]]) -> list[str]:
    """Take the first of each list, then the second of each, and so on."""
    longest = max(map(len, lists), default=0)
    taken = [names[place] for place in range(longest) for names in lists if place < len(names)]
    return taken[:MOST_PICTURES]
