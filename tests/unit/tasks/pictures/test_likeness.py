"""What is the same picture to the eye, and what is not."""

import numpy as np
import pytest
from PIL import Image
from skimage import data

from tasks.duplicates.comparison import compare_looks
from tasks.duplicates.rule import SIMILAR_SIMILARITY
from tasks.pictures.difference_picture import draw_difference
from tasks.pictures.likeness import (
    NEAR_SIMILARITY,
    compare,
    find_turn,
    may_be_alike,
    similarity_in_place,
)
from tasks.pictures.looks import Look, look_at
from tests.support.edited_pictures import (
    EDITS,
    Edit,
    brighter,
    compressed,
    draw_stool,
    framed,
    snowy,
    write_lines,
)

CAT = Image.fromarray(data.chelsea()).convert("RGB")
COFFEE = Image.fromarray(data.coffee()).convert("RGB")
STOOL, LINES = draw_stool(), write_lines("silver lantern", "amber harbour")
PLAIN = Image.new("RGB", (512, 512), (120, 140, 200))


def difference(one: Image.Image, other: Image.Image) -> float:
    """Compare two pictures; up to 1 they are the same."""
    found = compare(look_at(one), look_at(other))
    assert found is not None
    return found.difference


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("picture", [CAT, STOOL], ids=["photograph", "object"])
def test_an_edited_picture_is_the_same(picture: Image.Image, edit: str) -> None:
    """Compression, size, brightness, contrast, crops, grain and movement leave it the same."""
    one, other = look_at(picture), look_at(EDITS[edit](picture))

    found = compare(one, other)

    assert found is not None
    assert found.difference <= 1
    assert NEAR_SIMILARITY <= found.similarity <= 1
    assert may_be_alike(one, other), "no copy is dismissed before it is looked at"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(CAT, COFFEE, id="another photograph"),
        pytest.param(STOOL, draw_stool(4), id="another number of legs"),
        pytest.param(STOOL, draw_stool(logo="X"), id="another logo"),
        pytest.param(STOOL, draw_stool(seat="#2a5b8a"), id="another colour"),
        pytest.param(LINES, write_lines("silver lantern", "amber harbours"), id="one letter more"),
        pytest.param(LINES, write_lines("silver lantern", "amber garden"), id="another word"),
        pytest.param(PLAIN, Image.new("RGB", (512, 512), (128, 148, 208)), id="another plain colour"),
        pytest.param(PLAIN, STOOL, id="something and nothing"),
    ],
)
def test_a_picture_that_differs_where_it_matters_is_another(one: Image.Image, other: Image.Image) -> None:
    """A small difference that matters is not averaged away, compressed or not."""
    assert difference(one, compressed(70)(other)) > 1


def test_a_plain_picture_is_the_same_after_compression() -> None:
    """One colour, compressed, is the same colour."""
    assert difference(PLAIN, compressed(70)(PLAIN)) <= 1


def test_what_was_taken_out_is_said() -> None:
    """The edit of brightness is a figure of its own."""
    found = compare(look_at(CAT), look_at(EDITS["15 % darker"](CAT)))

    assert found is not None
    assert found.tone.gain == pytest.approx(0.85, abs=0.02)
    assert found.tone.offset_levels == pytest.approx(0, abs=3)


def test_a_nearly_white_picture_is_the_same_though_brightening_made_much_of_it_white() -> None:
    """What is left of it decides."""
    pale = snowy(CAT)

    assert (np.asarray(brighter(1.15)(pale)) == 255).mean() > 0.3
    assert difference(pale, brighter(1.15)(pale)) <= 1


@pytest.mark.parametrize("dim", [snowy, brighter(1 / 6)], ids=["pale", "dark"])
@pytest.mark.parametrize("edit", [compressed(70), brighter(1.15)], ids=["compressed", "brighter"])
def test_another_word_is_another_picture_however_faint(dim: Edit, edit: Edit) -> None:
    """A difference is measured by what a dark or pale picture shows at all."""
    words, others = dim(LINES), dim(write_lines("silver lantern", "amber garden"))

    assert difference(words, edit(others)) > 1
    assert difference(words, compressed(70)(words)) <= 1


@pytest.mark.parametrize("level", [230, 245, 255])
def test_nearly_white_plain_pictures_are_not_brightened_into_one_another(level: int) -> None:
    """No edit of brightness is taken out of what has no contrast."""
    plain, other = (Image.new("RGB", (512, 512), (each,) * 3) for each in (level, level - 8))

    assert difference(plain, other) > 1


BORDERS = {
    "a white margin": framed("#ffffff", 0.1),
    "a black margin": framed("#000000", 0.15),
    "an instant picture": framed("#f4f1ea", 0.06, below=0.24),
    "a mount with a line": framed("#cfc4a8", 0.1, line_px=6),
}


