"""Picture bytes: hostile ones, and on disk."""

import io
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tasks.errors import PictureError
from tasks.pictures import container
from tasks.pictures.container import detect_format, has_c2pa, read_header
from tasks.pictures.decoding import decode, flatten, make_thumbnail, shrink

FORMATS = ("png", "jpeg", "webp", "gif")

PATIENTLY = settings(deadline=None)  # a busy machine is no failure


def paint(width: int = 48, height: int = 32, mode: str = "RGB") -> Image.Image:
    """Paint something that no encoder can make tiny."""
    noise = Image.effect_noise((width, height), 60)
    return Image.merge("RGB", (noise, noise.rotate(90).resize(noise.size), noise)).convert(mode)


def encode(picture: Image.Image, kind: str) -> bytes:
    """Encode with Pillow, an oracle for our own reading of containers."""
    stream = io.BytesIO()
    picture.save(stream, kind.upper())
    return stream.getvalue()


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """Build one PNG chunk by the PNG specification, section 5.3."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_bomb(width: int, height: int) -> bytes:
    """Build a small PNG that says it is huge."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(4096))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("size", [(1, 1), (48, 32), (513, 7)])
def test_header_agrees_with_pillow(kind: str, size: tuple[int, int]) -> None:
    """Format and size come out of the bytes as they went in."""
    header = read_header(encode(paint(*size), kind))
    assert (header.format, header.width, header.height) == (kind, *size)


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 50}, {"exif": b"Exif\x00\x00MM\x00*"}])
def test_header_reads_every_kind_of_webp(options: dict[str, object]) -> None:
    """WebP has three ways of telling its size: lossy, lossless and extended."""
    stream = io.BytesIO()
    paint(211, 97).save(stream, "WEBP", **options)
    header = read_header(stream.getvalue())
    assert (header.width, header.height) == (211, 97)


def test_header_reads_a_progressive_jpeg_with_a_long_profile() -> None:
    """The size stands behind other segments, and the frame marker differs."""
    stream = io.BytesIO()
    paint(211, 97).save(stream, "JPEG", progressive=True, icc_profile=bytes(70_000))
    assert read_header(stream.getvalue()) == container.Header("jpeg", 211, 97)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><title>502</title>", "HTML"),
        (b"\n <html><body>", "HTML"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b'{"error": {"message": "no"}}', "JSON"),
        (b"GIF but not really", "not a picture"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "ends before"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "ends before"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x01", "ends before"),
    ],
)
def test_what_is_no_picture_is_named(data: bytes, word: str) -> None:
    """A person reads what came instead of a picture."""
    with pytest.raises(PictureError, match=word):
        decode(data)


