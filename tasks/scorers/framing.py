"""The scorer ``framing``: whether the subject is whole inside the frame, or cut by it.

It looks along the picture's rim. A cut-out's rim is transparent unless the frame cuts the subject. On a
plain ground the rim changes only slowly; where something else begins and ends along it, the frame cuts that.
What is around two corners, such as a floor below a wall, is ground. A rim with many such places, or one that
is uneven, is no plain ground, and nothing is said.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.candidate import Candidate, Score
from tasks.own_process import load_scipy
from tasks.pictures.decoding import decode, shrink
from tasks.scorers import Assignment

VERSION = "1"
EDGE_PX = 256
RIM_PX = 3
STEP_PX = 3
JUMP_DELTA_E = 9.0
"""A change of colour within twice ``STEP_PX`` along the rim that is no shading; this project's own."""
APART_DELTA_E = 8.0
"""How unlike its neighbours a part of the rim must be to be something else."""
MOST_PLACES = 12
LEAST_GROUND_SHARE = 0.6
"""The share of the rim that must be ground."""
MOST_UNREST = 1.2
"""The mean change of the ground from one place of the rim to the next, CIE76; more is not plain."""
LEAST_SUBJECT_SHARE = 0.01
COST = 4.0
"""What a cut costs, per share of the rim: a quarter of the rim costs all; this project's own."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Framing:
    """What the rim tells.

    Args:
        cut_share: The share of the rim that cuts the subject, 0 to 1; ``None`` if that cannot be told.
        reason: Why it cannot be told; empty otherwise.
    """

    cut_share: float | None
    reason: str = ""


class FramingScorer:
    """Scores by whether the frame cuts the subject."""

    name = "framing"
    version = VERSION

    @classmethod
    def for_run(cls, assignment: Assignment) -> "FramingScorer":  # noqa: ARG003 - one shape for all
        """Make the scorer; it has no settings."""
        return cls()

    def score(self, candidate: Candidate, run_folder: Path) -> Score:
        """Score a picture by its rim.

        Raises:
            PictureError: The file is missing or not a picture.
        """
        found = look_along_rim(decode(run_folder / candidate.file))
        if found.cut_share is None:
            return Score(None, f"framing: {found.reason}", version=VERSION)
        reason = (
            f"framing: the frame cuts the subject along {found.cut_share:.0%} of the rim"
            if found.cut_share
            else "framing: the subject is whole"
        )
        value = max(0.0, 1 - COST * found.cut_share)
        return Score(value, reason, {"framing_cut_share": found.cut_share}, VERSION)


def look_along_rim(picture: Image.Image) -> Framing:
    """Tell from a picture's rim whether the frame cuts its subject.

    Args:
        picture: ``RGB`` or ``RGBA``.
    """
    small = shrink(picture, EDGE_PX)
    pixels = np.asarray(small.convert("RGBA"), dtype=np.float64) / 255
    if (pixels[..., 3] < 0.5).mean() > LEAST_SUBJECT_SHARE:
        return _of_cut_out(pixels[..., 3])
    return _of_plain_ground(pixels[..., :3])


def _of_cut_out(alpha: Floats) -> Framing:
    opaque = alpha >= 0.5
    if opaque.mean() < LEAST_SUBJECT_SHARE:
        return Framing(None, "nothing is opaque")
    return Framing(float(_ring(opaque.astype(np.float64)[..., None]).round().mean()))


def _of_plain_ground(colours: Floats) -> Framing:
    load_scipy()
    from scipy.ndimage import gaussian_filter1d
    from skimage.color import rgb2lab

    ring = gaussian_filter1d(rgb2lab(_ring(colours)[None])[0], 1.0, axis=0, mode="wrap")
    parts = _parts(ring)
    colours_of = [np.median(ring[part], axis=0) for part in parts]
    is_ground = _grounds(parts, colours_of, _corners(*colours.shape[:2]), len(ring))
    grounds = [part for part, is_one in zip(parts, is_ground, strict=True) if is_one]
    unrest = np.concatenate([np.linalg.norm(np.diff(ring[part], axis=0), axis=1) for part in grounds])
    share = sum(map(len, grounds)) / len(ring)
    if len(parts) > MOST_PLACES or share < LEAST_GROUND_SHARE or unrest.mean() > MOST_UNREST:
        return Framing(None, "the ground is not plain")
    cut = [len(part) for part, is_one in zip(parts, is_ground, strict=True) if not is_one]
    return Framing(sum(cut) / len(ring))


def _ring(field: Floats) -> Floats:
    """Average the outermost pixels across the rim, clockwise from the upper left corner: (n, channels)."""
    top, bottom = field[:RIM_PX].mean(axis=0), field[-RIM_PX:].mean(axis=0)[::-1]
    right, left = field[:, -RIM_PX:].mean(axis=1), field[:, :RIM_PX].mean(axis=1)[::-1]
    return np.concatenate([top, right, bottom, left])


def _corners(height: int, width: int) -> list[int]:
    return [0, width, width + height, 2 * width + height]


def _parts(ring: Floats) -> list[NDArray[np.intp]]:
    """Divide the rim where its colour jumps; each part is the places along it, in order."""
    n = len(ring)
    change = np.linalg.norm(np.roll(ring, -STEP_PX, axis=0) - np.roll(ring, STEP_PX, axis=0), axis=1)
    jumps = [
        place
        for place in np.flatnonzero(change > JUMP_DELTA_E)
        if change[place] == max(change[(place + step) % n] for step in range(-2 * STEP_PX, 2 * STEP_PX + 1))
    ]
    if len(jumps) < 2:
        return [np.arange(n)]
    pairs = zip(jumps, [*jumps[1:], jumps[0] + n], strict=True)
    return [np.arange(start, end) % n for start, end in pairs if end - start > STEP_PX]


def _grounds(
    parts: list[NDArray[np.intp]], colours: list[Floats], corners: list[int], n_places: int
) -> list[bool]:
    """Say of each part of the rim whether it is ground: as the longest, or as what is around two corners."""
    longest = colours[max(range(len(parts)), key=lambda place: len(parts[place]))]
    around = [sum(corner % n_places in part for corner in corners) for part in parts]
    found = []
    for colour in colours:
        alike = [float(np.linalg.norm(colour - other)) <= APART_DELTA_E for other in colours]
        n_corners = sum(count for count, is_alike in zip(around, alike, strict=True) if is_alike)
        found.append(n_corners >= 2 or float(np.linalg.norm(colour - longest)) <= APART_DELTA_E)
    return found
