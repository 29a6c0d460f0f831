"""The step that measures whether a final still shows the same picture as its draft.

A finer rendering may redraw fine detail and move an edge by 1 % of the width, but must not move the subject,
mirror the scene or change its colours. So pictures are compared at low resolution. At 384 px, shifting a
photograph by 1 % lowers structural similarity to 0.1-0.8, no better than another picture of the same prompt
(0.3-0.8); at 64 px the two can be told apart. ``benchmarks/fidelity.py`` prints the figures.
"""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.attachments.fit import is_same_shape
from tasks.campaign.finals import Fit
from tasks.candidate import Fidelity
from tasks.catalogue.sizes import Size
from tasks.pictures.decoding import decode, flatten
from tasks.pictures.fingerprint import distance_bits, fingerprint

COMMON_EDGE_PX = 64
LEAST_EDGE_PX = 16
LEAST_KEPT_SHARE = 0.05
"""When a mask keeps less of the picture than this, the whole picture is compared."""

HALF_BITS = 12
HALF_DELTA_E = 12
PALETTE_PX = 64
DIRECTIONS = 24

Floats = NDArray[np.float64]


def measure_fidelity(draft: Path, final: Path, fit: Fit = "any", remade: Path | None = None) -> Fidelity:
    """Measure how closely a final matches its draft.

    Both are resized to the draft's proportions with a longest edge of 64 px. When their proportions differ,
    only the part that both show is compared: after ``pad`` the final's middle and the whole draft, after
    ``crop`` the draft's middle and the whole final, after ``any`` whichever of the two gives the higher
    value. The inpainted part is left out. Transparency is laid over middle grey.

    Args:
        draft: The draft's file.
        final: The final's file.
        fit: How the draft was fitted to the final's proportions before it was sent.
        remade: The mask that was sent along, in the draft's size as sent; transparent where the picture was
            inpainted.

    Returns:
        ``ssim``: structural similarity of luminance (Wang et al. 2004, "Image quality assessment: from
        error visibility to structural similarity"). ``hash_distance_bits``: of ``phash``. ``palette``: from
        the sliced Wasserstein distance of the colours in CIELAB (Bonneel et al. 2015, "Sliced and Radon
        Wasserstein barycenters of measures"), 0.5 at a mean distance of 12. ``value``: √structure x ∜hash x
        √palette, where the hash counts 0.5 at 12 bits; a low value of any one is enough to reject a final.
        A finer rendering of the same picture stays above 0.75; another picture of the same prompt stays below
        0.6.

    Raises:
        PictureError: One of the files is not a usable picture; nothing was changed.
    """
    one, other = flatten(decode(draft)), flatten(decode(final))
    kept = _kept(remade)
    shapes = one.width / one.height, other.width / other.height
    if is_same_shape(Size(*one.size), Size(*other.size)):
        return _compare(*_without_remade(one, other, kept))
    padded = one, _middle(other, shapes[0]), kept and (_middle(kept, shapes[0]) if fit == "pad" else kept)
    cropped = _middle(one, shapes[1]), other, kept and (kept if fit == "crop" else _middle(kept, shapes[1]))
    framings = {"pad": [padded], "crop": [cropped]}.get(fit, [padded, cropped])
    return max((_compare(*_without_remade(*framing)) for framing in framings), key=lambda found: found.value)


def _kept(remade: Path | None) -> Image.Image | None:
    """Read what a mask keeps: white there, black where the picture was inpainted."""
    if remade is None:
        return None
    with Image.open(remade) as mask:
        return mask.convert("RGBA").getchannel("A")


def _without_remade(
    draft: Image.Image, final: Image.Image, kept: Image.Image | None
) -> tuple[Image.Image, Image.Image]:
    """Cover the inpainted part of both pictures with one grey, so that it does not count."""
    if kept is None or float(np.asarray(kept).mean()) / 255 < LEAST_KEPT_SHARE:
        return draft, final
    shown = [
        Image.composite(picture, Image.new("RGB", picture.size, "#808080"), kept.resize(picture.size))
        for picture in (draft, final)
    ]
    return shown[0], shown[1]


def choose_attempt(fidelities: Mapping[str, Fidelity], min_fidelity: float) -> tuple[str | None, str]:
    """Choose the attempt with the highest fidelity to its draft.

    Args:
        fidelities: Candidate id of each attempt at one final to its fidelity.
        min_fidelity: The least value that is accepted, in [0, 1].

    Returns:
        The accepted attempt's candidate id, or ``None`` when none is accepted; and the reason, with the
        figures.
    """
    if not fidelities:
        return None, "not accepted: there is no attempt"
    best = min(fidelities, key=lambda name: (-fidelities[name].value, name))
    measured = _describe(fidelities[best])
    if fidelities[best].value >= min_fidelity:
        return best, f"accepted: {measured}, at least {min_fidelity:.2f}"
    tries = "the only attempt has" if len(fidelities) == 1 else f"the best of {len(fidelities)} attempts has"
    return None, f"not accepted: {tries} {measured}, below {min_fidelity:.2f}"


def choose_fallback(fidelities: Mapping[str, Fidelity], rejection: str) -> tuple[str | None, str]:
    """Accept a picture made from the prompt alone, whatever its fidelity, because no edit was accepted.

    Args:
        fidelities: Candidate id of each such picture to its fidelity.
        rejection: Why the edits were not accepted.

    Returns:
        As ``choose_attempt``.
    """
    if not fidelities:
        return None, rejection

    best = min(fidelities, key=lambda name: (-fidelities[name].value, name))
    reason = f"accepted in place of an edit, made from the prompt alone: {_describe(fidelities[best])}"
    return best, f"{reason}; edits {rejection}"


def _describe(fidelity: Fidelity) -> str:
    value = math.floor(fidelity.value * 1000) / 1000  # never rounded up to a limit that it misses
    parts = f"structure {fidelity.ssim:.2f}, hash {fidelity.hash_distance_bits} of 64 bits apart"
    return f"fidelity {value:.3f} ({parts}, palette {fidelity.palette:.2f})"


def _middle(picture: Image.Image, shape: float) -> Image.Image:
    """Crop the largest centred part with proportions ``shape`` (width over height)."""
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
    """Map a distance to likeness: 1 at distance 0, 0.5 at ``half``, towards 0 beyond."""
    return 1 / (1 + (distance / half) ** 2)


def _palette_distance(one: Image.Image, other: Image.Image) -> float:
    """Return the sliced Wasserstein distance between two pictures' colours in CIELAB."""
    directions = np.random.default_rng(0).normal(size=(3, DIRECTIONS))
    directions /= np.linalg.norm(directions, axis=0)
    projected = [np.sort(_colours(picture) @ directions, axis=0) for picture in (one, other)]
    return float(np.abs(projected[0] - projected[1]).mean())


def _colours(picture: Image.Image) -> Floats:
    from skimage.color import rgb2lab

    small = picture.resize((PALETTE_PX, PALETTE_PX), Image.Resampling.BOX, reducing_gap=3.0)
    colours: Floats = rgb2lab(np.asarray(small)).reshape(-1, 3)
    return colours
