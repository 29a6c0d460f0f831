"""Masks that Runoff draws: from a box, or from the reference's own transparency.

A mask is a png of the first reference's size; where it is clear, the provider makes the picture anew.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.attachments.drawings import look_at_drawing, picture_bytes, reference_to
from tasks.attachments.references import MAX_MASK_BYTES, ReferenceFaultError
from tasks.campaign.mask import Mask
from tasks.catalogue.sizes import Size
from tasks.order import Drawing, Reference

if TYPE_CHECKING:
    from PIL import Image

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; right and bottom are the first pixels outside."""


def box_in_pixels(edges: tuple[str, ...], size: Size) -> Box:
    """Bring a box to the pixels of a picture.

    Args:
        edges: Left, top, width, height; each pixels, or a share of the picture's width or height as ``25%``.
        size: The picture's size.

    Raises:
        ReferenceFaultError: An edge is no such number, the box is empty, or it reaches out of the picture.

    Example:
        >>> box_in_pixels(("25%", "0", "50%", "100"), Size(400, 200))
        (100, 0, 300, 100)
    """
    told = f"the box [{', '.join(edges)}]"
    try:
        left, top, width, height = (
            _pixels(edge, whole) for edge, whole in zip(edges, (*size, *size), strict=True)
        )
    except ValueError as error:
        message = f"{told} is no left, top, width and height, each in pixels or as a share such as 25%"
        raise ReferenceFaultError(message) from error
    # Edges are rounded, not widths: 33.3 % and 66.7 % then meet in one pixel.
    box = round(left), round(top), round(left + width), round(top + height)
    if not (0 <= box[0] < box[2] <= size.width and 0 <= box[1] < box[3] <= size.height):
        message = f"{told} does not lie within the {size} pixels of the first reference"
        raise ReferenceFaultError(message)
    return box


def _pixels(edge: str, whole: int) -> float:
    if edge.endswith("%"):
        return float(edge.removesuffix("%")) * whole / 100
    return int(edge)


def check_mask(mask: Mask, first: Reference, *, has_alpha: bool) -> None:
    """Tell whether a mask can be drawn for a first reference, without drawing it.

    Raises:
        ReferenceFaultError: It cannot.
    """
    size = Size(first.width, first.height)
    for edges in (mask.box, mask.keep_box):
        if edges is None:
            continue
        box = box_in_pixels(edges, size)
        if mask.keep_box is not None and box == (0, 0, *size):
            message = f"the box keeps the whole of {first.file}, so nothing would be made anew"
            raise ReferenceFaultError(message)
    if mask.alpha_of is not None and not has_alpha:
        message = f"{first.file} has no transparency to take a mask from"
        raise ReferenceFaultError(message)


@dataclass(frozen=True, slots=True)
class BoxMask:
    """A mask with a box in it.

    Args:
        size: The mask's size.
        box: The box.
        is_kept: The box is kept and all around it is made anew, not the other way round.
    """

    size: Size
    box: Box
    is_kept: bool

    def draw(self) -> bytes:
        """Draw it as a png."""
        from PIL import Image

        alpha = Image.new("L", self.size, 0 if self.is_kept else 255)
        alpha.paste(255 if self.is_kept else 0, self.box)
        return _png(alpha)


@dataclass(frozen=True, slots=True)
class AlphaMask:
    """A mask that is clear where a picture is see-through.

    Args:
        picture: The picture; with other bytes under its name it is another one.
    """

    picture: Reference

    def draw(self) -> bytes:
        """Draw it as a png.

        Raises:
            ReferenceFaultError: The picture is nowhere see-through.
            OSError: It is gone.
        """
        from PIL import Image

        with Image.open(io.BytesIO(picture_bytes(self.picture))) as opened:
            alpha = opened.convert("RGBA").getchannel("A")
        if alpha.getextrema()[0] == 255:
            message = f"{self.picture.file} is nowhere see-through, so nothing would be made anew"
            raise ReferenceFaultError(message)
        return _png(alpha)


def plan_mask(mask: Mask, first: Reference, folder: Path) -> Reference:
    """Lay a mask over a first reference, without writing it; see ``tasks.attachments.drawings``.

    Args:
        mask: What is made anew; its box filled in, no template any more.
        first: The picture that it is laid over.
        folder: Where drawn masks are kept.

    Raises:
        ReferenceFaultError: It cannot be drawn, or nothing of the picture would be made anew.
        OSError: The reference is gone.
    """
    size = Size(first.width, first.height)
    edges = mask.box or mask.keep_box
    drawing: Drawing = AlphaMask(first)
    if edges is not None:
        drawing = BoxMask(size, box_in_pixels(edges, size), mask.keep_box is not None)
    n_bytes = look_at_drawing(drawing).n_bytes
    if n_bytes >= MAX_MASK_BYTES:
        message = f"the mask drawn for {first.file} has {n_bytes:,} bytes, over {MAX_MASK_BYTES:,}"
        raise ReferenceFaultError(message)
    return reference_to(drawing, size, folder)


def _png(alpha: "Image.Image") -> bytes:
    from PIL import Image

    mask = Image.new("RGBA", alpha.size, (0, 0, 0, 255))
    mask.putalpha(alpha)
    stream = io.BytesIO()
    mask.save(stream, "PNG", compress_level=9)
    return stream.getvalue()
