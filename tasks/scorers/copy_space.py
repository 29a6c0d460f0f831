"""The scorer ``copy_space``: whether a box of the picture takes lettering: how quiet it is, its contrast.

Lettering is read where its ground is quiet at the scale of the letters, and where black or white, whichever
is better, has enough contrast nearly everywhere. A slow change across the box costs nothing in quietness, and
fine grain hardly any; whether one ink suits the whole of it, the contrast says.

Source: W3C, "Web Content Accessibility Guidelines 2.2", relative luminance, contrast ratio, and success
criterion 1.4.3 (4.5:1, and 3:1 for large lettering).
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.campaign.choice import CopySpace
from tasks.candidate import Candidate, Score
from tasks.own_process import load_scipy
from tasks.pictures.decoding import decode
from tasks.scorers import Assignment

VERSION = "1"
SHORT_EDGE_PX = 64
"""The box is measured with its shorter edge at this size."""
LETTER_PX = 8
"""The scale of letters: an eighth of the box's shorter edge."""
HALF_AT = 10.0
"""The mean deviation of CIE L* within a letter's width at which quietness is 0.5; this project's own."""
WORST_SHARE = 0.05
"""The share of the box that may have less contrast than is given."""
AA, AA_LARGE = 4.5, 3.0
MOST_TRANSPARENT = 0.05

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BoxFigures:
    """What was measured in a box.

    Args:
        deviation: The mean deviation of CIE L* within a letter's width, 0 or more; 0 is a plain ground.
        contrast_black: The contrast ratio of black lettering where it is low, 1 to 21.
        contrast_white: The same of white lettering.
    """

    deviation: float
    contrast_black: float
    contrast_white: float

    @property
    def quiet(self) -> float:
        """How quiet it is, 0 to 1."""
        return 1 / (1 + (self.deviation / HALF_AT) ** 2)

    @property
    def contrast(self) -> float:
        """The contrast ratio of the better ink."""
        return max(self.contrast_black, self.contrast_white)

    @property
    def value(self) -> float:
        """Quietness, times how near the contrast comes to 4.5:1 on a logarithmic scale, 0 to 1."""
        return self.quiet * min(1.0, math.log(self.contrast) / math.log(AA))


class CopySpaceScorer:
    """Scores by the campaign's ``score.copy_space``."""

    name = "copy_space"

    def __init__(self, box: CopySpace | None = None) -> None:
        """Take the box; without one every value is ``None``."""
        self._box = box
        place = "" if box is None else f" {box.left:g} {box.top:g} {box.width:g} {box.height:g}"
        self.version = (VERSION + place)[:32]

    @classmethod
    def for_run(cls, assignment: Assignment) -> "CopySpaceScorer":
        """Take the campaign's box."""
        return cls(assignment.wishes.copy_space)

    def score(self, candidate: Candidate, run_folder: Path) -> Score:
        """Score a picture by its box.

        Raises:
            PictureError: The file is missing or not a picture.
        """
        if self._box is None:
            return Score(None, "no copy_space is set", version=self.version)
        found = measure_box(crop(decode(run_folder / candidate.file), self._box))
        if found is None:
            return Score(
                None, "copy space: it is transparent, so its ground is not known", version=self.version
            )
        measured = {
            "copy_deviation": found.deviation,
            "copy_quiet": found.quiet,
            "copy_contrast_black": found.contrast_black,
            "copy_contrast_white": found.contrast_white,
        }
        return Score(found.value, describe(found), measured, self.version)


def describe(found: BoxFigures) -> str:
    """Say how quiet a box is, and what its better ink reaches."""
    ink = "black" if found.contrast_black >= found.contrast_white else "white"
    level = (
        "enough for any lettering"
        if found.contrast >= AA
        else "enough for large lettering"
        if found.contrast >= AA_LARGE
        else "too little"
    )
    return f"copy space: quiet {found.quiet:.2f}; {ink} lettering {found.contrast:.1f}:1, {level}"


def crop(picture: Image.Image, box: CopySpace) -> Image.Image:
    """Cut a box out of a picture, at least one pixel wide and high."""
    width, height = picture.size
    left, top = min(width - 1, round(box.left * width)), min(height - 1, round(box.top * height))
    right = max(left + 1, min(width, round((box.left + box.width) * width)))
    bottom = max(top + 1, min(height, round((box.top + box.height) * height)))
    return picture.crop((left, top, right, bottom))


def measure_box(box: Image.Image) -> BoxFigures | None:
    """Measure a box; ``None`` where more than a twentieth of it is transparent.

    Args:
        box: ``RGB`` or ``RGBA``, in sRGB.
    """
    load_scipy()
    from scipy.ndimage import uniform_filter

    scale = SHORT_EDGE_PX / min(box.size)
    size = (max(1, round(box.width * scale)), max(1, round(box.height * scale)))
    small = np.asarray(box.convert("RGBA").resize(size, Image.Resampling.BOX), dtype=np.float64) / 255
    if (small[..., 3] < 0.5).mean() > MOST_TRANSPARENT:
        return None
    luminance = relative_luminance(small[..., :3])
    lightness = _lightness(luminance)
    mean, square = (uniform_filter(field, LETTER_PX, mode="reflect") for field in (lightness, lightness**2))
    deviation = float(np.sqrt(np.maximum(square - mean**2, 0)).mean())
    dark, light = np.quantile(luminance, [WORST_SHARE, 1 - WORST_SHARE])
    return BoxFigures(deviation, float((dark + 0.05) / 0.05), float(1.05 / (light + 0.05)))


def relative_luminance(colours: Floats) -> Floats:
    """Return WCAG's relative luminance, 0 to 1.

    Args:
        colours: sRGB in [0, 1], the last axis of three.
    """
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722]))


def _lightness(luminance: Floats) -> Floats:
    """Return CIE L*, 0 to 100."""
    root = np.where(luminance > (6 / 29) ** 3, np.cbrt(luminance), luminance / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.asarray(116 * root - 16)
