"""The contact sheet: a grid of prompts and arms, with pages for many.

A row of the grid is a row of variables with its text, a column is an arm; a cell has the arm's unique images
of that row and their finals, best first. Whatever the run, a page has at most a dozen arms, a cell two lines
of pictures, and a page the height of a long screen; what has no place is counted in its cell.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from PIL import Image, ImageDraw

from tasks.money import count_of
from tasks.pictures.lettering import font_of, wrap, write
from tasks.pictures.transparency import lay_on_chequerboard
from tasks.report_page.facts import RunFacts
from tasks.report_page.grid_sheet import write_pdf
from tasks.report_page.pictures import title_of
from tasks.report_page.rows import Row, is_draft, is_final, is_unique_image, merit, name_verdict
from tasks.report_page.sources import open_small
from tasks.report_page.tall_png import write_strips
from tasks.report_page.verdict import state_verdict

ARMS_ON_A_PAGE = 12
MOST_PAGES = 60
"""More pages are not drawn; the last one says so."""
_ACROSS, _LINES = 12, 2
"""Pictures across a page, and lines of them in a cell."""
_MIN_WIDTH_PX, _MOST_HEIGHT_PX = 1080, 4200
_CELL_PX, _GAP_PX, _MARGIN_PX = 232, 20, 56
_CHEQUER_PX = 12
_LABEL_PX, _TITLE_PX, _HEAD_PX, _FOOT_PX, _COLUMN_GAP_PX = 58, 118, 44, 64, 36
_PROMPT_LINES, _LINE_PX = 3, 22
_GROUND, _INK, _MUTED, _FRAME, _EMPTY, _RULE = (
    "#ffffff", "#15171c", "#5a6170", "#0f6b57", "#eceef1", "#c3c9d3",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """What an arm made of a row: the pictures shown, and how many have no place."""

    prompt: str
    shown: tuple[Row, ...]
    n_more: int


@dataclass(frozen=True, slots=True)
class Band:
    """One row of the grid: its title, and its cell of each arm of the page."""

    title: str
    cells: tuple[Cell, ...]

    @property
    def lines(self) -> int:
        """How many lines of pictures it needs."""
        across = across_of(len(self.cells))
        return max((-(-len(cell.shown) // across) for cell in self.cells), default=0)


@dataclass(frozen=True, slots=True)
class SheetPage:
    """One page: its arms, its bands, and its place among all pages."""

    arms: tuple[str, ...]
    bands: tuple[Band, ...]
    number: int = 1
    of: int = 1


def across_of(n_arms: int) -> int:
    """Return how many pictures a cell has across, with so many arms on the page."""
    return max(1, _ACROSS // max(n_arms, 1))


def arrange(rows: Sequence[Row], arms: Sequence[str]) -> list[SheetPage]:
    """Place pictures on pages: the arms a dozen at a time, and of each dozen as many rows as fit.

    Args:
        rows: The report rows.
        arms: The arms in the campaign's order; others follow by name.
    """
    made = sorted({row["arm"] for row in rows if is_draft(row)})
    named = list(dict.fromkeys([*(arm for arm in arms if arm in made), *made]))
    cells: defaultdict[tuple[int, str], list[Row]] = defaultdict(list)
    prompts: dict[tuple[int, str], str] = {}
    for row in rows:
        if is_draft(row):
            prompts.setdefault((row["row"], row["arm"]), row["prompt"])
        if is_unique_image(row) or (is_final(row) and row["candidate_id"]):
            cells[row["row"], row["arm"]].append(row)
    titles = {row["row"]: title_of(row) for row in reversed(rows) if is_draft(row)}
    pages: list[SheetPage] = []
    for start in range(0, len(named), ARMS_ON_A_PAGE):
        some = tuple(named[start : start + ARMS_ON_A_PAGE])
        bands = [_band(number, titles[number], some, cells, prompts) for number in sorted(titles)]
        pages += [SheetPage(some, tuple(part)) for part in _parts(bands)]
    pages = pages or [SheetPage((), ())]
    return [SheetPage(page.arms, page.bands, index, len(pages)) for index, page in enumerate(pages, 1)]


def _band(
    number: int,
    title: str,
    arms: Sequence[str],
    cells: dict[tuple[int, str], list[Row]],
    prompts: dict[tuple[int, str], str],
) -> Band:
    room = across_of(len(arms)) * _LINES
    found = []
    for arm in arms:
        best = sorted(cells.get((number, arm), ()), key=_most_important_first)
        found.append(Cell(prompts.get((number, arm), ""), tuple(best[:room]), len(best[room:])))
    return Band(f"Row {number + 1}" + (f": {title}" if title else ""), tuple(found))


def _parts(bands: Sequence[Band]) -> Iterator[list[Band]]:
    """Divide bands over pages that are not too high; a page has at least one."""
    part: list[Band] = []
    for band in bands:
        if part and sum(map(_height, [*part, band])) > _MOST_HEIGHT_PX:
            yield part
            part = []
        part.append(band)
    if part:
        yield part


def _height(band: Band) -> int:
    return _HEAD_PX + _PROMPT_LINES * _LINE_PX + band.lines * (_CELL_PX + _LABEL_PX + _GAP_PX) + 2 * _GAP_PX


def _most_important_first(row: Row) -> tuple[object, ...]:
    return (not is_final(row), not row["finalist"], *merit(row))


def draw_sheet(rows: Sequence[Row], facts: RunFacts, run_folder: Path) -> bytes:
    """Draw the first page of the contact sheet as a PNG, at most 4000 x 8000 pixels.

    Args:
        rows: The report rows.
        facts: The run's facts, for the title.
        run_folder: The folder of the rows' files.
    """
    first, *_ = arrange(rows, list(facts.arms))
    return write_strips(_draw_strips(first, rows, facts, run_folder))


def draw_sheet_pages(rows: Sequence[Row], facts: RunFacts, run_folder: Path) -> bytes:
    """Draw every page of the contact sheet as a PDF, at most ``MOST_PAGES``.

    Args:
        rows: The report rows.
        facts: The run's facts, for the title.
        run_folder: The folder of the rows' files.
    """
    pages = arrange(rows, list(facts.arms))[:MOST_PAGES]
    return write_pdf([_stacked(list(_draw_strips(page, rows, facts, run_folder))) for page in pages])


def _stacked(strips: Sequence[Image.Image]) -> Image.Image:
    sheet = Image.new("RGB", (strips[0].width, sum(strip.height for strip in strips)))
    top = 0
    for strip in strips:
        sheet.paste(strip, (0, top))
        top += strip.height
    return sheet


def _draw_strips(
    page: SheetPage, rows: Sequence[Row], facts: RunFacts, run_folder: Path
) -> Iterator[Image.Image]:
    """Draw a page from top to bottom: its title, each band, and its foot."""
    most = max((len(cell.shown) for band in page.bands for cell in band.cells), default=1)
    across = max(1, min(across_of(len(page.arms)), most))
    column_px = across * (_CELL_PX + _GAP_PX) - _GAP_PX
    inner_px = len(page.arms) * (column_px + _COLUMN_GAP_PX) - _COLUMN_GAP_PX
    width = max(_MIN_WIDTH_PX, 2 * _MARGIN_PX + inner_px)
    lefts = [_MARGIN_PX + index * (column_px + _COLUMN_GAP_PX) for index in range(len(page.arms))]
    head, pen = _strip(width, _TITLE_PX + _HEAD_PX)
    _write_title(pen, page, rows, facts, width)
    for left, arm in zip(lefts, page.arms, strict=True):
        write(pen, (left, _TITLE_PX), f"Arm {arm}", 22, _INK, column_px)
    yield head
    for band in page.bands:
        strip, pen = _strip(width, _height(band))
        pen.rectangle((_MARGIN_PX, 0, width - _MARGIN_PX, 1), fill=_RULE)
        write(pen, (_MARGIN_PX, 12), band.title, 20, _INK, width - 2 * _MARGIN_PX)
        for left, cell in zip(lefts, band.cells, strict=True):
            _draw_cell(strip, pen, cell, (left, _HEAD_PX), across, run_folder, facts.min_fidelity)
        yield strip
    foot, pen = _strip(width, _FOOT_PX + _MARGIN_PX)
    _write_foot(pen, page, width)
    yield foot


def _strip(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    strip = Image.new("RGB", (width, height), _GROUND)
    return strip, ImageDraw.Draw(strip)


def _write_title(
    pen: ImageDraw.ImageDraw, page: SheetPage, rows: Sequence[Row], facts: RunFacts, width: int
) -> None:
    room = width - 2 * _MARGIN_PX
    place = f"  page {page.number} of {page.of}" if page.of > 1 else ""
    write(pen, (_MARGIN_PX, 36), f"{facts.campaign}  {facts.run_id}{place}", 18, _MUTED, room)
    write(pen, (_MARGIN_PX, 64), state_verdict(rows, facts), 28, _INK, room)


def _write_foot(pen: ImageDraw.ImageDraw, page: SheetPage, width: int) -> None:
    note = "Labels: file, score, rank. Framed: finalists and accepted finals."
    if page.of > 1 and page.number == 1:
        note += f" {count_of(page.of, 'page')}: runoff report --format pdf."
    if page.of > page.number == MOST_PAGES:
        note += f" Not drawn: {count_of(page.of - MOST_PAGES, 'further page')}."
    for index, line in enumerate(wrap(pen, note, 16, width - 2 * _MARGIN_PX)[:3]):
        pen.text((_MARGIN_PX, 16 + _LINE_PX * index), line, fill=_MUTED, font=font_of(16))


def _draw_cell(
    sheet: Image.Image,
    pen: ImageDraw.ImageDraw,
    cell: Cell,
    at: tuple[int, int],
    across: int,
    folder: Path,
    min_fidelity: float | None,
) -> None:
    left, top = at
    room = across * (_CELL_PX + _GAP_PX) - _GAP_PX
    lines = wrap(pen, cell.prompt, 16, room)
    if len(lines) > _PROMPT_LINES:
        lines = [*lines[: _PROMPT_LINES - 1], " ".join(lines[_PROMPT_LINES - 1 :])]
    for index, line in enumerate(lines):
        write(pen, (left, top + index * _LINE_PX), line, 16, _MUTED, room)
    top += _PROMPT_LINES * _LINE_PX + 8
    for index, row in enumerate(cell.shown):
        x = left + index % across * (_CELL_PX + _GAP_PX)
        y = top + index // across * (_CELL_PX + _LABEL_PX + _GAP_PX)
        _draw_picture(sheet, pen, row, (x, y), folder, min_fidelity)
    if cell.n_more:
        n_lines = -(-len(cell.shown) // across)
        at_foot = top + n_lines * (_CELL_PX + _LABEL_PX + _GAP_PX) - _GAP_PX
        write(pen, (left, at_foot - 2), f"+{cell.n_more:,} more in report.html", 15, _MUTED, room)


def _draw_picture(
    sheet: Image.Image,
    pen: ImageDraw.ImageDraw,
    row: Row,
    at: tuple[int, int],
    folder: Path,
    min_fidelity: float | None,
) -> None:
    left, top = at
    box = (left, top, left + _CELL_PX - 1, top + _CELL_PX - 1)
    pen.rectangle(box, fill=_EMPTY)
    picture = open_small(folder, row, _CELL_PX)
    if picture:
        offset = ((_CELL_PX - picture.width) // 2, (_CELL_PX - picture.height) // 2)
        sheet.paste(lay_on_chequerboard(picture, _CHEQUER_PX), (left + offset[0], top + offset[1]))
    if row["finalist"] or row["accepted"]:
        pen.rectangle((box[0] - 6, box[1] - 6, box[2] + 6, box[3] + 6), outline=_FRAME, width=5)
    write(pen, (left, box[3] + 8), PurePosixPath(row["file"] or row["candidate_id"]).stem, 17, _INK, _CELL_PX)
    write(pen, (left, box[3] + 31), _label(row, min_fidelity), 17, _MUTED, _CELL_PX)


def _label(row: Row, min_fidelity: float | None) -> str:
    if is_final(row):
        verdict = "final" if row["accepted"] is None else name_verdict(row, min_fidelity)
        return verdict if row["fidelity"] is None else f"fidelity {row['fidelity']:.2f}  {verdict}"
    score = "no score" if row["score"] is None else f"{row['score']:.2f}"
    rank = "" if row["rank"] is None else f"  #{row['rank']}"
    return score + rank + ("  finalist" if row["finalist"] else "")
