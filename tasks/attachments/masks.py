"""Masks that Runoff draws, from a box or from a reference's transparency.

A mask is a png of the first reference's size; the provider inpaints where it is transparent.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.attachments.drawings import look_at_drawing, picture_bytes, reference_to
from tasks.attachments.references import MAX_MASK_BYTES, ReferenceFaultError
from tasks.campaign.mask import Mask
from tasks.catalogue.sizes import Size
from tasks.errors import PictureError
from tasks.order import Drawing, Reference
from tasks.pictures.container import HALF

if TYPE_CHECKING:
    from PIL import Image

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; right and bottom are the first pixels outside."""


def box_in_pixels(edges: tuple[str, ...], size: Size) -> Box:
    """Convert a box to pixels of a picture.

    Args:
        edges: Left, top, width, height; each pixels, or a share of the picture's width or height as ``25%``.
        size: The picture's size.

    Raises:
        ReferenceFaultError: An edge is not such a number, the box is empty, or it extends beyond the picture.

    Example:
        >>> box_in_pixels(("25%", "0", "50%", "100"), Size(400, 200))
        (100, 0, 300, 100)
    """
    described = f"the box [{', '.join(edges)}]"
    try:
        left, top, width, height = (
            _pixels(edge, whole) for edge, whole in zip(edges, (*size, *size), strict=True)
        )
    except ValueError as error:
        accepted = "left, top, width, height, each in pixels or as a share such as 25%"
        message = f"{described} is not a box, accepted: {accepted}"
        raise ReferenceFaultError(message) from error
    # Edges are rounded, not widths, so that 33.3 % and 66.7 % meet at the same pixel.
    box = round(left), round(top), round(left + width), round(top + height)
    if not (0 <= box[0] < box[2] <= size.width and 0 <= box[1] < box[3] <= size.height):
        message = f"{described} is not within the {size} pixels of the first reference"
        raise ReferenceFaultError(message)
    return box


def _pixels(edge: str, whole: int) -> float:
    if edge.endswith("%"):
        return float(edge.removesuffix("%")) * whole / 100
    return int(edge)


def check_mask(mask: Mask, first: Reference, *, has_alpha: bool) -> None:
    """Check that a mask can be drawn for a first reference, without drawing it.

    Args:
        mask: What is inpainted; templates in its box must be filled already.
        first: The first reference.
        has_alpha: Whether the first reference has an alpha channel.

    Raises:
        ReferenceFaultError: It cannot.
    """
    size = Size(first.width, first.height)
    for edges in (mask.box, mask.keep_box):
        if edges is None:
            continue
        box = box_in_pixels(edges, size)
        if mask.keep_box is not None and box == (0, 0, *size):
            message = f"the box keeps all of {first.file}, so nothing would be inpainted"
            raise ReferenceFaultError(message)
    if mask.alpha_of is not None and not has_alpha:
        message = f"{first.file} has no transparency for a mask"
        raise ReferenceFaultError(message)


@dataclass(frozen=True, slots=True)
class BoxMask:
    """A mask defined by a box.

    Args:
        size: The mask's size.
        box: The box.
        is_kept: Whether the box is kept and the rest inpainted, instead of the reverse.
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
    """A mask that is transparent where a picture is.

    Args:
        picture: The picture.
    """

    picture: Reference

    def draw(self) -> bytes:
        """Draw it as a png.

        Raises:
            ReferenceFaultError: The picture cannot be decoded, or has no transparent part.
            OSError: It is missing.
        """
        from tasks.pictures.sendable import decode_as_sent

        try:
            alpha = decode_as_sent(picture_bytes(self.picture)).convert("RGBA").getchannel("A")
        except PictureError as error:
            message = f"{self.picture.file} cannot be read as a picture: {error.what}"
            raise ReferenceFaultError(message) from error
        if not any(alpha.histogram()[:HALF]):
            message = f"{self.picture.file} has no transparent part, so nothing would be inpainted"
            raise ReferenceFaultError(message)
        return _png(alpha)


def plan_mask(mask: Mask, first: Reference, folder: Path) -> Reference:
    """Draw a mask for a first reference, without writing it; see ``tasks.attachments.drawings``.

    Args:
        mask: What is inpainted; templates in its box must be filled already.
        first: The first reference.
        folder: Where drawn masks are stored.

    Raises:
        ReferenceFaultError: It cannot be drawn, or nothing would be inpainted.
        OSError: The reference is missing.
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
