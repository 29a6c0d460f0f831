"""Fits a draft to the proportions of its final, so that both show the same part of the scene."""

import io
from dataclasses import dataclass
from pathlib import Path

from tasks.attachments.drawings import reference_to
from tasks.campaign.finals import Fit
from tasks.catalogue.sizes import Size
from tasks.errors import PictureError
from tasks.limits import PICTURE_BYTES
from tasks.order import Reference
from tasks.storage.regular_file import read_regular

SAME_SHAPE = 0.01
"""Proportions that differ by less count as equal, allowing for rounding to whole pixels."""


def is_same_shape(one: Size, other: Size) -> bool:
    """Return whether two sizes have the same proportions."""
    return abs(one.width * other.height / (one.height * other.width) - 1) < SAME_SHAPE


def framed_size(draft: Size, final: Size, fit: Fit) -> Size:
    """Return the size in which a draft is sent.

    Args:
        draft: The draft's size.
        final: The final's size; only its proportions matter.
        fit: ``pad`` extends the draft's sides, ``crop`` cuts them; otherwise the draft is unchanged.

    Example:
        >>> framed_size(Size(1024, 1024), Size(1536, 1024), "pad")
        Size(width=1536, height=1024)
    """
    if fit not in ("pad", "crop") or is_same_shape(draft, final):
        return draft
    is_wider = final.width * draft.height > draft.width * final.height
    if is_wider == (fit == "pad"):
        return Size(max(1, round(draft.height * final.width / final.height)), draft.height)
    return Size(draft.width, max(1, round(draft.width * final.height / final.width)))


@dataclass(frozen=True, slots=True)
class FramedDraft:
    """A draft fitted to another size, centred.

    Args:
        draft: The draft as it was received.
        size: The size; areas added at the draft's sides are transparent.
    """

    draft: Reference
    size: Size

    def draw(self) -> bytes:
        """Draw it as a png.

        Raises:
            OSError: The draft's file is gone or damaged.
        """
        from PIL import Image

        from tasks.pictures.decoding import decode

        width, height = self.draft.width, self.draft.height
        left, top = (self.size.width - width) // 2, (self.size.height - height) // 2
        try:
            plain = decode(read_regular(self.draft.file, PICTURE_BYTES), self.draft.file)
        except PictureError as fault:
            raise OSError(fault.what) from fault
        if self.size.width > width or self.size.height > height:
            picture = Image.new("RGBA", self.size, (0, 0, 0, 0))
            picture.paste(plain.convert("RGBA"), (left, top))
        else:
            picture = plain.crop((-left, -top, self.size.width - left, self.size.height - top))
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        return stream.getvalue()


def frame_draft(draft: Reference, final: Size, fit: Fit, folder: Path) -> Reference:
    """Fit a draft to the final's proportions, without writing it; its own file is not changed.

    Args:
        draft: The draft as it was received.
        final: The final's size.
        fit: See ``framed_size``; what ``pad`` adds is transparent.
        folder: Where drawn pictures are stored.

    Returns:
        The draft itself when it fits already, else a png that ``write_drawn`` writes.

    Raises:
        OSError: The draft's file is gone.
    """
    framed = framed_size(Size(draft.width, draft.height), final, fit)
    if framed == (draft.width, draft.height):
        return draft
    return reference_to(FramedDraft(draft, framed), framed, folder)
