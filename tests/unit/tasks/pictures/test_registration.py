"""Laying one picture on another."""

import pytest
from PIL import Image
from skimage import data

from tasks.pictures.looks import Look, look_at
from tasks.pictures.registration import MAX_ZOOM, Registration, registrations
from tests.support.edited_pictures import cropped, draw_stool, moved

CAT = Image.fromarray(data.chelsea()).convert("RGB")


def register(one: Look, other: Look) -> Registration | None:
    """Take the likeliest registration, if there is any."""
    return next(registrations(one, other), None)


def test_a_picture_lies_on_itself() -> None:
    """Nothing is moved."""
    found = register(look_at(CAT), look_at(CAT))

    assert found is not None
    assert found.zoom == pytest.approx(1, abs=0.002)
    assert found.shift_x_share == pytest.approx(0, abs=0.002)
    assert found.rotation_degrees == pytest.approx(0, abs=0.1)
    assert found.overlap_share > 0.99


def test_a_crop_is_found_as_a_zoom() -> None:
    """What is left of it is shown larger."""
    found = register(look_at(CAT), look_at(cropped(0.05, 0.05, 0.05, 0.05)(CAT)))

    assert found is not None
    assert found.zoom == pytest.approx(1 / 0.9, rel=0.01)
    assert found.overlap_share == pytest.approx(0.81, abs=0.02)


def test_a_movement_is_found_in_shares_of_the_edge() -> None:
    """Whatever the size of the picture."""
    stool = draw_stool()

    found = register(look_at(stool), look_at(moved(20, -10)(stool)))

    assert found is not None
    assert (found.shift_x_share, found.shift_y_share) == pytest.approx((20 / 512, -10 / 512), abs=0.004)
    assert found.zoom == pytest.approx(1, abs=0.01)


def test_a_rotation_is_found_clockwise() -> None:
    """In degrees."""
    found = register(look_at(CAT), look_at(CAT.rotate(-2, Image.Resampling.BICUBIC)))

    assert found is not None
    assert found.rotation_degrees == pytest.approx(2, abs=0.2)


def test_nothing_beyond_the_bounds_is_found() -> None:
    """More than an edit would do makes it another picture."""
    closer = cropped(0.15, 0.15, 0.15, 0.15)(CAT)

    found = register(look_at(CAT), look_at(closer))

    assert found is None or found.zoom <= MAX_ZOOM
    assert register(look_at(draw_stool()), look_at(moved(80, 0)(draw_stool()))) is None


def test_a_plain_picture_lies_nowhere_in_particular() -> None:
    """Without outlines nothing can be laid on anything."""
    plain = look_at(Image.new("RGB", (512, 512), "#c8c8c8"))

    assert register(plain, look_at(draw_stool())) is None
