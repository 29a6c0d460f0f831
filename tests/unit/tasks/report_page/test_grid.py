"""The grid of factors: what its cells say, what is along its edges, and its sheet."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tasks.report_page.grid import ROW, Grid, build_grid, grid_facts
from tasks.report_page.grid_sheet import GridView, draw_grid, page_views, write_pdf, write_png
from tests.support.grid_rows import LEVELS, drafts
from tests.support.page_reader import page_text
from tests.support.report_rows import make_barren, make_copy, make_draft, make_facts, paint_files


def of_factors(rows: list[dict[str, Any]], levels: Mapping[str, list[str]] = LEVELS) -> Grid:
    """Place rows by factors."""
    return build_grid(rows, make_facts(factors=levels))


def test_a_cell_has_its_best_picture_and_the_mean_of_all() -> None:
    """Duplicates count together as one, and a request without a picture is counted as such."""
    rows = drafts(n_rows=1)
    first = rows[0] | {"score": 0.9, "rank": 1}
    copy = make_copy(rows[1] | {"score": 0.7}, first, 3)
    other = make_draft("soft_wide_low", 0, 7, score=0.5, var_product="", **FIRST)
    lost = make_barren("soft_wide_low", 0, 8, "refused", "moderation_blocked", "no") | FIRST
    cell = of_factors([first, copy, other, lost | {"var_product": ""}]).cells[0, 0, 0]
    assert cell.best == first
    assert cell.score == pytest.approx(((0.9 + 0.7) / 2 + 0.5) / 2)
    assert (cell.pictures, cell.scored, cell.without) == (3, 2, 1)


def test_a_cell_has_the_pictures_of_the_round_that_first_made_it() -> None:
    """An added round makes arms of before again beside the new ones: those do not count for them."""
    levels = LEVELS | {"light": [*LEVELS["light"], "neon"]}
    rows = drafts(n_rows=1)
    rows.append(make_draft("soft_wide_low", 0, 2, score=0.9, var_product="", **FIRST))
    neon = FIRST | {"factor_light": "neon"}
    rows.append(make_draft("neon_wide_low", 0, 2, score=0.7, var_product="", **neon))
    grid = build_grid(rows, make_facts(factors=levels, added_from=(2,)))
    soft, new = grid.cells[0, 0, 0], grid.cells[2, 0, 0]
    assert [soft.pictures, new.pictures] == [2, 1]
    assert [soft.score, new.score] == pytest.approx([0.4, 0.7])


FIRST = {"factor_light": "soft", "factor_lens": "wide", "factor_quality": "low"}


def test_what_was_not_ordered_has_no_cell_and_rows_can_be_seen_one_at_a_time() -> None:
    """All rows together show the best of both."""
    grid = of_factors(drafts())
    assert (1, 1, 1) not in grid.merged(list(LEVELS))
    assert len(grid.merged(list(LEVELS))) == 7
    one = grid.merged(["light"], {ROW: 1})
    assert [one[0,].pictures, one[1,].pictures] == [8, 6]
    assert grid.axes[ROW] == ["Row 1 · thing 0", "Row 2 · thing 1"]


@pytest.mark.parametrize(
    ("sizes", "top", "side"),
    [
        ((2,), ["a"], ["row"]),
        ((12,), ["a"], ["row"]),
        ((2, 3), ["b"], ["a"]),
        ((2, 2, 2), ["a", "b"], ["c"]),
        ((3, 4, 2), ["a", "c"], ["b"]),
        ((2, 2, 2, 2, 2), ["a", "b"], ["c", "d"]),
    ],
)
def test_the_edges_are_as_wide_as_can_be_read(
    sizes: tuple[int, ...], top: list[str], side: list[str]
) -> None:
    """One or two factors along each; rows where there is only one factor."""
    axes = {name: [str(level) for level in range(n)] for name, n in zip("abcdefg", sizes, strict=False)}
    assert Grid(axes | {"row": ["1", "2"]}, {}).edges() == (top, side)


def test_arms_without_factors_are_a_grid_by_rows() -> None:
    """So the command draws any campaign."""
    rows = [make_draft(arm, row, 0) for arm in "AB" for row in range(3)]
    grid = build_grid(rows, make_facts())
    assert grid.edges() == (["arm"], ["row"])
    assert len(grid.cells) == 6


def test_arms_beside_factors_are_a_grid_where_no_arm_of_factors_was_made() -> None:
    """As with `--only-arm`."""
    grid = of_factors([make_draft("A", row, 0) for row in range(2)])
    assert list(grid.axes) == ["arm", "row"]
    assert len(grid.cells) == 2


def test_very_many_rows_are_not_told_apart() -> None:
    """The grid stays quick to draw."""
    rows = [make_draft("A", row, 0, **FIRST) for row in range(500)]
    grid = of_factors(rows)
    assert ROW not in grid.axes
    assert grid.cells[0, 0, 0].pictures == 500


def test_the_sheet_is_drawn_with_a_page_for_each_row(tmp_path: Path) -> None:
    """The picture of a cell is where its score says, and the PDF has three pages."""
    rows = drafts()
    paint_files(rows, tmp_path)
    grid, facts = of_factors(rows), make_facts(factors=LEVELS)
    view = GridView(["light"], ["lens", "quality"], {}, is_coloured=True)
    pages = [draw_grid(grid, each, facts, tmp_path) for each in page_views(grid, view)]
    assert len(pages) == 3
    with Image.open(io.BytesIO(write_png(pages[0]))) as sheet:
        assert sheet.size == pages[0].size
        assert sheet.width < 2_000
    pdf = write_pdf(pages)
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page\n") == 3
    one = GridView(["light"], ["lens"], {ROW: 0, "quality": 1})
    assert len(page_views(grid, one)) == 1


@pytest.mark.parametrize("n_levels", [1, 26])
def test_a_sheet_of_any_size_is_bounded(n_levels: int, tmp_path: Path) -> None:
    """Neither a long name nor very many levels break it."""
    levels = {"a": [f"a-very-long-name-of-a-level-{n}" for n in range(n_levels)]}
    rows = [make_draft("x", row, 0, factor_a=levels["a"][0], var_p="words " * 90) for row in range(40)]
    grid = of_factors(rows, levels)
    sheet = draw_grid(grid, GridView(*grid.edges(), {}), make_facts(factors=levels), tmp_path)
    assert sheet.width * sheet.height < 90_000_000


def test_the_report_shows_the_grid_of_a_campaign_with_factors_only(tmp_path: Path) -> None:
    """Pictures that are embedded in the gallery are not embedded again, and no name can end the script."""
    rows = drafts()
    rows[0] |= {"prompt": "</script><b>"}
    paint_files(rows, tmp_path)
    page = page_text(rows, make_facts(factors=LEVELS), tmp_path)
    held = page[page.index('id="grid-facts">') :]
    held = held[held.index(">") + 1 : held.index("</script>")]
    assert "data:image" not in held
    assert json.loads(held) == grid_facts(of_factors(rows), {})
    assert 'id="grid-title"' not in page_text(rows, make_facts(), tmp_path)
