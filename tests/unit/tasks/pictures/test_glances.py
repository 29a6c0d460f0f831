"""Glances: they dismiss many pairs at once, and none that a close comparison would find to be the same."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from skimage import data

from tasks.duplicates.comparison import Comparison, compare_looks, compare_seen
from tasks.duplicates.rule import SIMILAR_SIMILARITY
from tasks.pictures.glances import agreements_with, compositions_in_place, glance_at, what_is_left
from tasks.pictures.likeness import NEAR_SIMILARITY, similarity_in_place
from tasks.pictures.looks import TURNS, Look, look_at, turn_pixels
from tasks.pictures.placements import Search, correlations, spreads
from tasks.pictures.registration import TINY_MARGIN_PX, TINY_ZOOMS, agreement_of, quick_agreement
from tests.support.edited_pictures import (
    EDITS,
    Edit,
    compressed,
    draw_stool,
    framed,
    snowy,
    write_lines,
)
from tests.support.seen_pictures import Seen

CAT, COFFEE, ROCKET, TISSUE = (
    Image.fromarray(getattr(data, name)()).convert("RGB")
    for name in ("chelsea", "coffee", "rocket", "immunohistochemistry")
)
STOOL, LINES = draw_stool(), write_lines("silver lantern", "amber harbour")
PLAIN = Image.new("RGB", (512, 512), (120, 140, 200))

ALTERED: dict[str, Edit] = {
    "mirrored": lambda one: one.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "turned": lambda one: compressed(80)(one.transpose(Image.Transpose.ROTATE_90)),
    "a white margin": lambda one: compressed(80)(framed("#ffffff", 0.1)(one)),
    "an instant picture": lambda one: compressed(80)(framed("#f4f1ea", 0.06, below=0.24)(one)),
}
OTHERS = [draw_stool(4), draw_stool(logo="X"), write_lines("silver lantern", "amber garden"), PLAIN]


def decision(found: Comparison) -> str:
    """What follows from a comparison."""
    similarity = found.similarity or 0
    if found.alteration:
        return found.alteration
    return (
        "near"
        if similarity >= NEAR_SIMILARITY
        else "similar"
        if similarity >= SIMILAR_SIMILARITY
        else "another"
    )


def is_decided_alike(pictures: Sequence[Image.Image]) -> bool:
    """Compare each picture with all before it, at a glance first and closely at once."""
    seen = [Seen(picture) for picture in pictures]
    for place, one in enumerate(seen):
        at_a_glance = [decision(found) for found in compare_seen(one, seen[:place])]
        closely = [decision(compare_looks(one.look, other.look)) for other in seen[:place]]
        assert at_a_glance == closely
    return True


@pytest.mark.parametrize("edit", ["all at once", "5 % off every side", "mirrored", "an instant picture"])
def test_no_copy_is_dismissed(edit: str) -> None:
    """Whatever was done to it, and whichever of both is laid on the other."""
    edited = (EDITS | ALTERED)[edit]

    assert is_decided_alike([CAT, edited(CAT), edited(STOOL), STOOL])


@pytest.mark.slow
@pytest.mark.parametrize("edit", [*EDITS, *ALTERED])
def test_no_copy_of_any_kind_of_picture_is_dismissed(edit: str) -> None:
    """A photograph, lettering, and a pale picture."""
    edited = (EDITS | ALTERED)[edit]
    for picture in (ROCKET, LINES, snowy(TISSUE)):
        assert is_decided_alike([edited(picture), picture])


@pytest.mark.slow
def test_pictures_that_differ_are_decided_about_as_without_a_glance() -> None:
    """In a detail, in everything, or in that one of them is plain."""
    assert is_decided_alike([CAT, STOOL, LINES, *OTHERS])


LEVELS = arrays.arrays(
    np.float32, st.sampled_from([(32, 32), (21, 32), (32, 18)]), elements=st.floats(-60, 60, width=32)
)


@settings(deadline=None, max_examples=30)
@given(one=LEVELS, other=LEVELS)
def test_outlines_agree_at_once_as_they_do_pair_by_pair(one: np.ndarray, other: np.ndarray) -> None:
    """One matrix product is OpenCV's search at every size and place."""
    search = Search(TINY_ZOOMS, TINY_MARGIN_PX)
    grounds = [other, np.ascontiguousarray(other[::-1])]

    found = correlations(one, grounds, [spreads(each, one.shape, search) for each in grounds], search)

    expected = [agreement_of(one, each) for each in grounds]
    is_plain = [float(each.std()) < 0.01 for each in (one, *grounds)]
    if not any(is_plain):
        # For one pixel in n that another window lacks, it is -1/n, and OpenCV says 0 of plain windows.
        assert found == pytest.approx(expected, abs=5e-3)


def test_a_glance_sees_what_a_look_sees() -> None:
    """The agreement of outlines, and the composition as they lie."""
    square = [look_at(picture.resize((640, 640))) for picture in (CAT, COFFEE, ROCKET, TISSUE, STOOL, LINES)]
    glances = [glance_at(look) for look in square]

    assert agreements_with(glances[0], glances) == pytest.approx(
        [quick_agreement(square[0], look) for look in square], abs=1e-4
    )
    for look, measured in zip(square, compositions_in_place(glances[0], glances), strict=True):
        expected = similarity_in_place(square[0], look)
        assert expected is None or measured == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("turn", TURNS)
def test_a_turn_is_left_to_be_looked_at(turn: str) -> None:
    """The one that leads from the second picture to the first."""
    (name,) = (each for each in TURNS if each == turn)
    copy = Look(np.ascontiguousarray(turn_pixels(look_at(CAT.resize((512, 512))).pixels, name)))

    (left,) = what_is_left(glance_at(copy), [glance_at(look_at(CAT.resize((512, 512))))])

    assert name in left.turns


def test_nearly_everything_is_dismissed_among_different_pictures() -> None:
    """Nothing is left of most pairs, so that a close comparison is rare."""
    glances = [glance_at(look_at(picture)) for picture in (CAT, COFFEE, ROCKET, TISSUE, STOOL, LINES)]

    left = [each for place, one in enumerate(glances) for each in what_is_left(one, glances[:place])]

    assert len(left) == 15
    assert sum(each.is_anything for each in left) <= 2


@pytest.mark.parametrize("size", [(900, 9), (9, 900), (8, 8), (1, 1)])
def test_a_strip_or_a_dot_is_compared_like_any_picture(size: tuple[int, int]) -> None:
    """Of a strip too little is left within its edges, so that only equal bytes make it a duplicate."""
    chance = np.random.default_rng(2)
    levels = chance.integers(0, 255, (2, size[1], size[0], 3), np.uint8)

    assert is_decided_alike([*map(Image.fromarray, levels), Image.fromarray(levels[0]), CAT])
