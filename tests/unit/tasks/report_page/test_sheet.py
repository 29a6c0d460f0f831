"""The contact sheet: bounded, grouped, labelled, and honest about what it leaves out."""

import io
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tasks.pictures.transparency import DARK, LIGHT
from tasks.report_page.sheet import ARMS_ON_A_PAGE, arrange, draw_sheet, draw_sheet_pages
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


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=4), st.integers(1, 14))
def test_rows_are_prompts_and_columns_are_arms_and_nothing_is_lost(sizes: list[int], n_arms: int) -> None:
    """Each picture has its place in the cell of its row and arm, or is counted there; pages stay bounded."""
    arms = [f"A{number}" for number in range(n_arms)]
    rows = [
        make_draft(arm, row, number)
        for row, size in enumerate(sizes)
        for arm in arms
        for number in range(size)
    ]
    pages = arrange(rows, arms)
    found = Counter(
        {
            (band.title.partition(":")[0], arm): len(cell.shown) + cell.n_more
            for page in pages
            for band in page.bands
            for arm, cell in zip(page.arms, band.cells, strict=True)
        }
    )
    wanted = {(f"Row {row + 1}", arm): size for row, size in enumerate(sizes) if size for arm in arms}
    assert {place: number for place, number in found.items() if number} == wanted
    assert all(len(page.arms) <= ARMS_ON_A_PAGE for page in pages)
    assert [(page.number, page.of) for page in pages] == [(n + 1, len(pages)) for n in range(len(pages))]


def test_a_sheet_of_many_rows_has_pages(tmp_path: Path) -> None:
    """The picture is the first of them, and the PDF has all."""
    rows = [make_draft(arm, row, 0) for row in range(20) for arm in ("A", "B")]
    n_pages = len(arrange(rows, ["A", "B"]))
    assert n_pages > 1
    pdf = draw_sheet_pages(rows, make_facts(), tmp_path)
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") == n_pages


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


def test_a_variable_of_several_lines_is_drawn_on_one(tmp_path: Path) -> None:
    """A cell of a spreadsheet may have line breaks; a sheet that failed left a paid run unfinished."""
    for text in ("Two\r\nlines", "a\ttab", "a\vpage\fbreak", "a line\u2028separator", "\n"):
        rows = [make_draft("A", 0, 0, **{"var:motif": text})]
        as_one = [make_draft("A", 0, 0, **{"var:motif": " ".join(text.expandtabs(1).splitlines())})]
        paint_files(rows, tmp_path)
        paint_files(as_one, tmp_path)
        assert draw(rows, tmp_path).tobytes() == draw(as_one, tmp_path).tobytes()


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


def test_a_cell_says_how_many_it_left_out(tmp_path: Path) -> None:
    """What has no place in its cell is counted there, and the sheet stays as it is otherwise."""
    fits = [make_draft("A", 0, number, score=None) for number in range(24)]
    short, long = draw(fits, tmp_path), draw([*fits, make_draft("A", 0, 24, score=None)], tmp_path)
    assert short.size == long.size
    assert short.tobytes() != long.tobytes()


@pytest.mark.parametrize("is_empty", [True, False])
def test_sheet_of_nothing_is_still_a_picture(is_empty: bool) -> None:
    """No pictures, or none on disk: a sheet with its title."""
    rows = [] if is_empty else make_run(prompts=1, replicates=2)
    sheet = draw(rows, Path("/nowhere"))
    assert sheet.format == "PNG"
    assert sheet.width >= 1000


def test_only_a_part_of_a_sheet_is_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sheet is drawn band by band."""
    rows = [make_draft(arm, row, n) for row in range(5) for arm in "AB" for n in range(12)]
    made: list[tuple[int, int]] = []
    new = Image.new

    def noting(mode: str, size: tuple[int, int], *colour: Any) -> Image.Image:
        made.append(size)
        return new(mode, size, *colour)

    monkeypatch.setattr(Image, "new", noting)
    sheet = draw(rows, tmp_path)
    assert sheet.height > 4 * max(height for _, height in made)
