"""A picture's colours are those that its profile means, whatever the profile says of itself."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from tasks.pictures import colour
from tasks.pictures.decoding import decode, make_thumbnail
from tests.support.camera_pictures import encoded, flag
from tests.support.colour_profiles import (
    ADOBE_RGB,
    DISPLAY_P3,
    LINEAR_GREY,
    PRESS,
    SRGB,
    endless,
    in_srgb,
    profile,
)
from tests.support.fuzzing import bounded, fuzz

WIDE = {"Adobe RGB": ADOBE_RGB, "Display P3": DISPLAY_P3}
COLOURS = [(200, 60, 40), (10, 200, 30), (30, 60, 220), (128, 128, 128), (255, 255, 255), (90, 120, 60)]


def pixel(picture: Image.Image) -> tuple[int, ...]:
    """Read the picture's first pixel."""
    found = picture.getpixel((0, 0))
    assert isinstance(found, tuple)
    return found


@pytest.mark.parametrize("space", WIDE)
@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_wide_colours_are_shown_as_arithmetic_says(space: str, kind: str) -> None:
    """Within what the format itself changes; also over alpha, which stays."""
    for numbers in COLOURS:
        options = {"quality": 100} | ({"subsampling": 0} if kind == "jpeg" else {"lossless": True})
        data = encoded(Image.new("RGB", (16, 16), numbers), kind, icc_profile=WIDE[space], **options)
        assert np.abs(np.subtract(pixel(decode(data)), in_srgb(space, numbers))).max() <= 3
        if kind != "jpeg":
            data = encoded(
                Image.new("RGBA", (16, 16), (*numbers, 99)), kind, icc_profile=WIDE[space], **options
            )
            assert pixel(decode(data))[3] == 99
            assert np.abs(np.subtract(pixel(decode(data))[:3], in_srgb(space, numbers))).max() <= 3


def test_greys_and_inks_are_shown_as_their_profile_says() -> None:
    """A grey of linear light is brighter than its number; the press prints its cyan green."""
    assert pixel(decode(encoded(Image.new("L", (8, 8), 100), "png", icc_profile=LINEAR_GREY))) == (168,) * 3
    pair = encoded(Image.new("LA", (8, 8), (100, 50)), "png", icc_profile=LINEAR_GREY)
    assert pixel(decode(pair)) == (168, 168, 168, 50)
    deep = encoded(Image.new("I;16", (8, 8), 100 * 257), "png", icc_profile=LINEAR_GREY)
    assert pixel(decode(deep)) == (168,) * 3
    cyan = Image.new("CMYK", (8, 8), (255, 0, 0, 0))
    red, green, blue = pixel(decode(encoded(cyan, "jpeg", icc_profile=PRESS)))
    assert green > 200
    assert max(red, blue) < 100
    assert pixel(decode(encoded(cyan, "jpeg"))) == (0, 255, 255)


@pytest.mark.parametrize("name", ["another maker's", "Pillow's"])
def test_a_picture_in_srgb_keeps_its_exact_numbers(name: str) -> None:
    """Whoever wrote the profile: there is nothing to convert, and it costs no time."""
    own = SRGB if name != "Pillow's" else ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    noise = Image.merge("RGB", [Image.effect_noise((64, 64), 90) for _ in range(3)])
    assert decode(encoded(noise, "png", icc_profile=own)).tobytes() == noise.tobytes()


def test_what_is_decoded_and_its_thumbnail_carry_no_profile() -> None:
    """The numbers would be converted once more by whoever shows them."""
    picture = decode(encoded(flag(), "jpeg", icc_profile=DISPLAY_P3, exif=Image.Exif().tobytes()))
    assert not {"icc_profile", "exif"} & picture.info.keys()
    thumbnail = make_thumbnail(picture)
    assert b"ICCP" not in thumbnail
    assert b"EXIF" not in thumbnail


UNUSABLE = {
    "rubbish": b"rubbish" * 100,
    "cut off": DISPLAY_P3[:200],
    "empty": b"",
    "of inks": PRESS,
    "of greys": LINEAR_GREY,
    "without tags": profile(b"mntr", b"RGB ", b"XYZ ", {}),
    "a link": profile(b"link", b"RGB ", b"RGB ", {}),
    "too large": DISPLAY_P3 + bytes(colour.MAX_PROFILE_BYTES),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_profile_that_cannot_be_used_is_ignored(name: str) -> None:
    """As browsers do: the numbers are taken for sRGB."""
    plain = decode(encoded(flag(), "webp", lossless=True))
    found = decode(encoded(flag(), "webp", lossless=True, icc_profile=UNUSABLE[name]))
    assert found.tobytes() == plain.tobytes()


def test_a_profile_that_would_keep_the_processor_busy_is_used_without_that() -> None:
    """These 90 kB would take 13 s, a megabyte minutes."""
    start = time.process_time()
    picture = decode(encoded(Image.new("RGB", (64, 64), (200, 60, 40)), "png", icc_profile=endless(10_000)))
    assert time.process_time() - start < 2
    assert np.abs(np.subtract(pixel(picture), in_srgb("Display P3", (200, 60, 40)))).max() <= 3


@fuzz(examples=25)
@given(
    own=st.sampled_from([DISPLAY_P3, PRESS, LINEAR_GREY, endless(3)]),
    places=st.lists(st.tuples(st.integers(0, 3000), st.binary(min_size=1, max_size=8)), max_size=6),
)
def test_any_profile_is_used_or_ignored(own: bytes, places: list[tuple[int, bytes]]) -> None:
    """Whatever is damaged in it, the picture is there."""
    data = bytearray(own)
    for at, content in places:
        data[at % len(data) : at % len(data) + len(content)] = content
    mode = {PRESS: "CMYK", LINEAR_GREY: "L"}.get(own, "RGB")
    with bounded():
        found = decode(encoded(flag(mode, (16, 8)), "jpeg", icc_profile=bytes(data)))
    assert (found.mode, found.size) == ("RGB", (16, 8))
