"""The grid sheet: the grid of factors as a picture and as a PDF, with headers that can be read on paper.

The PDF has a page for the best of all rows, and one for each row of variables. Its pages are pictures.
"""

import io
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from PIL import Image, ImageDraw

from tasks.money import count_of
from tasks.pictures.lettering import wrap, write
from tasks.pictures.transparency import lay_on_chequerboard
from tasks.report_page.facts import RunFacts
from tasks.report_page.grid import ARM, ROW, Grid, GridCell, Place
from tasks.report_page.rows import Row
from tasks.report_page.sources import open_small

MOST_PAGES = 40
_SHEET_PX, _CELLS_PX = 9_000, 40_000_000
_LARGE_PX, _SMALL_PX = 320, 96
_GAP_PX, _MARGIN_PX, _CAPTION_PX, _HEAD_PX, _TITLE_PX = 14, 56, 58, 52, 118
_PAD_PX, _SIDE_PX = 10, 190
_CHEQUER_PX = 12
_GROUND, _INK, _MUTED, _LINE, _EMPTY, _WARM = "#ffffff", "#15171c", "#565d6b", "#c3c9d3", "#f5f6f8", "#86b5a8"
_DPI = 200


@dataclass(frozen=True, slots=True)
class GridView:
    """How a grid is shown.

    Args:
        top: The axes along the top, the outer first.
        side: The axes down the side, the outer first.
        fixed: The one value that counts of an axis; of all others the best picture of all values is shown.
        is_coloured: Whether cells are coloured by their score.
    """

    top: Sequence[str]
    side: Sequence[str]
    fixed: Mapping[str, int]
    is_coloured: bool = False


@dataclass(frozen=True, slots=True)
class _Page:
    """One page being drawn: the sheet, its pen, and the size and places of its cells."""

    sheet: Image.Image
    pen: ImageDraw.ImageDraw
    cell_px: int
    left: int
    top: int

    def corner(self, column: int, line: int) -> tuple[int, int]:
        wide = self.cell_px + 2 * _PAD_PX + _GAP_PX
        tall = self.cell_px + 2 * _PAD_PX + _CAPTION_PX + _GAP_PX
        return self.left + column * wide, self.top + line * tall


def draw_grid(grid: Grid, view: GridView, facts: RunFacts, run_folder: Path) -> Image.Image:
    """Draw one page.

    Args:
        grid: The run's grid.
        view: What is along its edges.
        facts: The run's facts, for the title.
        run_folder: The folder of the pictures.
    """
    columns, lines = _combinations(grid, view.top), _combinations(grid, view.side)
    cells = grid.merged([*view.top, *view.side], view.fixed)
    cell_px = _cell_px(len(columns), len(lines), len(view.side))
    left = _MARGIN_PX + _SIDE_PX * len(view.side)
    top = _TITLE_PX + _HEAD_PX * len(view.top) + _GAP_PX
    size = _Page(Image.new("RGB", (1, 1)), ImageDraw.Draw(Image.new("RGB", (1, 1))), cell_px, left, top)
    right, bottom = size.corner(len(columns), len(lines))
    sheet = Image.new("RGB", (max(right + _MARGIN_PX - _GAP_PX, 900), bottom + _MARGIN_PX), _GROUND)
    page = _Page(sheet, ImageDraw.Draw(sheet), cell_px, left, top)
    _write_title(page, grid, view, facts)
    _write_heads(page, grid, view, columns, lines)
    scores = [cell.score for cell in cells.values() if cell.score is not None]
    for (x, column), (y, line) in itertools.product(enumerate(columns), enumerate(lines)):
        cell = cells.get(column + line)
        heat = _heat(cell, scores) if view.is_coloured else None
        _draw_cell(page, page.corner(x, y), cell, heat, run_folder)
    return sheet


def write_png(page: Image.Image) -> bytes:
    """Write a page as a PNG."""
    stream = io.BytesIO()
    page.save(stream, "PNG", compress_level=4)
    return stream.getvalue()


def write_pdf(pages: Sequence[Image.Image]) -> bytes:
    """Write pages as a PDF, each as large as its picture."""
    stream = io.BytesIO()
    first, *others = pages
    first.save(stream, "PDF", save_all=True, append_images=others, resolution=_DPI, quality=88)
    return stream.getvalue()


def page_views(grid: Grid, view: GridView) -> list[GridView]:
    """List the pages of a PDF: the best of all rows, then each row, as far as the rows are told apart."""
    n_rows = len(grid.axes.get(ROW, ()))
    is_one = ROW in view.fixed or ROW in view.top or ROW in view.side
    rows = [] if is_one else range(min(n_rows, MOST_PAGES - 1))
    each = (GridView(view.top, view.side, {**view.fixed, ROW: row}, view.is_coloured) for row in rows)
    return [view, *each]


