"""Legibility: text that is asked for is read in the picture, and worse text is worth less."""

import random
import socket
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from tasks import scorers
from tasks.campaign.choice import Score as Wishes
from tasks.campaign.expected_text import expected_text, expected_texts
from tasks.candidate import Score
from tasks.scorers import Assignment, load_scorer
from tasks.scorers.legibility import character_error_rate
from tests.support.draft_builders import a_draft

Test = TypeVar("Test", bound=Callable[..., Any])
TEXT = "Fresh Bakery\nopen until nine"


def reads(test: Test) -> Test:
    """Mark a test that really reads pictures: what it needs takes 280 MB, so it is not one of every day."""
    no_reader = scorers.missing_extra("legibility") is not None
    skipped = pytest.mark.skipif(no_reader, reason="needs the extra ocr: pip install -e '.[ocr]'")
    marked: Test = pytest.mark.slow(skipped(test))
    return marked


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """The models come with the wheel: any way out is closed."""

    def refuse(*args: object) -> None:
        message = f"something asked the network for {args}"
        raise AssertionError(message)

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def a_sign(text: str, size_px: float = 72) -> Image.Image:
    """Write a text over a few shapes."""
    picture = Image.new("RGB", (768, 768), (235, 225, 205))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((80, 520, 688, 720), fill=(120, 150, 110))
    draw.polygon([(300, 520), (390, 420), (480, 520)], fill=(200, 90, 60))
    font = ImageFont.load_default(size_px)
    draw.multiline_text((384, 220), text, font=font, fill=(20, 20, 60), anchor="mm", align="center")
    return picture


def misspelt(share: float) -> Image.Image:
    """Put wrong letters for a share of the letters, as image models do."""
    rng, letters = random.Random(3), list(TEXT)
    places = [place for place, letter in enumerate(letters) if letter.isalpha()]
    for place in rng.sample(places, round(share * len(places))):
        letters[place] = rng.choice(
            [one for one in "abcdefghijklmnopqrstuvwxyz" if one != letters[place].lower()]
        )
    return a_sign("".join(letters))


def judged(
    picture: Image.Image, folder: Path, expect: str | tuple[str, ...] | None = TEXT, *, accents: bool = True
) -> Score:
    """Score one picture as the step would."""
    picture.save(folder / "picture.png")
    scorer = load_scorer("legibility", Assignment(Wishes(expect_text=expect, expect_accents=accents), [{}]))
    return scorer.score(a_draft(file="picture.png"), folder)


LADDERS: dict[str, tuple[Callable[[float], Image.Image], tuple[float, ...]]] = {
    "misspelt": (misspelt, (0, 0.1, 0.25, 0.5, 1)),
    "small": (lambda size_px: a_sign(TEXT, size_px), (72, 32, 20, 12, 5)),
}


@reads
@pytest.mark.parametrize("ladder", LADDERS)
def test_five_levels_of_legibility_are_ranked_right(tmp_path: Path, ladder: str) -> None:
    """Each level is worth less than the one before; the first nearly all, the last nearly nothing."""
    make, levels = LADDERS[ladder]
    values = [judged(make(level), tmp_path).value or 0.0 for level in levels]
    assert all(better > worse for better, worse in pairwise(values)), values
    assert values[0] > 0.8
    assert values[-1] < 0.25


@reads
def test_the_reason_shows_what_was_read(tmp_path: Path) -> None:
    """A person sees the wrong letters without opening the picture."""
    score = judged(a_sign("SUMNER SALE"), tmp_path, "Summer Sale")
    assert score.measurements["character_error_rate"] == pytest.approx(0.1)
    assert score.reason == "10% of 'Summer Sale' wrong, read: 'SUMNER SALE'"
    assert score.value is not None
    assert 0.8 < score.value < 0.95


@reads
def test_other_signs_in_the_picture_cost_nothing(tmp_path: Path) -> None:
    """The text is looked for in all that was read."""
    score = judged(a_sign("since 1921\nCafe Paris\nno parking"), tmp_path, "Café Paris", accents=False)
    assert score.measurements["character_error_rate"] == 0
    assert score.measurements["lines_unexpected"] == 2
    assert score.reason.endswith("; also reads 'since 1921', 'no parking'")
    assert score.measurements["characters_read"] > score.measurements["characters_expected"]


@reads
def test_a_picture_without_text_is_worth_nothing_where_text_is_expected(tmp_path: Path) -> None:
    """It was looked at, and nothing was there: 0, not unknown."""
    score = judged(Image.new("RGB", (256, 256), "teal"), tmp_path, "Sale")
    assert score.value == 0
    assert score.reason == "'Sale' cannot be read"


