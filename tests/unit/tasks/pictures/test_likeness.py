"""What is the same picture to the eye, and what is not."""

import pytest
from PIL import Image
from skimage import data

from tasks.pictures.likeness import (
    NEAR_SIMILARITY,
    compare,
    find_turn,
    may_be_alike,
    similarity_in_place,
)
from tasks.pictures.looks import Look, look_at
from tests.support.edited_pictures import EDITS, compressed, draw_stool, write_lines

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
