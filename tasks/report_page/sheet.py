"""The contact sheet: the unique images and the finals on one labelled picture, by prompt row and arm.

Its size is bounded for any run: 12 columns and 120 pictures need at most 21 lines, because a line and the
group after it always have more than 12 pictures together.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from PIL import Image, ImageDraw

from tasks.pictures.transparency import lay_on_chequerboard
from tasks.report_page.facts import RunFacts
from tasks.report_page.lettering import font_of, wrap, write
from tasks.report_page.rows import Row, is_final, is_unique_image, merit, name_verdict
from tasks.report_page.sources import open_small
from tasks.report_page.verdict import count_noun, state_verdict

PICTURES_SHOWN = 120
COLUMNS = 12
_MIN_COLUMNS = 4
_CELL_PX, _GAP_PX, _MARGIN_PX = 232, 20, 56
_CHEQUER_PX = 12
_HEADING_PX, _LABEL_PX, _TITLE_PX, _FOOT_PX = 48, 52, 128, 56
_GROUND, _INK, _MUTED, _FRAME, _EMPTY = "#ffffff", "#15171c", "#5a6170", "#0f6b57", "#eceef1"
_LINE_PX = _HEADING_PX + _CELL_PX + _LABEL_PX + _GAP_PX


@dataclass(frozen=True, slots=True)
class _Place:
    """The position of one picture: its column and line, and the heading above it if it starts a group."""

    row: Row
    column: int
    line: int
    heading: str | None


def draw_sheet(rows: Sequence[Row], facts: RunFacts, run_folder: Path) -> bytes:
    """Draw the contact sheet as a PNG, at most 4000 x 8000 pixels.

    Args:
        rows: The report rows.
        facts: The run's facts, for the title.
        run_folder: The folder of the rows' files.
    """
    candidates = [row for row in rows if is_unique_image(row) or (is_final(row) and row["candidate_id"])]
    shown = sorted(candidates, key=_most_important_first)[:PICTURES_SHOWN]
    places = arrange(sorted(shown, key=_group_order))
    columns = max([_MIN_COLUMNS, *(place.column + 1 for place in places)])
    lines = max((place.line + 1 for place in places), default=0)
    width = 2 * _MARGIN_PX + columns * (_CELL_PX + _GAP_PX) - _GAP_PX
    sheet = Image.new("RGB", (width, _TITLE_PX + lines * _LINE_PX + _FOOT_PX + _MARGIN_PX), _GROUND)
    pen = ImageDraw.Draw(sheet)
    _write_title(pen, rows, facts, width)
    for place in places:
        _draw_cell(sheet, pen, place, run_folder, facts.min_fidelity)
    _write_foot(pen, len(candidates) - len(shown), _TITLE_PX + lines * _LINE_PX)
    stream = io.BytesIO()
    # A ninth of the time of optimize=True, for 3 % more bytes.
    sheet.save(stream, "PNG", compress_level=4)
    return stream.getvalue()


def _most_important_first(row: Row) -> tuple[object, ...]:
    return (not is_final(row), not row["finalist"], *merit(row))


def _group(row: Row) -> tuple[int, str, bool]:
    return (row["row"], row["arm"], is_final(row))


def _group_order(row: Row) -> tuple[object, ...]:
    return (*_group(row), *merit(row))


def arrange(rows: Sequence[Row]) -> list[_Place]:
    """Arrange groups on lines; a group starts a new line if it does not fit on the current one."""
    groups: dict[tuple[int, str, bool], list[Row]] = {}
    for row in rows:
        groups.setdefault(_group(row), []).append(row)
    places: list[_Place] = []
    column = line = 0
    for key, members in groups.items():
        if column and column + len(members) > COLUMNS:
            column, line = 0, line + 1
        for index, row in enumerate(members):
            if column == COLUMNS:
                column, line = 0, line + 1
            places.append(_Place(row, column, line, _name_group(*key) if index == 0 else None))
            column += 1
    return places


def _name_group(row: int, arm: str, is_final: bool) -> str:
    return f"Prompt {row + 1}, arm {arm}" + (", finals" if is_final else "")


def _write_title(pen: ImageDraw.ImageDraw, rows: Sequence[Row], facts: RunFacts, width: int) -> None:
    room = width - 2 * _MARGIN_PX
    write(pen, (_MARGIN_PX, 36), f"{facts.campaign}  {facts.run_id}", 18, _MUTED, room)
    write(pen, (_MARGIN_PX, 64), state_verdict(rows, facts), 28, _INK, room)


def _write_foot(pen: ImageDraw.ImageDraw, left_out: int, top: int) -> None:
    note = "Labels: file, score, rank. Framed: finalists and accepted finals."
    if left_out:
        note += (
            f" Not shown for lack of space: {count_noun(left_out, 'picture')} of lower rank; see report.html."
        )
    room = int(pen.im.size[0]) - 2 * _MARGIN_PX
    for index, line in enumerate(wrap(pen, note, 16, room)[:3]):
        pen.text((_MARGIN_PX, top + 16 + 22 * index), line, fill=_MUTED, font=font_of(16))


def _draw_cell(
    sheet: Image.Image, pen: ImageDraw.ImageDraw, place: _Place, folder: Path, min_fidelity: float | None
) -> None:
    row = place.row
    left = _MARGIN_PX + place.column * (_CELL_PX + _GAP_PX)
    top = _TITLE_PX + place.line * _LINE_PX
    if place.heading:
        write(pen, (left, top + 6), place.heading, 20, _INK, _CELL_PX)
    box = (left, top + _HEADING_PX, left + _CELL_PX - 1, top + _HEADING_PX + _CELL_PX - 1)
    pen.rectangle(box, fill=_EMPTY)
    picture = open_small(folder, row, _CELL_PX)
    if picture:
        offset = ((_CELL_PX - picture.width) // 2, (_CELL_PX - picture.height) // 2)
        sheet.paste(lay_on_chequerboard(picture, _CHEQUER_PX), (box[0] + offset[0], box[1] + offset[1]))
    if row["finalist"] or row["accepted"]:
        pen.rectangle((box[0] - 6, box[1] - 6, box[2] + 6, box[3] + 6), outline=_FRAME, width=5)
    write(pen, (left, box[3] + 8), PurePosixPath(row["file"] or row["candidate_id"]).stem, 18, _INK, _CELL_PX)
    write(pen, (left, box[3] + 32), _label(row, min_fidelity), 18, _MUTED, _CELL_PX)


def _label(row: Row, min_fidelity: float | None) -> str:
    if is_final(row):
        verdict = "final" if row["accepted"] is None else name_verdict(row, min_fidelity)
        return verdict if row["fidelity"] is None else f"fidelity {row['fidelity']:.2f}  {verdict}"
    score = "no score" if row["score"] is None else f"{row['score']:.2f}"
    rank = "" if row["rank"] is None else f"  #{row['rank']}"
    return score + rank + ("  finalist" if row["finalist"] else "")
