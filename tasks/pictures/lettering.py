"""Text on drawn sheets: cut to its room, or wrapped."""

from bisect import bisect_right
from functools import cache
from math import ceil

from PIL import ImageDraw, ImageFont


@cache
def font_of(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font of a size, px."""
    return ImageFont.load_default(size)


def write(
    pen: ImageDraw.ImageDraw, at: tuple[int, int], text: str, size: int, colour: str, room_px: int
) -> None:
    """Write one line of text, cut where it is too long.

    Args:
        pen: Draws on the sheet.
        at: The left upper corner, px.
        text: The text.
        size: The size of the font, px.
        colour: Its colour.
        room_px: The width that it may take.
    """
    pen.text(at, cut(pen, text, size, room_px), fill=colour, font=font_of(size))


def cut(pen: ImageDraw.ImageDraw, text: str, size: int, room_px: int) -> str:
    """Cut a text to one line of its room, with an ellipsis in place of the rest.

    A prompt may have 30,000 characters, and a cell of a table lines of its own, which a space stands for.

    Args:
        pen: Measures the text.
        text: The text.
        size: The size of the font, px.
        room_px: The width that it may take.
    """
    font = font_of(size)
    text = " ".join(text.expandtabs(1).splitlines())
    if pen.textlength(text, font=font) <= room_px:
        return text

    def shortened(length: int) -> str:
        return text[:length].rstrip() + "…"

    def width_px(length: int) -> int:
        return ceil(pen.textlength(shortened(length), font=font))

    n_fitting = bisect_right(range(len(text)), room_px, key=width_px)
    return shortened(max(0, n_fitting - 1))


def wrap(pen: ImageDraw.ImageDraw, text: str, size: int, room_px: int) -> list[str]:
    """Break text into lines; a word that is too long has a line of its own.

    Args:
        pen: Measures the text.
        text: The text.
        size: The size of the font, px.
        room_px: The width of a line.
    """
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and pen.textlength(longer, font=font_of(size)) > room_px:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
