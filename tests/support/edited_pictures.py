"""Pictures on plain grounds, and the edits after which they are still the same picture."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps

EDGE_PX = 512
GROUND = (226, 222, 214)

Edit = Callable[[Image.Image], Image.Image]


def draw_stool(n_legs: int = 3, *, logo: str = "O", seat: str = "#8a4b2a") -> Image.Image:
    """Draw a stool on a plain ground.

    Args:
        n_legs: How many legs it has.
        logo: What is written on its seat.
        seat: The seat's colour.
    """
    picture = Image.new("RGB", (EDGE_PX, EDGE_PX), GROUND)
    draw = ImageDraw.Draw(picture)
    for left in np.linspace(170, 330, n_legs):
        draw.rectangle((left, 260, left + 12, 430), fill="#4a2c18")
    draw.ellipse((140, 190, 372, 290), fill=seat)
    draw.text((256, 238), logo, font=ImageFont.load_default(56), fill="#f2e6c8", anchor="mm")
    return picture


def write_lines(*lines: str) -> Image.Image:
    """Write lines on a plain ground."""
    picture = Image.new("RGB", (EDGE_PX, EDGE_PX), "#1f3a34")
    text = "\n".join(lines)
    ImageDraw.Draw(picture).text((60, 180), text, font=ImageFont.load_default(48), fill="#f4efe2", spacing=14)
    return picture


def cropped(left: float = 0, top: float = 0, right: float = 0, bottom: float = 0) -> Edit:
    """Cut shares of the edges off."""
    return lambda one: one.crop(
        (
            round(left * one.width), round(top * one.height),
            round((1 - right) * one.width), round((1 - bottom) * one.height),
        )
    )  # fmt: skip


def scaled(factor: float) -> Edit:
    """Resize both edges."""
    return lambda one: one.resize((round(one.width * factor), round(one.height * factor)))


def compressed(quality: int) -> Edit:
    """Compress as JPEG."""

    def edit(one: Image.Image) -> Image.Image:
        stream = io.BytesIO()
        one.save(stream, "JPEG", quality=quality)
        return Image.open(io.BytesIO(stream.getvalue())).convert("RGB")

    return edit


def grainy(levels: float) -> Edit:
    """Add noise of a standard deviation."""

    def edit(one: Image.Image) -> Image.Image:
        noise = np.random.default_rng(1).normal(0, levels, (one.height, one.width, 3))
        return Image.fromarray(np.clip(np.asarray(one) + noise, 0, 255).astype(np.uint8))

    return edit


def moved(right_px: int, down_px: int) -> Edit:
    """Move what is shown; the ground is continued."""

    def edit(one: Image.Image) -> Image.Image:
        ground = Image.new("RGB", one.size, one.getpixel((0, 0)))
        ground.paste(one, (right_px, down_px))
        return ground

    return edit


def brighter(factor: float) -> Edit:
    """Multiply every level."""
    return lambda one: ImageEnhance.Brightness(one).enhance(factor)


def snowy(one: Image.Image) -> Image.Image:
    """Make it nearly white, with a sixth of its contrast."""
    return Image.blend(one, Image.new("RGB", one.size, "#f4f6fa"), 5 / 6)


def framed(colour: str, share: float, *, below: float | None = None, line_px: int = 0) -> Edit:
    """Put a border round it.

    Args:
        colour: Of the border.
        share: Its width in shares of the edge.
        below: Its width below, if another one.
        line_px: The width of a dark line between picture and border.
    """

    def edit(one: Image.Image) -> Image.Image:
        lined = ImageOps.expand(one, line_px, "#202020")
        width, low = (round(each * one.width) for each in (share, share if below is None else below))
        return ImageOps.expand(lined, (width, width, width, low), colour)

    return edit


EDITS: dict[str, Edit] = {
    "compressed": compressed(50),
    "half the size": scaled(0.5),
    "half as large again": scaled(1.5),
    "15 % brighter": brighter(1.15),
    "15 % darker": brighter(0.85),
    "more contrast": lambda one: ImageEnhance.Contrast(one).enhance(1.1),
    "5 % off one corner": cropped(left=0.05, top=0.05),
    "5 % off every side": cropped(0.05, 0.05, 0.05, 0.05),
    "grain": grainy(6),
    "moved by 4 px": moved(4, 4),
    "all at once": lambda one: compressed(60)(
        ImageEnhance.Brightness(scaled(0.7)(cropped(0.02, 0.03, 0, 0.01)(one))).enhance(1.1)
    ),
}
"""What a picture stays the same under, by name."""