@pytest.mark.parametrize(
    "border", [pytest.param(one, marks=[pytest.mark.slow] * (one != "an instant picture")) for one in BORDERS]
)
@pytest.mark.parametrize("picture", [CAT, STOOL, LINES], ids=["photograph", "object", "lettering"])
def test_a_picture_is_found_within_a_border(picture: Image.Image, border: str) -> None:
    """Either way round, also where its own ground is plain; it is no duplicate by itself."""
    bordered = compressed(80)(BORDERS[border](picture))

    for one, other in ((picture, bordered), (bordered, picture)):
        found = compare_looks(look_at(one), look_at(other))
        assert (found.altered, found.alteration) == ("framed", "framed")
        assert (found.similarity or 0) >= NEAR_SIMILARITY


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(STOOL, draw_stool(4), id="another number of legs"),
        pytest.param(LINES, write_lines("silver lantern", "amber garden"), id="another word"),
        pytest.param(CAT, COFFEE, id="another photograph"),
        pytest.param(PLAIN, Image.new("RGB", (512, 512), (128, 148, 208)), id="another plain colour"),
    ],
)
def test_another_picture_within_a_border_stays_another(one: Image.Image, other: Image.Image) -> None:
    """A border hides no difference."""
    for border in BORDERS.values():
        found = compare_looks(look_at(one), look_at(border(other)))
        assert found.altered is None
        assert (found.similarity or 0) < NEAR_SIMILARITY


def test_where_a_framed_copy_differs_is_drawn_within_its_border() -> None:
    """And a mirrored one after it was turned: nothing of either is red."""
    for copy in (BORDERS["a black margin"](CAT), CAT.transpose(Image.Transpose.FLIP_LEFT_RIGHT)):
        drawn = draw_difference(look_at(copy), look_at(CAT))
        assert drawn is not None
        levels = np.asarray(drawn, int)
        assert (levels[..., 0] - levels[..., 1] > 60).mean() < 0.01


def test_other_details_in_the_same_composition_are_more_similar_than_another_picture() -> None:
    """One exchanged word leaves more in common than another picture has."""
    words = compare(look_at(LINES), look_at(write_lines("silver lantern", "amber garden")))
    others = compare(look_at(CAT.resize((512, 512))), look_at(STOOL))

    assert words is not None
    assert others is not None
    assert NEAR_SIMILARITY > words.similarity > 0.5 > others.similarity


@pytest.mark.parametrize("picture", [CAT, LINES], ids=["photograph", "lettering"])
@pytest.mark.parametrize(
    ("method", "turn"),
    [
        (Image.Transpose.FLIP_LEFT_RIGHT, "mirrored"),
        (Image.Transpose.FLIP_TOP_BOTTOM, "upside down"),
        (Image.Transpose.ROTATE_90, "turned by 270"),
        (Image.Transpose.ROTATE_180, "turned by 180"),
    ],
)
def test_a_mirrored_or_turned_picture_is_found(
    picture: Image.Image, method: Image.Transpose, turn: str
) -> None:
    """The turn is named."""
    found = find_turn(look_at(picture), look_at(compressed(80)(picture.transpose(method))))

    assert found is not None
    assert found[0] == turn


def test_a_mirrored_picture_that_resembles_itself_is_told_as_mirrored() -> None:
    """Not only as similar: all of a stool is symmetrical, but for its letter."""
    one = draw_stool(logo="F")
    mirrored = one.transpose(Image.Transpose.FLIP_LEFT_RIGHT)

    straight = compare(look_at(one), look_at(mirrored))

    assert straight is not None
    assert SIMILAR_SIMILARITY <= straight.similarity < NEAR_SIMILARITY
    assert compare_looks(look_at(one), look_at(mirrored)).alteration == "mirrored"


def test_no_turn_is_found_between_other_pictures() -> None:
    """Neither other pictures nor plain ones, of which every turn is the same, are turned ones."""
    assert find_turn(look_at(CAT), look_at(COFFEE)) is None
    assert find_turn(look_at(PLAIN), look_at(PLAIN)) is None


def test_pictures_of_other_proportions_are_not_compared() -> None:
    """What cannot lie on the other has no likeness."""
    assert compare(look_at(CAT), look_at(CAT.resize((300, 900)))) is None


def test_a_look_does_not_depend_on_the_size_of_its_picture() -> None:
    """Large and small pictures are compared at one size."""
    large, small = look_at(STOOL.resize((1536, 1536))), look_at(STOOL.resize((300, 300)))

    assert large.pixels.shape == small.pixels.shape == (340, 340, 3)
    assert isinstance(large, Look)


def test_what_was_dismissed_is_never_as_similar_as_the_same_picture() -> None:
    """Nor has a picture with nothing in common any similarity."""
    in_place = similarity_in_place(look_at(LINES), look_at(LINES))

    assert in_place is not None
    assert NEAR_SIMILARITY - 0.01 < in_place < NEAR_SIMILARITY
    assert similarity_in_place(look_at(CAT), look_at(COFFEE)) is None
