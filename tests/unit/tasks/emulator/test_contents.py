"""What a picture shows: read from its prompt, wrong where an error is planted, and known from its bytes."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tasks.emulator.images_request import ImagesRequest, read_upload
from tasks.emulator.models import MODELS
from tasks.emulator.painter import paint
from tasks.emulator.painting.contents import (
    ERROR_KINDS,
    Contents,
    ErrorKind,
    Thing,
    contents_of_json,
    plant,
    read_contents,
)
from tasks.emulator.picture_note import read_note
from tasks.emulator.replicates import Replicate, Replicates
from tasks.emulator.settings import EmulatorSettings, PlantedError
from tasks.emulator.statement_truth import is_true

PROMPT = "Two red mugs left of a blue bottle on a table, with the words “SUMMER SALE”, studio photograph"
SHOWN = read_contents(PROMPT)


def request(prompt: str = PROMPT, **changes: object) -> ImagesRequest:
    """A small request."""
    facts = {"tier": "low", "size": (96, 96)} | changes
    return ImagesRequest("generations", MODELS["gpt-image-2.6-flare"], prompt, **facts)  # type: ignore[arg-type]


def test_a_prompt_is_read_by_the_form_of_its_phrases() -> None:
    """Numbers, colours, places and quotations, whatever the nouns are; a lens is not thirty-five things."""
    assert SHOWN.things[:2] == (Thing("mug", 2, "red"), Thing("bottle", 1, "blue"))
    assert (SHOWN.places, SHOWN.lettering) == ((("mug", "left", "bottle"),), ("SUMMER SALE",))
    assert read_contents("three frying pans").things == (Thing("frying pan", 3),)
    assert read_contents("a cat, 35 mm film, no text").things == (Thing("cat", 1),)


STATEMENTS = (
    ("The picture shows exactly two red mugs", True),
    ("It shows three mugs", False),
    ("There is a bottle in the picture.", True),
    ("There are no dogs", True),
    ("There is a dog", False),
    ("The picture shows at least one mug", True),
    ("The mugs are red", True),
    ("The bottle is red", False),
    ("The mug is to the left of the bottle", True),
    ("The bottle is right of the mugs", True),
    ("The bottle is left of the mugs", False),
    ("The text reads “SUMMER SALE”", True),
    ('The words "SUMER SALE" can be read', False),
    ("There is no text in the picture", False),
    ("The light suits a shop's page", None),
    ("The table is red", None),
)


@pytest.mark.parametrize(("statement", "truth"), STATEMENTS)
def test_a_statement_is_held_against_what_is_shown(statement: str, truth: bool | None) -> None:
    """One that is not understood is neither true nor false."""
    assert is_true(statement, SHOWN) is truth


FAILS: tuple[tuple[ErrorKind, str], ...] = (
    ("missing", "The picture shows a mug"),
    ("extra", "The picture shows exactly two mugs"),
    ("wrong_colour", "The mugs are red"),
    ("misspelt", "The text reads “SUMMER SALE”"),
    ("swapped", "The mug is left of the bottle"),
)


@pytest.mark.parametrize(("kind", "statement"), FAILS)
@pytest.mark.parametrize("manner", ["scene", "plain"])
@pytest.mark.parametrize("format", ["png", "jpeg", "webp"])
def test_a_planted_error_is_known_from_the_pictures_bytes(
    kind: ErrorKind, statement: str, manner: str, format: str
) -> None:
    """In every format, whether it is really painted or stands in for a painting."""
    for planted, truth in (((), True), ((kind,), False)):
        data = paint(request(format=format), Replicate(3, None, False, planted=planted), manner)  # type: ignore[arg-type]
        shown = read_note(data)
        assert shown is not None
        assert is_true(statement, shown) is truth
        assert shown.planted == planted


def test_a_planted_error_can_be_seen() -> None:
    """Every kind changes the painting itself, not only the note about it."""
    pictures = [
        Image.open(
            io.BytesIO(paint(request(), Replicate(3, None, False, planted=planted), "scene"))
        ).tobytes()
        for planted in ((), *((kind,) for kind in ERROR_KINDS))
    ]
    assert len(set(pictures)) == len(pictures)


def test_a_prompt_of_one_subject_is_painted_as_before() -> None:
    """Nothing is arranged where there is nothing to arrange."""
    assert not read_contents("A baby sea otter swimming on its back, watercolour").is_arranged


def test_an_edit_keeps_what_its_reference_shows() -> None:
    """The final of a draft with an error has the error too, unless it drifts."""
    draft = paint(request(), Replicate(3, None, False, planted=("extra",)), "scene")
    edit = request(references=(read_upload("image", draft),))
    final, drifted = (
        read_note(paint(edit, Replicate(4, None, drifts, is_redrawn=True), "scene"))
        for drifts in (False, True)
    )
    assert final is not None
    assert drifted is not None
    assert (final.planted, drifted.planted) == (("extra",), ())


def test_a_picture_without_a_note_shows_nothing_known() -> None:
    """Re-encoded, or no picture at all."""
    data = paint(request(), Replicate(3, None, False), "plain")
    again = io.BytesIO()
    Image.open(io.BytesIO(data)).convert("RGB").save(again, "PNG")
    assert read_note(again.getvalue()) is None
    assert read_note(b"no picture") is None
    assert contents_of_json('{"things": 3}') is None


def test_errors_come_as_often_as_asked_and_duplicates_share_them() -> None:
    """Only where the prompt has the words; a duplicate of a picture has its errors."""
    rules = (PlantedError("extra", 0.3, prompt="red"),)
    replicates = Replicates(EmulatorSettings(planted_errors=rules, near_copy_rate=0.5))
    taken = [replicates.take(request(), None)[0] for _ in range(600)]
    scenes: dict[int, set[tuple[ErrorKind, ...]]] = {}
    for one in taken:
        scenes.setdefault(one.scene_seed, set()).add(one.planted)
    assert all(len(planted) == 1 for planted in scenes.values())
    assert 0.22 < sum(planted == {("extra",)} for planted in scenes.values()) / len(scenes) < 0.38
    assert not any(replicates.take(request("two cats"), None)[0].planted for _ in range(50))


@given(prompt=st.text(max_size=80), kind=st.sampled_from(ERROR_KINDS), seed=st.integers(0, 99))
def test_whatever_the_prompt_contents_are_kept_by_their_note(prompt: str, kind: ErrorKind, seed: int) -> None:
    """Reading, planting and writing never fail, and a note says what was written."""
    contents = plant(read_contents(prompt), kind, seed)
    assert contents_of_json(contents.as_json()) == contents
    assert isinstance(contents, Contents)
