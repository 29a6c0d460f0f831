"""Plain PNGs decoded by libvips, against Pillow: the same pixels, and the same files refused."""

import io
import struct
import zlib
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

from tasks.emulator.mosaic import png_chunk
from tasks.errors import PictureError
from tasks.pictures import decoding, plain_png
from tasks.pictures.container import png_chunks
from tasks.pictures.decoding import decode
from tests.support.colour_profiles import ADOBE_RGB
from tests.support.fuzzing import bounded, fuzz

pytest.importorskip("pyvips", reason="has no wheel for this platform")

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MANIFEST = png_chunk(b"caBX", b"not signed, only there")


def written(width: int, height: int, colour_type: int, seed: int, between: bytes = b"") -> bytes:
    """Write a PNG of random bytes, each line by a filter of its own, in three chunks of pixels."""
    chance = np.random.default_rng(seed)
    lines = chance.integers(0, 256, (height, 1 + width * {2: 3, 6: 4}[colour_type]), np.uint8)
    lines[:, 0] = chance.integers(0, 5, height)
    packed = zlib.compress(lines.tobytes(), int(chance.integers(0, 10)))
    cuts = sorted(chance.integers(0, len(packed) + 1, 2).tolist())
    parts = (packed[: cuts[0]], packed[cuts[0] : cuts[1]], packed[cuts[1] :])
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0))
    pixels = b"".join(png_chunk(b"IDAT", part) for part in parts)
    return b"".join([SIGNATURE, header, between, pixels, png_chunk(b"IEND", b"")])


PLAIN = st.builds(
    written, st.integers(1, 40), st.integers(1, 40), st.sampled_from([2, 6]), st.integers(0, 2**32),
    st.sampled_from([b"", MANIFEST, png_chunk(b"tEXt", b"Comment\0of a provider")]),
)  # fmt: skip


def seen(data: bytes) -> tuple[object, ...]:
    """Tell what became of bytes: the picture, or what is wrong with them."""
    try:
        picture = decode(data)
    except PictureError as fault:
        return (fault.what,)
    return picture.mode, picture.size, picture.tobytes(), sorted(picture.info)


def by_pillow(data: bytes) -> tuple[object, ...]:
    """Tell the same without libvips."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "decode_plain", lambda _: None)
        return seen(data)


@fuzz(examples=60)
@given(PLAIN)
def test_a_plain_png_has_the_same_pixels(data: bytes) -> None:
    """Whatever its size, filters and parts; and it is libvips that decodes it."""
    assert seen(data) == by_pillow(data)
    assert plain_png.decode_plain(decoding._without_texts(data)) is not None


@pytest.mark.parametrize("fault", [ImportError, OSError, AttributeError])
def test_without_libvips_pillow_decodes(fault: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it is not installed, cannot be loaded, or is of another time than its binding."""

    def fail(_: str) -> None:
        raise fault

    data = written(20, 10, 2, seed=1)
    expected = seen(data)
    monkeypatch.setattr(plain_png, "import_module", fail)
    plain_png._libvips.cache_clear()
    try:
        assert plain_png.decode_plain(data) is None
        assert seen(data) == expected
    finally:
        plain_png._libvips.cache_clear()


def mended(data: bytes) -> bytes:
    """Write the checksums of what stands there now, as somebody does who wants a file to be believed."""
    parts = [png_chunk(data[start - 4 : start], data[start:end]) for _, start, end in png_chunks(data)]
    return SIGNATURE + b"".join(parts)


@fuzz(examples=150)
@given(
    PLAIN, st.integers(8, 2**20), st.integers(1, 255), st.booleans(), st.sampled_from(["bit", "cut", "zeros"])
)
def test_a_damaged_png_is_refused_or_seen_as_by_pillow_alone(
    data: bytes, place: int, change: int, is_mended: bool, damage: str
) -> None:
    """A changed byte, an early end and lost bytes, with checksums that tell and that do not."""
    at = place % len(data)
    damaged = bytearray(data)
    if damage == "cut":
        del damaged[at:]
    else:
        damaged[at : at + 1] = bytes([damaged[at] ^ change]) if damage == "bit" else b""
    broken = mended(bytes(damaged)) if is_mended else bytes(damaged)
    assume(broken != data)
    assert seen(broken) == by_pillow(broken)


def test_a_picture_one_pixel_wide_takes_no_longer_for_its_height() -> None:
    """A gateway may send it: two million lines, in a file of a few kilobytes."""
    height = 2_000_000
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, height, 8, 2, 0, 0, 0))
    pixels = png_chunk(b"IDAT", zlib.compress(bytes(4 * height)))
    data = b"".join([SIGNATURE, header, pixels, png_chunk(b"IEND", b"")])
    with bounded():
        picture = plain_png.decode_plain(data)
    assert picture is not None
    assert picture.size == (1, height)


def exif(orientation: int) -> bytes:
    """Note how the camera was held."""
    noted = Image.Exif()
    noted[0x0112] = orientation
    return noted.tobytes()


PECULIAR: Mapping[str, tuple[str, dict[str, object]]] = {
    "black and white": ("1", {}),
    "grey": ("L", {}),
    "grey with transparency": ("LA", {}),
    "a palette": ("P", {}),
    "16 bits": ("I;16", {}),
    "a profile": ("RGB", {"icc_profile": ADOBE_RGB}),
    "an orientation": ("RGB", {"exif": exif(6)}),
    "a transparent colour": ("RGB", {"transparency": (255, 255, 255)}),
    "a size in metres": ("RGB", {"dpi": (300, 300)}),
    "more frames": ("RGB", {"save_all": True, "append_images": [Image.new("RGB", (30, 20), "red")]}),
}


@pytest.mark.parametrize("what", PECULIAR)
def test_pillow_decides_about_a_png_with_anything_else(what: str) -> None:
    """What turns, recolours or hides pixels is Pillow's to read."""
    mode, more = PECULIAR[what]
    stream = io.BytesIO()
    Image.radial_gradient("L").resize((30, 20)).convert(mode).save(stream, "PNG", **more)
    data = stream.getvalue()
    assert plain_png.decode_plain(data) is None
    assert seen(data) == by_pillow(data)


@pytest.mark.parametrize("seed", range(3))
def test_damaged_credentials_are_refused(seed: int) -> None:
    """Pillow refuses a damaged chunk before the pixels; libvips would not look at it."""
    broken = bytearray(MANIFEST)
    broken[10 + seed] ^= 4
    data = written(9, 9, 2, seed, bytes(broken))
    assert len(seen(data)) == 1
    assert seen(data) == by_pillow(data)
