"""Groups of rows whose finalists are counted together: each row by itself, or the rows that share a value."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from tasks.campaign.campaign import Campaign
from tasks.campaign.statements import VARIABLE

LABEL_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class RowGroups:
    """The most finalists of each group of rows.

    Args:
        key: The rule's key in the campaign file, such as ``per_row`` or ``per.category``.
        most: The most finalists of one group.
        group_of: The group's name by row index.
    """

    key: str
    most: int
    group_of: Mapping[int, str]

    @property
    def names(self) -> tuple[str, ...]:
        """The groups, in the order of their first rows."""
        return tuple(dict.fromkeys(self.group_of.values()))

    def without(self, rows: Collection[int]) -> list[str]:
        """List the groups that none of these rows belongs to."""
        taken = {self.group_of.get(row) for row in rows}
        return [name for name in self.names if name not in taken]


def row_groups_of(campaign: Campaign) -> tuple[RowGroups, ...]:
    """List the groups of rows by which a campaign limits its finalists; none if it wants no finalists."""
    return () if campaign.finalists.most == 0 else tuple(_groups(campaign))


def _groups(campaign: Campaign) -> Iterator[RowGroups]:
    wanted, rows = campaign.finalists, campaign.all_rows
    if wanted.per_row is not None:
        names = {index: row_label(campaign, index) for index in range(len(rows))}
        yield RowGroups("per_row", wanted.per_row, names)
    for variable, most in wanted.per.items():
        shared = {index: f"{variable} {row[variable]}" for index, row in enumerate(rows)}
        yield RowGroups(f"per.{variable}", most, shared)


def row_label(campaign: Campaign, index: int) -> str:
    """Name a row for people: its number, counted from 1, and its values.

    Args:
        campaign: The campaign.
        index: The row, counted from 0.

    Returns:
        Such as ``row 3 (kettle, red)``; without values where the campaign does not have the row any more.
    """
    row = campaign.all_rows[index] if index < len(campaign.all_rows) else {}
    text = ", ".join(" ".join(str(value).split()) for name, value in row.items() if name != VARIABLE)
    shown = text if len(text) <= LABEL_CHARACTERS else f"{text[: LABEL_CHARACTERS - 1]}…"
    return f"row {index + 1} ({shown})" if shown else f"row {index + 1}"
