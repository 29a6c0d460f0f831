"""Framing: a draft brought to the shape of its final, so that both show the same part of the scene."""

import io
from pathlib import Path

from tasks.attachments.masks import keep_png
from tasks.campaign.finals import Fit
from tasks.catalogue.sizes import Size
from tasks.order import Reference

SAME_SHAPE = 0.01
"""Proportions that differ by less are the same, up to the rounding of whole pixels."""


def is_same_shape(one: Size, other: Size) -> bool:
    """Tell whether two sizes have the same proportions."""
    return abs(one.width * other.height / (one.height * other.width) - 1) < SAME_SHAPE


def framed_size(draft: Size, final: Size, fit: Fit) -> Size:
    """Tell the size in which a draft is sent.

    Args:
        draft: The draft's size.
        final: The final's; only its proportions count.
        fit: ``pad`` adds to the draft's sides, ``crop`` takes from them; otherwise the draft stays as it is.

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


def frame_draft(draft: Reference, final: Size, fit: Fit, folder: Path) -> Reference:
    """Bring a draft to the final's shape; its own file is never touched.

    Args:
        draft: The draft as it was received.
        final: The final's size.
        fit: See ``framed_size``; what ``pad`` adds is see-through.
        folder: Where drawn pictures are kept.

    Returns:
        The draft itself when nothing is to be done, else a png beside the drawn masks.

    Raises:
        SettingError: The folder cannot be written.
        OSError: The draft's file is gone.
    """
    size = Size(draft.width, draft.height)
    framed = framed_size(size, final, fit)
    if framed == size:
        return draft
    from PIL import Image

    with Image.open(draft.file) as opened:
        left, top = (framed.width - size.width) // 2, (framed.height - size.height) // 2
        if fit == "pad":
            picture = Image.new("RGBA", framed, (0, 0, 0, 0))
            picture.paste(opened.convert("RGBA"), (left, top))
        else:
            plain = opened.convert("RGBA" if opened.has_transparency_data else "RGB")
            picture = plain.crop((-left, -top, framed.width - left, framed.height - top))
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return keep_png(stream.getvalue(), framed, folder)
