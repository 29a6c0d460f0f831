"""See-through parts: measured by their pixels, missed where they were ordered, shown on a chequerboard."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tasks.candidate import Inspection
from tasks.pictures.transparency import (
    DARK,
    LEAST_ALPHA_SHARE,
    LIGHT,
    NO_TRANSPARENCY,
    lay_on_chequerboard,
    mark_missing_transparency,
    measure_transparency,
)

ORDERED = {"model": "gpt-image-1.5", "background": "transparent"}


def cut_out(box: tuple[int, int, int, int], alpha: int = 0) -> Image.Image:
    """Make a red box on a ground of 20 x 10 that is as opaque as said."""
    picture = Image.new("RGBA", (20, 10), (0, 0, 255, alpha))
    picture.paste((255, 0, 0, 255), box)
    return picture


@pytest.mark.parametrize(
    ("picture", "share", "border_share"),
    [
        (cut_out((5, 2, 15, 8)), 140 / 200, 1.0),
        (cut_out((0, 0, 20, 5)), 100 / 200, (20 + 2 * 4) / 56),
        (cut_out((5, 2, 15, 8), alpha=127), 140 / 200, 1.0),
        (cut_out((5, 2, 15, 8), alpha=128), 0.0, 0.0),
        (Image.new("RGB", (20, 10)), 0.0, 0.0),
        (Image.new("RGBA", (1, 1), (0, 0, 0, 0)), 1.0, 1.0),
    ],
)
def test_see_through_pixels_are_counted(picture: Image.Image, share: float, border_share: float) -> None:
    """A pixel counts when its alpha is below half; the rim's pixels count once, corners too."""
    assert measure_transparency(picture) == pytest.approx(
        {"alpha_share": share, "alpha_border_share": border_share}
    )


@given(st.integers(1, 12), st.integers(1, 12), st.data())
def test_shares_agree_with_counting_one_by_one(width: int, height: int, draw: st.DataObject) -> None:
    """Whatever the alpha, a slow count pixel by pixel gives the same."""
    levels = st.lists(st.sampled_from([0, 127, 128, 255]), min_size=width * height, max_size=width * height)
    alpha = np.array(draw.draw(levels), np.uint8).reshape(height, width)
    picture = Image.new("RGB", (width, height))
    picture.putalpha(Image.fromarray(alpha))
    spots = [(x, y) for x in range(width) for y in range(height)]
    rim = {(x, y) for x, y in spots if x in (0, width - 1) or y in (0, height - 1)}
    clear = {(x, y) for x, y in spots if alpha[y, x] < 128}
    found = measure_transparency(picture)
    assert found["alpha_share"] == pytest.approx(len(clear) / len(spots))
    assert found["alpha_border_share"] == pytest.approx(len(clear & rim) / len(rim))


@pytest.mark.parametrize(
    ("parameters", "share", "known", "mark"),
    [
        (ORDERED, 0.0, None, NO_TRANSPARENCY),
        (ORDERED, LEAST_ALPHA_SHARE / 2, None, NO_TRANSPARENCY),
        (ORDERED, LEAST_ALPHA_SHARE, None, None),
        (ORDERED, 0.0, "jpeg instead of png", f"jpeg instead of png; {NO_TRANSPARENCY}"),
        (ORDERED, 0.0, f"jpeg instead of png; {NO_TRANSPARENCY}", None),
        (ORDERED, None, None, None),
        (ORDERED | {"background": "opaque"}, 0.0, None, None),
        ({"model": "gpt-image-1.5"}, 0.0, None, None),
    ],
)
def test_an_opaque_answer_is_marked_once(
    parameters: dict[str, str], share: float | None, known: str | None, mark: str | None
) -> None:
    """Only where transparency was ordered, and beside what differs already."""
    seen = Inspection(fault="broken") if share is None else Inspection(measurements={"alpha_share": share})
    assert mark_missing_transparency(parameters, seen, known) == mark


def test_the_chequerboard_shows_only_through_what_is_see_through() -> None:
    """The subject keeps its colours; behind it light and dark cells take turns."""
    shown = lay_on_chequerboard(cut_out((5, 2, 15, 8)), 4)
    assert shown.mode == "RGB"
    assert [shown.getpixel(spot) for spot in ((0, 0), (4, 0), (0, 4), (19, 9))] == [LIGHT, DARK, DARK, LIGHT]
    assert shown.getpixel((10, 5)) == (255, 0, 0)


def test_an_opaque_picture_needs_no_chequerboard() -> None:
    """It comes back as it is."""
    picture = Image.new("RGB", (4, 4), "red")
    assert lay_on_chequerboard(picture, 2) is picture
