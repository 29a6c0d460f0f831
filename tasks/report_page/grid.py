"""The grid of a run's drafts: one cell for each combination of levels, with what was made of it.

The edges are factors, or arms where there are none, and the rows of variables. A cell shows its best picture;
its score is the mean over its pictures, duplicates together as one, because the best of many is no evidence.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from statistics import fmean
from typing import Any

from tasks.report_page.columns import FACTOR, VARIABLE
from tasks.report_page.facts import RunFacts
from tasks.report_page.rows import Row, count_orders, first_made, merit

ARM, ROW = "arm", "row"
MOST_PLACES = 3_000
"""With more, the rows of variables are not told apart: the grid would be slower to draw than to read."""
MOST_COLUMNS = 6
"""So many levels along the top are still read on a screen and on a page."""
PER_EDGE = 2

Levels = Mapping[str, Sequence[str]]
Place = tuple[int, ...]
"""The position of a cell along each axis."""


@dataclass(frozen=True, slots=True)
class GridCell:
    """What was made of one combination of levels.

    Args:
        best: The report row of its best picture; ``None`` without one.
        pictures: How many pictures there are.
        scored: How many different pictures have a score.
        total: The sum of their scores; the cell's score is ``total / scored``.
        without: How many requests returned no picture.
    """

    best: Row | None
    pictures: int
    scored: int
    total: float
    without: int

    @property
    def score(self) -> float | None:
        """The mean score of its pictures; ``None`` if none has a score."""
        return self.total / self.scored if self.scored else None


@dataclass(frozen=True, slots=True)
class Grid:
    """All cells of a run, and the axes that they are placed along.

    Args:
        axes: The names of each axis's values: factors or arms, then the rows if they are told apart.
        cells: What was made, by place; a place that is missing was not ordered.
    """

    axes: Levels
    cells: Mapping[Place, GridCell]

    def edges(self) -> tuple[list[str], list[str]]:
        """Choose the axes along the top and along the side: as wide as can be read, and one side at least."""
        names = [name for name in self.axes if name != ROW] or [*self.axes]
        picks = [pick for size in (1, 2) for pick in itertools.combinations(names, size)]
        fit = [pick for pick in picks if self._n_values(pick) <= MOST_COLUMNS] or [(names[0],)]
        top = max(fit, key=lambda pick: (len(names) > len(pick), self._n_values(pick)))
        side = [name for name in names if name not in top][:PER_EDGE]
        if not side and ROW in self.axes and ROW not in top:
            side = [ROW]
        return list(top), side

    def merged(self, kept: Sequence[str], fixed: Mapping[str, int] | None = None) -> dict[Place, GridCell]:
        """Merge cells along all axes but some.

        Args:
            kept: The axes that stay, in the order of the places that are returned.
            fixed: The one value that counts of an axis; default: all values do.
        """
        names = [*self.axes]
        places = [names.index(name) for name in kept]
        wanted = {names.index(name): value for name, value in (fixed or {}).items()}
        groups: dict[Place, list[GridCell]] = defaultdict(list)
        for place, cell in self.cells.items():
            if all(place[axis] == value for axis, value in wanted.items()):
                groups[tuple(place[axis] for axis in places)].append(cell)
        return {place: _merge(cells) for place, cells in groups.items()}

    def _n_values(self, pick: Iterable[str]) -> int:
        return math.prod(len(self.axes[name]) for name in pick)


def build_grid(rows: Sequence[Row], facts: RunFacts) -> Grid:
    """Place a run's drafts.

    Args:
        rows: The report's rows; where any is made of factors, arms that are not have no place.
        facts: The run's facts: ``factors``, and the order of ``arms``.
    """
    drafts = first_made(rows, facts.added_from)
    made = [name for name in facts.factors if any(row.get(f"{FACTOR}{name}") for row in drafts)]
    axes = {name: facts.factors[name] for name in made} or {
        ARM: list(dict.fromkeys([*facts.arms, *(row["arm"] for row in drafts)]))
    }
    columns = {name: f"{FACTOR}{name}" for name in made} or {ARM: ARM}
    indices = {name: {value: index for index, value in enumerate(values)} for name, values in axes.items()}
    titles = {row["row"]: _title(row) for row in drafts}
    numbers = sorted(titles)
    has_rows = len(numbers) > 1 and len(numbers) * math.prod(map(len, axes.values())) <= MOST_PLACES
    groups: dict[Place, list[Row]] = defaultdict(list)
    for row in drafts:
        place = [indices[name].get(str(row.get(column))) for name, column in columns.items()]
        if None not in place:
            own = [*place, numbers.index(row["row"])] if has_rows else place
            groups[tuple(index for index in own if index is not None)].append(row)
    if has_rows:
        axes |= {ROW: [titles[number] for number in numbers]}
    return Grid(axes, {place: _cell(group) for place, group in groups.items()})


def _title(row: Row) -> str:
    """Name a row by its number and the values of its variables."""
    named = (str(row[key]) for key in row if key.startswith(VARIABLE) and key != f"{VARIABLE}rubric")
    return " · ".join([f"Row {row['row'] + 1}", *named])


def _cell(rows: Sequence[Row]) -> GridCell:
    pictures = [row for row in rows if row["candidate_id"]]
    alike: dict[str, list[float]] = defaultdict(list)
    for row in pictures:
        if row["score"] is not None and not row["downgraded"]:
            alike[row["duplicate_of"] or row["candidate_id"]].append(row["score"])
    without = {row["order_id"] for row in rows if not row["candidate_id"]}
    return GridCell(
        best=min(pictures, key=merit, default=None),
        pictures=len(pictures),
        scored=len(alike),
        total=sum(map(fmean, alike.values())),
        without=len(without) - count_orders(rows, "planned"),
    )


def _merge(cells: Sequence[GridCell]) -> GridCell:
    return GridCell(
        best=min((cell.best for cell in cells if cell.best is not None), key=merit, default=None),
        pictures=sum(cell.pictures for cell in cells),
        scored=sum(cell.scored for cell in cells),
        total=sum(cell.total for cell in cells),
        without=sum(cell.without for cell in cells),
    )


def grid_facts(grid: Grid, src: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the grid as JSON values, for the script that draws it.

    Args:
        grid: The grid.
        src: The address of each picture's thumbnail by candidate id; those that are missing are looked up
            among the page's pictures.
    """
    top, side = grid.edges()
    order = sorted(
        (cell.best for cell in grid.cells.values() if cell.best is not None),
        key=merit,
    )
    merits = {row["candidate_id"]: place for place, row in enumerate(order)}
    return {
        "axes": [{"name": name, "values": list(values)} for name, values in grid.axes.items()],
        "top": top,
        "side": side,
        "cells": [
            {
                "at": list(place),
                "pictures": cell.pictures,
                "scored": cell.scored,
                "total": cell.total,
                "without": cell.without,
                "best": cell.best and _picture(cell.best, merits, src),
            }
            for place, cell in grid.cells.items()
        ],
    }


def _picture(row: Row, merits: Mapping[str, int], src: Mapping[str, str | None]) -> dict[str, Any]:
    return {
        "id": row["candidate_id"],
        "name": PurePosixPath(row["file"] or row["candidate_id"]).stem,
        "score": row["score"],
        "file": row["file"],
        "src": src.get(row["candidate_id"]),
        "prompt": row["prompt"],
        "arm": row["arm"],
        "clear": bool(row["alpha_share"]),
        "place": merits[row["candidate_id"]],
    }