@pytest.mark.parametrize("size", [(20_000, 20_000), (2_000_000_000, 2_000_000_000), (33_177_601, 1)])
def test_bomb_is_refused_by_its_header(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoder is never started on a picture that would fill the memory."""
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("the decoder was started"))
    with pytest.raises(PictureError, match="more than the limit of 33,177,600"):
        decode(png_bomb(*size))


def test_empty_size_is_refused() -> None:
    """A picture of no pixels is no picture."""
    with pytest.raises(PictureError, match="0 x 5"):
        decode(png_bomb(0, 5))


@pytest.mark.parametrize("kind", FORMATS)
@PATIENTLY
@given(share=st.floats(0, 0.98))
def test_cut_off_picture_is_a_picture_error(kind: str, share: float) -> None:
    """Wherever the bytes end, nothing but a PictureError comes out."""
    data = encode(paint(), kind)
    with pytest.raises(PictureError):
        decode(data[: int(len(data) * share)])


def test_png_without_its_end_is_cut_off() -> None:
    """All pixels are there, but the file is not what the provider finished writing."""
    with pytest.raises(PictureError, match="truncated"):
        decode(encode(paint(), "png")[:-12])


@pytest.mark.parametrize("kind", FORMATS)
@PATIENTLY
@given(data=st.data())
def test_damaged_bytes_decode_or_are_a_picture_error(kind: str, data: st.DataObject) -> None:
    """No byte of a file, whatever it is changed to, makes another exception or a warning."""
    whole = bytearray(encode(Image.linear_gradient("L").resize((24, 16)).convert("RGB"), kind))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(PictureError):
        assert decode(bytes(whole)).mode in ("RGB", "RGBA")


def test_a_palette_picture_without_its_palette_is_a_picture_error() -> None:
    """Every checksum is right; Pillow fails an assertion of its own."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 3, 0, 0, 0))
    pixels = png_chunk(b"IDAT", zlib.compress(bytes(20)))
    with pytest.raises(PictureError, match="damaged"):
        decode(b"".join([b"\x89PNG\r\n\x1a\n", header, pixels, png_chunk(b"IEND", b"")]))


@pytest.mark.parametrize(
    ("mode", "decoded"), [("L", "RGB"), ("P", "RGB"), ("LA", "RGBA"), ("RGBA", "RGBA"), ("1", "RGB")]
)
def test_every_mode_becomes_eight_bits_a_channel(mode: str, decoded: str) -> None:
    """Later steps meet two modes only."""
    assert decode(encode(paint(mode=mode), "png")).mode == decoded


def test_sixteen_bits_of_grey_are_scaled() -> None:
    """Pillow would clip them to white."""
    deep = Image.new("I;16", (4, 4), 32_896)
    assert decode(encode(deep, "png")).getpixel((0, 0)) == (128, 128, 128)


def test_missing_file_is_a_picture_error(tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(PictureError, match=r"gone\.png"):
        decode(tmp_path / "gone.png")


def test_hidden_colours_do_not_show_through() -> None:
    """Two pictures that look alike are alike when flattened, whatever lies under full transparency."""
    red, blue = (Image.new("RGBA", (8, 8), colour) for colour in ((255, 0, 0, 0), (0, 0, 255, 0)))
    assert flatten(red).tobytes() == flatten(blue).tobytes() == Image.new("RGB", (8, 8), (128,) * 3).tobytes()


def test_content_credentials_are_seen_in_png() -> None:
    """A ``caBX`` chunk is where PNG carries them."""
    plain = encode(paint(), "png")
    signed = plain[:33] + png_chunk(b"caBX", b"jumbf") + plain[33:]
    assert has_c2pa(signed) is True
    assert has_c2pa(plain) is False
    assert decode(signed).size == (48, 32)


def test_content_credentials_are_not_seen_in_pixels() -> None:
    """The letters alone prove nothing: only a chunk counts."""
    plain = encode(paint(), "png")
    assert has_c2pa(plain[:33] + png_chunk(b"tEXt", b"Comment\x00caBX") + plain[33:]) is False


def test_content_credentials_are_seen_in_jpeg() -> None:
    """An APP11 segment with a JUMBF box is where JPEG carries them."""
    plain = encode(paint(), "jpeg")
    box = b"JP" + struct.pack(">HI", 1, 1) + struct.pack(">I", 30) + b"jumb" + bytes(20)
    signed = plain[:2] + b"\xff\xeb" + struct.pack(">H", len(box) + 2) + box + plain[2:]
    assert has_c2pa(signed) is True
    assert has_c2pa(plain) is False
    assert decode(signed).size == (48, 32)


def test_content_credentials_are_seen_in_webp() -> None:
    """A RIFF chunk ``C2PA`` is where WebP carries them, also behind a chunk of odd length."""
    plain = encode(paint(), "webp")
    tail = b"ABCD" + struct.pack("<I", 3) + b"odd\x00" + b"C2PA" + struct.pack("<I", 4) + b"jumb"
    signed = b"RIFF" + struct.pack("<I", len(plain) + len(tail) - 8) + plain[8:] + tail
    assert has_c2pa(signed) is True
    assert has_c2pa(plain) is False


def test_unknown_containers_tell_nothing_of_credentials() -> None:
    """Unknown is not no."""
    assert has_c2pa(encode(paint(), "gif")) is None
    assert has_c2pa(b"nothing") is None


@PATIENTLY
@given(st.binary(max_size=200))
def test_any_bytes_are_looked_at_safely(data: bytes) -> None:
    """Format and credentials of anything at all can be asked for."""
    for start in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF0000WEBP", b"GIF89a"):
        assert has_c2pa(start + data) in (True, False, None)
        assert detect_format(start + data) in (*FORMATS, None)


def test_thumbnail_keeps_proportions_and_transparency() -> None:
    """It is a WebP of the asked size, and what was clear stays clear."""
    picture = Image.new("RGBA", (1536, 768), (0, 0, 0, 0))
    small = decode(make_thumbnail(picture, 384))
    assert small.size == (384, 192)
    assert small.mode == "RGBA"
    assert small.getpixel((5, 5))[3] == 0  # type: ignore[index]


def test_small_picture_is_not_enlarged() -> None:
    """A thumbnail invents no pixels."""
    assert decode(make_thumbnail(paint(20, 10))).size == (20, 10)


@PATIENTLY
@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 500))
def test_shrunken_picture_fits(width: int, height: int, edge_px: int) -> None:
    """No edge is longer than asked, none is lost, and a copy is not much smaller than it may be."""
    small = shrink(Image.new("L", (width, height)), edge_px)
    assert max(small.size) <= edge_px
    assert min(small.size) >= 1
    assert max(small.size) >= min(edge_px, max(width, height)) * 2 / 3 - 1
