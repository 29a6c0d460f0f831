"""Text on drawn sheets is cut to its room, however long it is, by a few measurements."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from tasks.pictures.lettering import cut, font_of

PEN = ImageDraw.Draw(Image.new("RGB", (8, 8)))
ROOM_PX = 200


def width_of(text: str) -> float:
    """Measure a text, px."""
    return PEN.textlength(text, font=font_of(16))


@settings(deadline=None, max_examples=60)
@given(st.text("abc WMil.", min_size=1, max_size=80))
def test_a_text_is_cut_as_late_as_it_fits(text: str) -> None:
    """It is whole where it fits; else one more character would be too many."""
    shown = cut(PEN, text, 16, ROOM_PX)
    if width_of(text) <= ROOM_PX:
        assert shown == text
        return
    ends = (f"{text[:n].rstrip()}…" for n in range(len(text) - 1, -1, -1))
    assert shown == next(end for end in ends if width_of(end) <= ROOM_PX)


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=120))
def test_any_text_is_cut_to_one_line(text: str) -> None:
    """Whatever people write into a row: line breaks of every kind, marks and letters of any script."""
    shown = cut(PEN, text, 16, ROOM_PX)
    assert len(shown.splitlines()) <= 1
    assert width_of(shown) <= ROOM_PX


def test_a_long_prompt_is_measured_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """A character at a time took minutes for a prompt that a provider takes."""
    measured: list[int] = []
    measure = PEN.textlength

    def counted(text: str, **how: object) -> float:
        measured.append(len(text))
        return measure(text, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(PEN, "textlength", counted)
    cut(PEN, "a boat and " * 3000, 16, ROOM_PX)
    assert len(measured) < 20
