"""What grew from what: a campaign's draft, the further drafts that grew from it, and their finals."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tasks.campaign.prompts import own_words
from tasks.report_page.pictures import Picture
from tasks.report_page.rows import Row, is_campaign_draft, is_draft, is_final
from tasks.report_page.sources import Sources


@dataclass(frozen=True, slots=True)
class Member:
    """A picture of a family, and those that grew from it.

    Args:
        picture: The picture.
        children: What grew from it: drafts of further rounds in their order, then its finals.
    """

    picture: Picture
    children: tuple["Member", ...] = ()

    @property
    def kind(self) -> str:
        """What it is, in a word or two."""
        row = self.picture.row
        if is_final(row):
            return "final, accepted" if row["accepted"] else "final"
        return f"round {row['further_round']}" if row.get("further_round") else "draft"

    @property
    def words(self) -> str:
        """What its prompt says of the picture."""
        return own_words(self.picture.row["prompt"])

    @property
    def has_further(self) -> bool:
        """Whether a draft of a further round grew from it."""
        return any(is_draft(child.picture.row) for child in self.children)


def find_families(rows: Sequence[Row], sources: Sources) -> list[Member]:
    """Find every draft of the campaign from which further drafts grew, with all that grew from it.

    Args:
        rows: The report's rows.
        sources: The sources of the pictures.
    """
    children: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        is_child = is_final(row) or (is_draft(row) and not is_campaign_draft(row))
        if is_child and row["candidate_id"] and row["draft_id"]:
            children[row["draft_id"]].append(row)

    def member(row: Row) -> Member:
        own = sorted(children.pop(row["candidate_id"], ()), key=_place)
        picture = Picture(row, sources.thumbnail(row["thumbnail"]))
        return Member(picture, tuple(member(child) for child in own))

    origins = [row for row in rows if is_campaign_draft(row) and row["candidate_id"] in children]
    return [family for family in map(member, origins) if family.has_further]


def _place(row: Row) -> tuple[Any, ...]:
    return is_final(row), row["further_round"] or 0, row["replicate"] or 0, row["order_id"]
