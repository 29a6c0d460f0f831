"""References: described by their bytes, and refused before anything is spent when they cannot be sent."""

import hashlib
import io
import random
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tasks.attachments.references import (
    MAX_REFERENCE_BYTES,
    ReferenceFaultError,
    read_reference,
)


def encode(kind: str, **options: object) -> bytes:
    """Encode 48 x 32 pixels of noise, which no encoder can make tiny."""
    noise = Image.effect_noise((48, 32), 60)
    stream = io.BytesIO()
    Image.merge("RGB", (noise, noise, noise)).save(stream, kind.upper(), **options)
    return stream.getvalue()


def read(folder: Path, data: bytes) -> str:
    """Keep bytes as a file and read it as a reference; returns its media type."""
    file = folder / "a"
    file.write_bytes(data)
    return read_reference(str(file)).media_type


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_reference_is_described(kind: str, tmp_path: Path) -> None:
    """What is sent along is known by its bytes, size and media type."""
    path = tmp_path / "reference"
    path.write_bytes(encode(kind))
    reference = read_reference(str(path))
    assert (reference.width, reference.height, reference.media_type) == (48, 32, f"image/{kind}")
    assert reference.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert Path(reference.file).is_absolute()


def test_reference_must_be_of_an_accepted_format(tmp_path: Path) -> None:
    """The endpoint takes three formats."""
    with pytest.raises(ReferenceFaultError, match="only png, jpeg and webp can be sent"):
        read(tmp_path, encode("gif"))


def test_reference_must_not_be_too_large(tmp_path: Path) -> None:
    """Fifty million bytes are refused before any are sent."""
    with (tmp_path / "big.png").open("wb") as stream:
        stream.truncate(MAX_REFERENCE_BYTES)
    with pytest.raises(ReferenceFaultError, match="less than 50,000,000"):
        read_reference(str(tmp_path / "big.png"))


KINDS: dict[str, tuple[str, dict[str, object]]] = {
    "png": ("png", {}),
    "animated png": ("png", {"save_all": True, "append_images": [Image.new("RGB", (48, 32))]}),
    "jpeg": ("jpeg", {}),
    "progressive jpeg": ("jpeg", {"progressive": True}),
    "jpeg with restarts": ("jpeg", {"restart_marker_rows": 1}),
    "jpeg with a thumbnail": ("jpeg", {"exif": b"Exif\0\0" + encode("jpeg")}),
    "webp": ("webp", {}),
    "lossless webp": ("webp", {"lossless": True}),
    "extended webp": ("webp", {"exif": b"Exif\0\0MM\0*"}),
    "animated webp": ("webp", {"save_all": True, "append_images": [Image.new("RGB", (48, 32))]}),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_reference_that_is_cut_off_anywhere_is_refused(name: str, tmp_path: Path) -> None:
    """A picture that nobody can decode is not paid for; whatever follows its end is no part of it."""
    kind, options = KINDS[name]
    data = encode(kind, **options)
    sent = "jpeg" if name == "animated webp" else kind
    assert read(tmp_path, data) == f"image/{sent}"
    assert read(tmp_path, data + b"a film, \xff\xd8 and more") == f"image/{sent}"
    for length in {12, 30, 100, len(data) // 2, len(data) - 500, len(data) - 9, len(data) - 2}:
        with pytest.raises(ReferenceFaultError, match=r"is truncated: .*bytes"):
            read(tmp_path, data[:length])


def test_a_phones_jpeg_with_more_pictures_in_it_is_a_jpeg(tmp_path: Path) -> None:
    """A gain map or a second view follows the first picture, which alone must be whole."""
    first, second = encode("jpeg"), Image.new("RGB", (48, 32))
    stream = io.BytesIO()
    with Image.open(io.BytesIO(first)) as picture:
        picture.save(stream, "MPO", save_all=True, append_images=[second])
    assert read(tmp_path, stream.getvalue()) == "image/jpeg"
    with pytest.raises(ReferenceFaultError, match="is truncated"):
        read(tmp_path, stream.getvalue()[: len(first) - 100])


def test_a_png_with_megabytes_of_text_is_a_reference(tmp_path: Path) -> None:
    """As painting programs save their workflow; Pillow alone would refuse the picture."""
    info = PngInfo()
    info.add_itxt("workflow", "y" * 3_000_000, zip=True)
    (tmp_path / "a.png").write_bytes(encode("png", pnginfo=info))
    assert read_reference(str(tmp_path / "a.png"), decodes=True).media_type == "image/png"


def test_every_flipped_bit_of_a_png_is_found(tmp_path: Path) -> None:
    """Its chunks have checksums, so damage is found without decoding."""
    data, chance = encode("png"), random.Random(0)
    for _ in range(100):
        damaged = bytearray(data)
        damaged[chance.randrange(8, len(data))] ^= 1 << chance.randrange(8)
        with pytest.raises(ReferenceFaultError, match=r"is truncated|is damaged: the checksum"):
            read(tmp_path, bytes(damaged))


def test_a_broken_chunk_that_decoders_skip_is_borne(tmp_path: Path) -> None:
    """A text chunk after the pixels does not matter to them."""
    data = encode("png")
    text = b"tEXt" + b"who\0me"
    broken = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text) ^ 1)
    assert read(tmp_path, data[:-12] + broken + data[-12:]) == "image/png"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\xff\xd8\xff\xe0\x00\x04ab\xff\xd9", "the jpeg ends before its pixels"),
        (
            b"RIFF\x14\x00\x00\x00WEBPVP8 \xff\x00\x00\x00ABCDEFGH",
            "its chunk at byte 12 reaches past the end",
        ),
        (b"RIFF\x14\x00\x00\x00WEBPEXIF\x08\x00\x00\x00ABCDEFGH", "the webp has no pixels"),
    ],
)
def test_a_container_without_its_pixels_is_damaged(data: bytes, what: str, tmp_path: Path) -> None:
    """Though nothing is missing at its end."""
    with pytest.raises(ReferenceFaultError, match=f"is damaged: {what}"):
        read(tmp_path, data)


def test_pixels_that_cannot_be_decoded_are_found_by_decoding(tmp_path: Path) -> None:
    """A PNG of a broken encoder: every checksum is right, and half the pixels are missing."""
    header = struct.pack(">IIBBBBB", 48, 32, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(48 * 3 * 16))), (b"IEND", b"")]
    file = tmp_path / "a.png"
    file.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
            for kind, content in chunks
        )
    )
    read_reference(str(file))
    with pytest.raises(ReferenceFaultError, match=r"a\.png cannot be decoded: "):
        read_reference(str(file), decodes=True)
