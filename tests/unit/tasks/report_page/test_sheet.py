"""The contact sheet: bounded, grouped, labelled, and honest about what it leaves out."""

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tasks.pictures.transparency import DARK, LIGHT
from tasks.report_page.sheet import COLUMNS, PICTURES_SHOWN, arrange, draw_sheet
from tests.support.report_rows import make_draft, make_facts, make_run, paint_files

FRAME = (15, 107, 87)


def draw(rows: list[dict[str, Any]], folder: Path) -> Image.Image:
    """Draw and open a sheet."""
    sheet = Image.open(io.BytesIO(draw_sheet(rows, make_facts(), folder)))
    sheet.load()
    return sheet


def count_of(sheet: Image.Image, colour: tuple[int, int, int]) -> int:
    """Count the pixels of one colour."""
    counts = sheet.getcolors(sheet.width * sheet.height) or []
    return sum(count for count, value in counts if value == colour)


@settings(deadline=None)
@given(st.lists(st.integers(1, 40), max_size=PICTURES_SHOWN))
def test_places_never_overlap_and_stay_bounded(sizes: list[int]) -> None:
    """However the pictures are grouped, each has its own place on at most 21 lines of 12."""
    rows = [make_place(group, number) for group, size in enumerate(sizes) for number in range(size)][
        :PICTURES_SHOWN
    ]
    places = arrange(rows)
    spots = {(place.line, place.column) for place in places}
    assert len(spots) == len(rows)
    assert all(place.column < COLUMNS and place.line < 21 for place in places)
    assert sum(place.heading is not None for place in places) == len({row["row"] for row in rows})


def make_place(row: int, replicate: int) -> dict[str, Any]:
    """Make the part of a row that decides its place."""
    return {"row": row, "arm": "A", "stage": "draft", "replicate": replicate}


def test_sheet_of_a_large_run_stays_small(tmp_path: Path) -> None:
    """More pictures than fit: the sheet keeps its bounds."""
    rows = [make_draft("A", group, number) for group in range(60) for number in range(7)]
    sheet = draw(rows, tmp_path)
    assert sheet.width <= 4000
    assert sheet.height <= 8000


def test_sheet_shows_the_pictures_and_frames_the_finalists(tmp_path: Path) -> None:
    """A red draft is on the sheet, and it is framed only when it is a finalist."""
    row = make_draft("A", 0, 0)
    paint_files([row], tmp_path, lambda *_: Image.new("RGB", (64, 64), "#ff0000"))
    Image.new("RGB", (64, 64), "#ff0000").save(tmp_path / row["thumbnail"], lossless=True)
    assert count_of(draw([row], tmp_path), (255, 0, 0)) == 64 * 64
    assert count_of(draw([row], tmp_path), FRAME) == 0
    assert count_of(draw([row | {"finalist": True}], tmp_path), FRAME) > 4 * 5 * 200


def test_sheet_shows_cut_outs_on_a_chequerboard(tmp_path: Path) -> None:
    """A half see-through draft has as many light as dark cells beside it; an opaque one has none."""
    row = make_draft("A", 0, 0)
    paint_files([row], tmp_path)
    opaque = draw([row], tmp_path)
    assert count_of(opaque, LIGHT) == count_of(opaque, DARK) == 0
    cut_out = Image.new("RGBA", (96, 96), (0, 0, 0, 0))
    cut_out.paste("#ff0000", (48, 0, 96, 96))
    cut_out.save(tmp_path / row["thumbnail"], lossless=True)
    sheet = draw([row], tmp_path)
    assert count_of(sheet, LIGHT) == count_of(sheet, DARK) == 48 * 96 // 2
    assert count_of(sheet, (255, 0, 0)) == 48 * 96


def test_sheet_says_how_many_it_left_out(tmp_path: Path) -> None:
    """Two runs that differ only in what does not fit have different last lines."""
    fits = [make_draft("A", 0, number, score=None) for number in range(PICTURES_SHOWN)]
    more = [*fits, make_draft("A", 0, PICTURES_SHOWN, score=None)]
    short, long = draw(fits, tmp_path), draw(more, tmp_path)
    assert short.size == long.size
    foot = (0, short.height - 100, short.width, short.height)
    assert short.crop(foot).tobytes() != long.crop(foot).tobytes()


@pytest.mark.parametrize("is_empty", [True, False])
def test_sheet_of_nothing_is_still_a_picture(is_empty: bool) -> None:
    """No pictures, or none on disk: a sheet with its title."""
    rows = [] if is_empty else make_run(prompts=1, replicates=2)
    sheet = draw(rows, Path("/nowhere"))
    assert sheet.format == "PNG"
    assert sheet.width >= 1000
