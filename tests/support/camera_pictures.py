"""Pictures as cameras and painting programs write them, sound and damaged."""

import io
from typing import Any

from hypothesis import strategies as st
from PIL import ExifTags, Image

RED, BLUE = (200, 40, 40), (40, 40, 200)


def flag(mode: str = "RGB", size: tuple[int, int] = (48, 32)) -> Image.Image:
    """Paint a picture whose upper half is red and whose lower half is blue."""
    picture = Image.new("RGB", size, BLUE)
    picture.paste(RED, (0, 0, size[0], size[1] // 2))
    return picture.convert(mode)


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """Encode a picture."""
    stream = io.BytesIO()
    picture.save(stream, kind.upper(), **options)
    return stream.getvalue()


def noted(orientation: int) -> Image.Exif:
    """Make the EXIF data of a camera that was held so."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif


HELD = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}  # fmt: skip
"""How a camera stores an upright scene, by the orientation that it notes."""


KINDS = [
    encoded(flag().transpose(HELD[6]), "jpeg", exif=noted(6)),
    encoded(flag("CMYK"), "jpeg"),
    encoded(flag("P"), "png", exif=noted(8), transparency=0),
    encoded(flag(), "png", save_all=True, append_images=[flag("L").convert("RGB")]),
    encoded(flag("RGBA"), "webp", exif=noted(5), lossless=True),
    encoded(flag(), "gif"),
    encoded(Image.new("I;16", (48, 32), 40_000), "png"),
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Take a picture and change some of its bytes, cut it, or put others in between."""
    data = bytearray(draw(st.sampled_from(KINDS)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 8))] = draw(st.binary(max_size=8))
    return bytes(data[: draw(st.integers(0, len(data)) | st.just(len(data)))])
