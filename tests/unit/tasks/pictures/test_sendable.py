"""Pictures are sent as they are, unless providers could not read them or a mask would not fit them."""

import io
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from tasks.errors import PictureError
from tasks.pictures.decoding import decode
from tasks.pictures.sendable import as_sent, decode_as_sent, look_at_sendable
from tests.support.camera_pictures import BLUE, HELD, RED, damaged, encoded, flag, noted
from tests.support.colour_profiles import DISPLAY_P3, LINEAR_GREY, PRESS
from tests.support.fuzzing import bounded, fuzz


def sent(data: bytes, *, is_upright: bool = False) -> Image.Image:
    """Decode what is sent, by its bytes alone, without a look at EXIF."""
    content, _ = as_sent(data, is_upright=is_upright)
    with Image.open(io.BytesIO(content)) as picture:
        assert ExifTags.Base.Orientation not in picture.getexif()
        return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def is_red(pixel: Any) -> bool:
    """Whether a pixel is nearer to red than to blue."""
    return bool(pixel[0] > pixel[2])


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("orientation", HELD)
def test_a_picture_below_a_mask_is_sent_as_people_see_it(kind: str, orientation: int) -> None:
    """However the camera was held. Without a mask it stays as it is."""
    stored = encoded(flag().transpose(HELD[orientation]), kind, exif=noted(orientation))
    seen = look_at_sendable(stored)
    assert (seen.width, seen.height) == (48, 32)
    assert (seen.conversion, seen.upright_conversion) == ("", "turned upright")
    assert as_sent(stored) == (stored, f"image/{kind}")
    upright = sent(stored, is_upright=True)
    assert upright.size == (48, 32)
    assert is_red(upright.getpixel((24, 4)))
    assert not is_red(upright.getpixel((24, 28)))
    assert decode_as_sent(stored).size == (48, 32)
    assert as_sent(stored, is_upright=True)[1] == ("image/png" if kind == "png" else "image/jpeg")


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_what_a_provider_reads_is_sent_byte_for_byte(kind: str) -> None:
    """Also with EXIF that says upright, or that nobody can read."""
    for exif in (
        b"",
        noted(1).tobytes(),
        noted(9).tobytes(),
        b"Exif\0\0MM\0*\xff\xff\xff\xff",
        b"Exif\0\0rubbish",
    ):
        data = encoded(flag(), kind, **({"exif": exif} if exif else {}))
        assert as_sent(data, is_upright=True) == as_sent(data) == (data, f"image/{kind}")


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
PALETTE = "converted from a palette to RGB"
FRAMES = "reduced to the first of its 2 frames"
ODD: dict[str, tuple[bytes, str]] = {
    "CMYK": (encoded(flag("CMYK"), "jpeg"), "converted from CMYK to RGB"),
    "CMYK, profile of RGB": (encoded(flag("CMYK"), "jpeg", icc_profile=SRGB), "converted from CMYK to RGB"),
    "2 bits": (encoded(flag().quantize(2), "png", bits=2), PALETTE),
    "palette": (encoded(flag("P"), "png"), PALETTE),
    "colour key": (
        encoded(flag(), "png", transparency=BLUE),
        "given an alpha channel for its transparent colour",
    ),
    "webp": (encoded(flag(), "webp", save_all=True, append_images=[flag("L")]), FRAMES),
    "animated png": (encoded(flag(), "png", save_all=True, append_images=[flag().rotate(180)]), FRAMES),
    "gif": (encoded(flag(), "gif"), f"converted from a gif to a png and {PALETTE}"),
    "turned": (encoded(flag("P").rotate(180), "png", exif=noted(3)), f"turned upright and {PALETTE}"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_a_provider_may_refuse_is_converted_and_said(name: str) -> None:
    """The result needs no conversion, has 8 bits per channel, and looks the same."""
    data, conversion = ODD[name]
    assert look_at_sendable(data).conversion == conversion
    content, _ = as_sent(data)
    assert look_at_sendable(content).conversion == ""
    assert as_sent(data)[0] == content
    found = sent(data)
    assert found.size == (48, 32)
    assert is_red(found.getpixel((24, 4)))
    assert not is_red(found.getpixel((24, 28)))


@pytest.mark.parametrize(
    ("picture", "depth_bits"), [(Image.new("I;16", (8, 8), 0x8080), 16), (Image.new("1", (8, 8), 1), 1)]
)
def test_other_depths_are_scaled_and_not_cut(picture: Image.Image, depth_bits: int) -> None:
    """Mid-grey stays mid-grey, and white is white."""
    data = encoded(picture, "png")
    assert look_at_sendable(data).conversion == f"converted from {depth_bits} to 8 bits"
    assert sent(data).getpixel((4, 4)) == ((128,) * 3 if depth_bits == 16 else (255,) * 3)


def test_a_colour_key_becomes_an_alpha_channel() -> None:
    """The provider inpaints where alpha is 0, and may not know of the other ways to say it."""
    alpha = np.asarray(sent(encoded(flag(), "png", transparency=RED)).getchannel("A"))
    assert (alpha[:16] == 0).all()
    assert (alpha[16:] == 255).all()


@pytest.mark.parametrize("kind", ["text", "profile"])
def test_a_png_with_megabytes_of_text_or_profile_is_decoded(kind: str) -> None:
    """Pillow would refuse the whole picture for what is beside it."""
    info = PngImagePlugin.PngInfo()
    if kind == "text":
        info.add_text("prompt", "x" * 3_000_000, zip=True)
        info.add_itxt("workflow", "y" * 3_000_000, zip=True)
        data = encoded(flag(), "png", pnginfo=info)
    else:
        packed = b"big\0\0" + zlib.compress(bytes(3_000_000))
        chunk = (
            len(packed).to_bytes(4, "big")
            + b"iCCP"
            + packed
            + zlib.crc32(b"iCCP" + packed).to_bytes(4, "big")
        )
        plain = encoded(flag(), "png")
        data = plain[:33] + chunk + plain[33:]
    assert decode(data).size == (48, 32)
    assert as_sent(data) == (data, "image/png")
    assert decode_as_sent(data).size == (48, 32)


def test_a_profile_goes_with_the_converted_picture() -> None:
    """So that its numbers and its colours stay what they are."""
    data = encoded(flag().quantize(2), "png", icc_profile=DISPLAY_P3)
    with Image.open(io.BytesIO(as_sent(data)[0])) as picture:
        assert picture.info["icc_profile"] == DISPLAY_P3
        assert picture.getpixel((4, 4)) == RED
    assert decode(as_sent(data)[0]).tobytes() == decode(data).tobytes()


@pytest.mark.parametrize(("mode", "profile"), [("L", LINEAR_GREY), ("CMYK", PRESS)])
def test_what_no_profile_of_rgb_describes_is_converted_to_srgb(mode: str, profile: bytes) -> None:
    """Greys and inks that are converted anyway get the colours that their profile means."""
    data = encoded(flag(mode).rotate(180), "jpeg", icc_profile=profile, exif=noted(3))
    content, _ = as_sent(data, is_upright=True)
    with Image.open(io.BytesIO(content)) as picture:
        assert "icc_profile" not in picture.info
    difference = np.asarray(decode(content), int) - np.asarray(decode(data), int)
    assert np.abs(difference).max() <= 6


def test_a_picture_too_large_to_be_converted_is_refused_with_what_to_do() -> None:
    """One that needs no conversion is sent, however large."""
    header = bytearray(encoded(Image.new("1", (8, 8)), "png"))
    header[16:24] = (9000).to_bytes(4, "big") * 2
    header[29:33] = zlib.crc32(header[12:29]).to_bytes(4, "big")
    with pytest.raises(
        PictureError, match="must be converted from 1 to 8 bits before it is sent, and 9000 x 9000"
    ):
        look_at_sendable(bytes(header))


def test_a_phones_own_format_is_named() -> None:
    """Nobody can do much with “cannot identify image file”."""
    with pytest.raises(
        PictureError, match="HEIC, AVIF or video file, as phones make them; export it as JPEG"
    ):
        look_at_sendable(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")


@fuzz(examples=60)
@given(data=damaged() | st.binary(max_size=64))
def test_any_bytes_are_sent_as_a_sound_picture_or_refused(data: bytes) -> None:
    """What is converted is what it is said to be."""
    with bounded():
        try:
            seen = look_at_sendable(data)
            content, media_type = as_sent(data)
        except PictureError as error:
            refused = error.what
        else:
            refused = ""
    if refused:
        assert refused.isprintable()
        return
    assert media_type == seen.media_type
    if seen.conversion:
        assert decode(content).size == (seen.width, seen.height)
        assert look_at_sendable(content).conversion == ""
