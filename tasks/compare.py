"""The step that measures whether a final still shows the same picture as its draft.

An editing model draws the whole picture anew: finer, a little larger or moved, in another light. None of that
makes it another picture, while another word, a missing object or a mirrored scene does. How the two are told
apart is in ``tasks.pictures.redrawing``; here they are read, and brought to what both of them show.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.attachments.fit import is_same_shape
from tasks.campaign.finals import Fit
from tasks.candidate import Fidelity
from tasks.catalogue.sizes import Size
from tasks.limits import PICTURE_BYTES
from tasks.pictures.alignment import align
from tasks.pictures.container import HALF, unsound
from tasks.pictures.decoding import decode, flatten
from tasks.pictures.fingerprint import distance_bits, fingerprint
from tasks.pictures.looks import LOOK_EDGE_PX, Look, size_with_edge
from tasks.pictures.redrawing import Redrawing, compare_redrawing, shows_mirrored
from tasks.pictures.sendable import decode_as_sent
from tasks.storage.regular_file import read_regular

LEAST_KEPT_SHARE = 0.05
"""When a mask keeps less of the picture than this, the whole picture is compared."""


def measure_fidelity(draft: Path, final: Path, fit: Fit = "any", remade: Path | None = None) -> Fidelity:
    """Measure how closely a final matches its draft.

    When their proportions differ, only the part that both show is compared: after ``pad`` the final's middle
    and the whole draft, after ``crop`` the draft's middle and the whole final, after ``any`` whichever of the
    two gives the higher value. The inpainted part is left out. Transparency is laid over middle grey.

    Args:
        draft: The draft's file.
        final: The final's file.
        fit: How the draft was fitted to the final's proportions before it was sent.
        remade: The mask that was sent along, in the draft's size as sent; transparent where the picture was
            inpainted.

    Returns:
        ``value``, ``ssim`` and ``palette`` as in ``tasks.pictures.redrawing``: from 0.75 on it shows the
        same. ``zoom``, ``shift`` and ``tone`` say what was taken out before, ``is_mirrored`` whether the
        mirrored draft is clearly more alike; it is not looked for where a part was inpainted.
        ``hash_distance_bits`` of ``phash`` is for information only.

    Raises:
        PictureError: One of the files is not a usable picture; nothing was changed.
    """
    framings = frame(flatten(decode(draft)), flatten(decode(final)), _kept(remade), fit)
    compared = [(framing, framing.compare()) for framing in framings]
    framing, found = max(compared, key=lambda pair: pair[1].value)
    prints = [fingerprint(picture).phash for picture in (framing.draft, framing.final)]
    return Fidelity(
        value=min(1.0, found.value),
        ssim=found.structure,
        hash_distance_bits=distance_bits(*prints),
        palette=found.palette,
        zoom=found.registration.zoom - 1,
        shift=found.registration.shift_share,
        tone=found.tone.share,
        is_mirrored=framing.shows_mirrored(found),
    )


def align_final(draft: Path, final: Path) -> bytes | None:
    """Undo a final's zoom, shift and change of tone against its draft.

    Args:
        draft: The draft's file.
        final: The final's file; only read.

    Returns:
        A png of the final's size; ``None`` where proportions differ, so that no frame is the draft's.

    Raises:
        PictureError: One of the files is not a usable picture.
    """
    one, other = flatten(decode(draft)), flatten(decode(final))
    if not is_same_shape(Size(*one.size), Size(*other.size)):
        return None
    stream = io.BytesIO()
    align(one, other, Framing(one, other, None).compare()).save(stream, "PNG")
    return stream.getvalue()


@dataclass(frozen=True, slots=True)
class Framing:
    """The part of a draft and of a final that both show.

    Args:
        draft: ``RGB``.
        final: ``RGB``.
        kept: ``L``: white where the picture was kept, black where it was inpainted; ``None`` without a mask.
    """

    draft: Image.Image
    final: Image.Image
    kept: Image.Image | None

    def compare(self) -> Redrawing:
        """Compare the two."""
        draft, final = look_of(self.draft), look_of(self.final)
        return compare_redrawing(draft, final, self._kept_of(draft))

    def shows_mirrored(self, found: Redrawing) -> bool | None:
        """Whether the final shows the draft's mirror image; ``None`` where only a part is compared."""
        draft = look_of(self.draft)
        return None if self._kept_of(draft) is not None else shows_mirrored(draft, look_of(self.final), found)

    def _kept_of(self, look: Look) -> NDArray[np.bool_] | None:
        if self.kept is None:
            return None
        height, width = look.pixels.shape[:2]
        kept = np.asarray(self.kept.resize((width, height), Image.Resampling.BOX)) >= HALF
        return None if kept.mean() < LEAST_KEPT_SHARE else kept


def look_of(picture: Image.Image) -> Look:
    """Make the look of an ``RGB`` picture itself, not of its thumbnail, whose compression blurs lettering."""
    size = size_with_edge(*picture.size, LOOK_EDGE_PX)
    return Look(np.asarray(picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)))


def frame(draft: Image.Image, final: Image.Image, kept: Image.Image | None, fit: Fit) -> Iterator[Framing]:
    """Bring a draft and a final of other proportions to what both may show; see ``measure_fidelity``."""
    shapes = draft.width / draft.height, final.width / final.height
    if is_same_shape(Size(*draft.size), Size(*final.size)):
        yield Framing(draft, final, kept)
        return
    if fit != "crop":
        below = kept and (_middle(kept, shapes[0]) if fit == "pad" else kept)
        yield Framing(draft, _middle(final, shapes[0]), below)
    if fit != "pad":
        below = kept and (kept if fit == "crop" else _middle(kept, shapes[1]))
        yield Framing(_middle(draft, shapes[1]), final, below)


def _kept(remade: Path | None) -> Image.Image | None:
    """Read what a mask keeps: white there, black where the picture was inpainted."""
    if remade is None:
        return None
    try:
        return (
            decode_as_sent(read_regular(remade, PICTURE_BYTES), str(remade)).convert("RGBA").getchannel("A")
        )
    except OSError as fault:
        raise unsound(str(remade), f"the mask cannot be read: {fault.strerror or fault}") from fault


def _middle(picture: Image.Image, shape: float) -> Image.Image:
    """Crop the largest centred part with proportions ``shape`` (width over height)."""
    width = min(picture.width, max(1, round(picture.height * shape)))
    height = min(picture.height, max(1, round(picture.width / shape)))
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))