def _cell_px(n_columns: int, n_lines: int, n_sides: int) -> int:
    """Choose the size of a picture, so that the sheet stays within its bounds."""
    room = (_SHEET_PX - 2 * _MARGIN_PX - _SIDE_PX * n_sides) // max(n_columns, 1) - 2 * _PAD_PX - _GAP_PX
    area = math.isqrt(_CELLS_PX // max(n_columns * n_lines, 1)) - _CAPTION_PX
    return max(_SMALL_PX, min(_LARGE_PX, room, area))


def _combinations(grid: Grid, axes: Sequence[str]) -> list[Place]:
    return list(itertools.product(*(range(len(grid.axes[name])) for name in axes)))


def _write_title(page: _Page, grid: Grid, view: GridView, facts: RunFacts) -> None:
    room = page.sheet.width - 2 * _MARGIN_PX
    fixed = [_name(grid, name, value) for name, value in view.fixed.items()]
    merged = [name for name in grid.axes if name not in (*view.top, *view.side, *view.fixed)]
    parts = fixed + ([f"the best of every {' and '.join(merged)}"] if merged else [])
    shown = "; ".join(parts) or "every picture's best"
    write(page.pen, (_MARGIN_PX, 30), f"{facts.campaign}  {facts.run_id}", 20, _MUTED, room)
    write(page.pen, (_MARGIN_PX, 60), shown[0].upper() + shown[1:], 30, _INK, room)


def _write_heads(
    page: _Page, grid: Grid, view: GridView, columns: Sequence[Place], lines: Sequence[Place]
) -> None:
    for level, name in enumerate(view.top):
        y = page.top - _GAP_PX - _HEAD_PX * (len(view.top) - level)
        for start, stop, value in _spans(columns, level):
            left, right = page.corner(start, 0)[0], page.corner(stop, 0)[0] - _GAP_PX
            write(page.pen, (left, y + 8), _name(grid, name, value), 26, _INK, right - left)
            page.pen.line((left, y + _HEAD_PX - 6, right, y + _HEAD_PX - 6), fill=_LINE, width=3)
    for level, name in enumerate(view.side):
        x = _MARGIN_PX + _SIDE_PX * level
        for start, stop, value in _spans(lines, level):
            y, end = page.corner(0, start)[1], page.corner(0, stop)[1] - _GAP_PX
            page.pen.line((x, y, x, end), fill=_LINE, width=3)
            words = wrap(page.pen, _name(grid, name, value), 26, _SIDE_PX - 28)
            for number, text in enumerate(words[: max(1, (end - y) // 34)]):
                write(page.pen, (x + 12, y + 6 + 34 * number), text, 26, _INK, _SIDE_PX - 20)


def _spans(places: Sequence[Place], level: int) -> list[tuple[int, int, int]]:
    """List where a header of one level begins and ends, and its value."""
    keys = itertools.groupby(enumerate(places), key=lambda each: each[1][: level + 1])
    spans = ((key[-1], [index for index, _ in group]) for key, group in keys)
    return [(indices[0], indices[-1] + 1, value) for value, indices in spans]


def _name(grid: Grid, axis: str, value: int) -> str:
    text = grid.axes[axis][value]
    return text if axis in (ROW, ARM) else f"{axis}: {text}"


def _heat(cell: GridCell | None, scores: Sequence[float]) -> float | None:
    if cell is None or cell.score is None:
        return None
    low, high = min(scores), max(scores)
    return (cell.score - low) / (high - low) if high > low else 0.5


def _draw_cell(
    page: _Page, at: tuple[int, int], cell: GridCell | None, heat: float | None, run_folder: Path
) -> None:
    x, y = at
    size, pen = page.cell_px, page.pen
    if heat is not None:
        frame = (x, y, x + size + 2 * _PAD_PX, y + size + 2 * _PAD_PX + _CAPTION_PX)
        pen.rectangle(frame, fill=_mixed(heat))
    box = (x + _PAD_PX, y + _PAD_PX, x + _PAD_PX + size, y + _PAD_PX + size)
    best = cell.best if cell else None
    picture = open_small(run_folder, best, size) if best else None
    if picture is None:
        pen.rectangle(box, fill=_EMPTY, outline=_LINE)
        for number, text in enumerate(wrap(pen, _why_empty(cell), 20, size - 24)):
            write(pen, (box[0] + 12, box[1] + 12 + 26 * number), text, 20, _MUTED, size - 24)
    else:
        place = (box[0] + (size - picture.width) // 2, box[1] + (size - picture.height) // 2)
        page.sheet.paste(lay_on_chequerboard(picture, _CHEQUER_PX), place)
    if cell is not None:
        _write_caption(page, (box[0], box[3] + 6), cell, _MUTED if heat is None else _INK)


def _write_caption(page: _Page, at: tuple[int, int], cell: GridCell, colour: str) -> None:
    score = "no score" if cell.score is None else f"{cell.score:.2f}"
    without = f", {cell.without} without" if cell.without else ""
    made = f"{score}  {count_of(cell.pictures, 'picture')}{without}"
    write(page.pen, at, made, 20, _INK, page.cell_px)
    if cell.best is not None:
        write(page.pen, (at[0], at[1] + 25), _file_of(cell.best), 17, colour, page.cell_px)


def _file_of(row: Row) -> str:
    return PurePosixPath(row["file"] or row["candidate_id"]).stem


def _why_empty(cell: GridCell | None) -> str:
    if cell is None:
        return "not made"
    if cell.best is not None:
        return "no picture on disk"
    return f"no picture of {count_of(cell.without, 'request')}" if cell.without else "not made yet"


def _mixed(heat: float) -> tuple[int, int, int]:
    """Mix the colour of a score: from the ground's grey to a green on which black is still read."""
    ends = [tuple(int(colour[place : place + 2], 16) for place in (1, 3, 5)) for colour in (_EMPTY, _WARM)]
    red, green, blue = (round(low + (high - low) * heat) for low, high in zip(*ends, strict=True))
    return red, green, blue
