"""How much of a picture changed where an edit should have left it alone: outside its mask.

The edit is laid on the picture that it was made from, because an editing model moves everything by a pixel or
two; then the colours are compared where the mask keeps them, averaged over areas of a letter's size, so that
grain costs nothing. Another light everywhere is a change, and counts.

Source: G. Sharma, W. Wu and E. N. Dalal (2005), "The CIEDE2000 color-difference formula"; scikit-image's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.own_process import load_scipy
from tasks.pictures.container import HALF
from tasks.pictures.looks import LOOK_EDGE_PX, Look, size_with_edge
from tasks.pictures.registration import Registration, lay_on, registrations, unmoved

HALF_AT = 6.0
"""The difference in CIEDE2000 at which a place counts half; 1 is just noticeable. This project's own."""
CHANGED_AT = 6.0
AREA_SHARE, SEAM_SHARE = 0.012, 0.02
"""The size of the areas that are averaged, and what is left out along the mask's edge, of the longer edge."""
LEAST_KEPT_SHARE = 0.02
CLEARLY_SAME = 0.5
"""The mean difference up to which nothing is laid on anything."""

Where = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Untouched:
    """How a picture compares with the one that it was made from, outside the mask.

    Args:
        value: 1 where nothing changed, towards 0; the mean over the kept area.
        delta_e: The mean difference of colours there, CIEDE2000.
        changed_share: The share of that area that clearly changed, 0 to 1.
        shift_share: How far everything moved, in shares of the longer edge.
    """

    value: float
    delta_e: float
    changed_share: float
    shift_share: float


def compare_outside(before: Image.Image, after: Image.Image, mask: Image.Image) -> Untouched | None:
    """Compare a picture with the one that it was made from, outside the mask.

    Args:
        before: The picture that was sent, ``RGB``.
        after: What came back, ``RGB``, of the same proportions in any size.
        mask: With alpha: opaque where the picture should be kept; of the size of ``before``.

    Returns:
        ``None`` where the mask keeps next to nothing.
    """
    import cv2

    one, other = _look_of(before), _look_of(after)
    height, width = one.pixels.shape[:2]
    alpha = mask.convert("RGBA").getchannel("A").resize((width, height), Image.Resampling.BOX)
    kept = np.asarray(alpha) >= HALF
    seam = 2 * round(SEAM_SHARE * LOOK_EDGE_PX) + 1
    inner = cv2.erode(
        kept.astype(np.uint8), np.ones((seam, seam), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1
    )
    if inner.mean() < LEAST_KEPT_SHARE:
        return None
    found = _compare_at(one, other, inner > 0, unmoved(one, other))
    if found is not None and found.delta_e > CLEARLY_SAME:
        ways = registrations(_filled(one, kept), _filled(other, kept), n_starts=1)
        tried = [_compare_at(one, other, inner > 0, way) for way in ways]
        found = max([found, *(each for each in tried if each)], key=lambda each: each.value)
    return found


def _compare_at(one: Look, other: Look, inner: Where, registration: Registration) -> Untouched | None:
    load_scipy()  # which skimage loads
    from skimage.color import deltaE_ciede2000, rgb2lab

    moved, covered = lay_on(one, other, registration)
    counted = inner & covered
    if counted.mean() < LEAST_KEPT_SHARE:
        return None
    sigma = AREA_SHARE * LOOK_EDGE_PX
    smooth = [_smooth(pixels, counted, sigma) for pixels in (one.pixels, moved)]
    distance = deltaE_ciede2000(*(rgb2lab(pixels) for pixels in smooth))[counted]
    return Untouched(
        value=float((1 / (1 + (distance / HALF_AT) ** 2)).mean()),
        delta_e=float(distance.mean()),
        changed_share=float((distance > CHANGED_AT).mean()),
        shift_share=registration.shift_share,
    )


def _filled(look: Look, kept: Where) -> Look:
    """Fill what may have changed with the mean colour, so that it does not decide where the pictures lie."""
    height, width = look.pixels.shape[:2]
    wanted = np.asarray(Image.fromarray(kept).resize((width, height), Image.Resampling.NEAREST))
    pixels = look.pixels.copy()
    pixels[~wanted] = pixels[wanted].mean(axis=0)
    return Look(pixels)


def _look_of(picture: Image.Image) -> Look:
    size = size_with_edge(*picture.size, LOOK_EDGE_PX)
    return Look(np.asarray(picture.convert("RGB").resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)))


def _smooth(pixels: NDArray[np.uint8], counted: Where, sigma: float) -> NDArray[np.float32]:
    """Average pixels over areas, of what is counted alone: what was inpainted must not leak out."""
    import cv2

    weight = counted.astype(np.float32)
    total = cv2.GaussianBlur(np.asarray(pixels, np.float32) / 255 * weight[..., None], (0, 0), sigma)
    share = cv2.GaussianBlur(weight, (0, 0), sigma)
    return np.asarray(total / np.maximum(share, 1e-6)[..., None], np.float32)
