"""The step that asks whether a final still is the draft it was made from.

A finer rendering may redraw every hair and move an edge by a hundredth of the width; it may not move the
subject, mirror the scene or repaint it in other colours. So pictures are compared coarsely. At 384 px, moving
a photograph by 1 % brings structural similarity down to 0.1-0.8, no better than another picture of the same
prompt (0.3-0.8); at 64 px the two are apart. ``benchmarks/fidelity.py`` prints the figures.
"""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.candidate import Fidelity
from tasks.fingerprint import distance_bits, fingerprint
from tasks.pictures import decode, flatten

COMMON_EDGE_PX = 64
LEAST_EDGE_PX = 16
SAME_SHAPE = 0.01
"""Proportions that differ by less are the same, up to the rounding of whole pixels."""

HALF_BITS = 12
HALF_DELTA_E = 12
PALETTE_PX = 64
DIRECTIONS = 24

Floats = NDArray[np.float64]


def measure_fidelity(draft: Path, final: Path) -> Fidelity:
    """Measure how far a final still is its draft.

    Both are brought to one size, the draft's shape with a longest edge of 64 px. When their proportions
    differ, a final may have gone on beyond the draft's edges or may have cut them off: its middle is compared
    with the whole draft, then the draft's middle with the whole final, and the better of the two counts.
    Transparency is laid over middle grey.

    Args:
        draft: The draft's file.
        final: The final's file.

    Returns:
        ``ssim``: structural similarity of luminance (Wang et al. 2004, "Image quality assessment: from
        error visibility to structural similarity"). ``hash_distance_bits``: of ``phash``. ``palette``: from
        the sliced Wasserstein distance of the colours in CIELAB (Bonneel et al. 2015, "Sliced and Radon
        Wasserstein barycenters of measures"), 0.5 at a mean distance of 12. ``value``: √structure x ∜hash x
        √palette, where the hash counts 0.5 at 12 bits; any one of them can refuse a final. The same picture
        drawn finer stays above 0.75, another picture of the same prompt below 0.6.

    Raises:
        PictureError: One of the files is no sound picture; nothing was changed.
    """
    one, other = flatten(decode(draft)), flatten(decode(final))
    shapes = one.width / one.height, other.width / other.height
    if abs(shapes[0] / shapes[1] - 1) < SAME_SHAPE:
        return _compare(one, other)
    framings = (one, _middle(other, shapes[0])), (_middle(one, shapes[1]), other)
    return max((_compare(*framing) for framing in framings), key=lambda fidelity: fidelity.value)


def choose_attempt(fidelities: Mapping[str, Fidelity], min_fidelity: float) -> tuple[str | None, str]:
    """Choose the attempt that is most like its draft.

    Args:
        fidelities: Candidate id of each attempt at one final to its fidelity.
        min_fidelity: The least value that is accepted, in [0, 1].

    Returns:
        The accepted attempt's candidate id, or ``None`` when all are refused; and why, with the figures.
    """
    if not fidelities:
        return None, "refused: there is no attempt to look at"
    best = min(fidelities, key=lambda name: (-fidelities[name].value, name))
    told = _tell(fidelities[best])
    if fidelities[best].value >= min_fidelity:
        return best, f"accepted: {told}, at least {min_fidelity:.2f}"
    tries = "the only attempt has" if len(fidelities) == 1 else f"the best of {len(fidelities)} attempts has"
    return None, f"refused: {tries} {told}, below {min_fidelity:.2f}"


def _tell(fidelity: Fidelity) -> str:
    value = math.floor(fidelity.value * 1000) / 1000  # never rounded up to the value that it misses
    parts = f"structure {fidelity.ssim:.2f}, hash {fidelity.hash_distance_bits} of 64 bits apart"
    return f"fidelity {value:.3f} ({parts}, palette {fidelity.palette:.2f})"


def _middle(picture: Image.Image, shape: float) -> Image.Image:
    """Cut the largest part of proportions ``shape`` (width over height) out of the middle."""
    width = min(picture.width, max(1, round(picture.height * shape)))
    height = min(picture.height, max(1, round(picture.width / shape)))
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def _compare(draft: Image.Image, final: Image.Image) -> Fidelity:
    from skimage.metrics import structural_similarity

    scale = COMMON_EDGE_PX / max(draft.size)
    size = tuple(max(LEAST_EDGE_PX, round(edge * scale)) for edge in draft.size)
    greys = [np.asarray(_reduced(picture, (size[0], size[1])).convert("L")) for picture in (draft, final)]
    # Gaussian windows and the population's covariance, as in the paper.
    ssim = float(
        structural_similarity(
            *greys, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
    )
    bits = distance_bits(fingerprint(draft).phash, fingerprint(final).phash)
    palette = _likeness(_palette_distance(draft, final), HALF_DELTA_E)
    value = max(0.0, ssim) ** 0.5 * _likeness(bits, HALF_BITS) ** 0.25 * palette**0.5
    return Fidelity(min(1.0, value), ssim, bits, palette)


def _reduced(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _likeness(distance: float, half: float) -> float:
    """Go from 1 at no distance through 0.5 at ``half`` towards 0."""
    return 1 / (1 + (distance / half) ** 2)


def _palette_distance(one: Image.Image, other: Image.Image) -> float:
    """Return how far colours move, averaged over directions of CIELAB, to turn one palette into the other."""
    directions = np.random.default_rng(0).normal(size=(3, DIRECTIONS))
    directions /= np.linalg.norm(directions, axis=0)
    projected = [np.sort(_colours(picture) @ directions, axis=0) for picture in (one, other)]
    return float(np.abs(projected[0] - projected[1]).mean())


def _colours(picture: Image.Image) -> Floats:
    from skimage.color import rgb2lab

    small = picture.resize((PALETTE_PX, PALETTE_PX), Image.Resampling.BOX, reducing_gap=3.0)
    colours: Floats = rgb2lab(np.asarray(small)).reshape(-1, 3)
    return colours