@reads
def test_accents_are_spelling_unless_told_otherwise(tmp_path: Path) -> None:
    """What is printed without them is another word."""
    plain = a_sign("GROSSE WAHL")
    assert judged(plain, tmp_path, "GRÖSSE WAHL").measurements["character_error_rate"] == pytest.approx(0.1)
    assert judged(plain, tmp_path, "GRÖSSE WAHL", accents=False).measurements["character_error_rate"] == 0


def test_a_text_with_its_accents_is_found_letter_for_letter() -> None:
    """However they are written: as one character or as two."""
    reading = "Unsere GRO\N{COMBINING DIAERESIS}SSE ist dabei"
    assert character_error_rate("grösse", reading, accents=True) == 0
    assert character_error_rate("grösse", "GROSSE", accents=True) == pytest.approx(1 / 6)
    assert character_error_rate("grösse", "GROSSE") == 0


@reads
@pytest.mark.parametrize("expect", ["ЗИМА", "ΕΚΠΤΩΣΗ", "SALE ЗИМА"])
def test_a_script_that_the_reader_does_not_know_is_not_checked(tmp_path: Path, expect: str) -> None:
    """Null with the reason, never 0: it would fail if it were perfect."""
    score = judged(a_sign("SALE"), tmp_path, expect)
    assert (score.value, score.measurements) == (None, {})
    assert score.reason.startswith("the reader does not know ")


@reads
def test_each_of_several_texts_is_read_apart(tmp_path: Path) -> None:
    """A headline that is right and a price that is wrong: each has its figure and its reason."""
    score = judged(a_sign("SUMMER SALE\n-20%\nShop now"), tmp_path, ("Summer Sale", "-50%", "Shop now"))
    rates = [score.measurements[f"character_error_rate_text_{number}"] for number in (1, 2, 3)]
    assert rates == pytest.approx([0, 0.25, 0])
    assert score.measurements["character_error_rate"] == pytest.approx(0.25)
    assert "25% of '-50%' wrong" in score.reason


@pytest.mark.parametrize("expect", [None, "", "{{ '' }}"])
def test_where_no_text_is_asked_for_nothing_is_said(tmp_path: Path, expect: str | None) -> None:
    """No expectation is null, never 0 or 1; the picture is not even opened."""
    scorer = load_scorer("legibility", Assignment(Wishes(expect_text=expect), [{}]))
    assert scorer.score(a_draft(file="gone.png"), tmp_path).value is None


def test_each_row_expects_its_own_text() -> None:
    """From the campaign's template, else from the row's variable of that name."""
    row = {"slogan": "Buy now", "expect_text": "Tomorrow"}
    assert expected_text("{{ slogan | upper }}!", row) == "BUY NOW!"
    assert expected_text(None, row) == "Tomorrow"
    assert expected_text(None, {"slogan": "Buy now"}) is None
    assert expected_text(None, {"expect_text": ""}) is None
    assert expected_texts(("{{ slogan }}", "{{ '' }}", "-20%"), row) == ("Buy now", "-20%")
    assert expected_texts((), row) == ("Tomorrow",)


def _edits(one: str, other: str) -> int:
    """Count edits the long way."""
    if not one or not other:
        return len(one) + len(other)
    replaced = _edits(one[1:], other[1:]) + (one[0] != other[0])
    return min(_edits(one[1:], other) + 1, _edits(one, other[1:]) + 1, replaced)


@given(st.text("abc", min_size=1, max_size=4), st.text("abc", max_size=5))
def test_the_error_rate_is_the_least_over_all_places(wanted: str, found: str) -> None:
    """Agrees with trying every part of the reading, and stays within 0 and 1."""
    parts = {found[i:j] for i in range(len(found) + 1) for j in range(i, len(found) + 1)}
    rate = character_error_rate(wanted, found)
    assert rate == min(_edits(wanted, part) for part in parts) / len(wanted)
    assert 0 <= rate <= 1


def test_case_accents_and_spaces_do_not_count() -> None:
    """What recognisers confuse in well-read text is no fault of the picture."""
    assert character_error_rate("Crème Brûlée", "CREME BRULEE") == 0
    assert character_error_rate("open until nine", "openuntil niñe") == 0
    assert character_error_rate("50 %", "60%") == pytest.approx(1 / 3)


def test_without_the_extra_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The campaign check asks this before anything is bought."""
    monkeypatch.setattr(scorers, "find_spec", lambda module: module)
    assert scorers.missing_extra("legibility") is None
    monkeypatch.setattr(scorers, "find_spec", lambda module: None if module == "rapidocr" else module)
    assert scorers.missing_extra("legibility") == "ocr"
    assert scorers.missing_extra("technical") is None
