"""The scorer ``palette``: how close a picture's colours are to those of a brand.

The picture is reduced to its dominant colours; each is compared with the perceptually nearest colour of the
brand. The value depends on how much of the picture is how far off, not on where.
"""

from collections.abc import Sequence
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
DOMINANT_COLOURS = 8
HALF_AT = 20.0
"""The mean distance at which the value is 0.5. A distance of 1 is just noticeable; 20 is clearly another
shade, 50 another colour. The curve is this project's own."""
NEAR = 10.0
"""A brand colour counts as used if a dominant colour is within this distance."""


class PaletteScorer:
    """Scores by the distance of dominant colours to the campaign's ``score.palette``."""

    name = "palette"
    version = VERSION

    def __init__(self, colors: Sequence[str]) -> None:
        """Take the brand's colours, as ``#RRGGBB``; without any, every value is ``None``."""
        self._brand = [tuple(bytes.fromhex(color.removeprefix("#"))) for color in colors]

    @classmethod
    def for_run(cls, assignment: Assignment) -> "PaletteScorer":
        """Take the campaign's colours."""
        palette = assignment.wishes.palette
        return cls(palette.colors if palette else ())

    def score(self, candidate: Candidate, run_folder: Path) -> Score:
        """Score a picture by its colours; transparent parts do not count.

        Raises:
            PictureError: The file is missing or not a picture.
        """
        if not self._brand:
            return Score(None, "no palette is set", version=VERSION)
        colours, shares = dominant_colours(decode(run_folder / candidate.file))
        if not len(colours):
            return Score(None, "no part of it is opaque", version=VERSION)
        distances = _distances(colours, np.array(self._brand, dtype=np.uint8))
        off = float(shares @ distances.min(axis=1))
        used = int((distances.min(axis=0) <= NEAR).sum())
        farthest = int(np.argmax(shares * distances.min(axis=1)))
        worst = "#" + colours[farthest].tobytes().hex()
        return Score(
            1 / (1 + (off / HALF_AT) ** 2),
            f"colours {off:.0f} off the palette"
            + (f", most of it {worst} on {shares[farthest]:.0%}" if off > NEAR else ""),
            {"palette_distance": off, "palette_colours_used": used, "palette_colours": len(self._brand)},
            VERSION,
        )


def dominant_colours(picture: Image.Image) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Reduce a picture to at most eight colours.

    Args:
        picture: ``RGB`` or ``RGBA``.

    Returns:
        Colours, n x 3 of 0-255, and each one's share of the opaque pixels (sum 1). Both are
        empty when no pixel is opaque.
    """
    pixels = np.asarray(shrink(picture, EDGE_PX).convert("RGBA")).reshape(-1, 4)
    opaque = np.ascontiguousarray(pixels[pixels[:, 3] >= 128][:, :3])
    if not len(opaque):
        return np.empty((0, 3), dtype=np.uint8), np.empty(0)
    strip = Image.fromarray(opaque[None])
    summed = strip.quantize(DOMINANT_COLOURS, Image.Quantize.MEDIANCUT, kmeans=1)
    counts = np.bincount(np.asarray(summed).ravel(), minlength=DOMINANT_COLOURS)
    table = np.array(summed.getpalette(), dtype=np.uint8).reshape(-1, 3)
    used = np.flatnonzero(counts)
    return table[used], counts[used] / counts.sum()


def _distances(colours: NDArray[np.uint8], brand: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Measure how far each colour is from each of the brand's, in CIEDE2000.

    Source: G. Sharma, W. Wu and E. N. Dalal (2005), "The CIEDE2000 color-difference formula"; scikit-image's.
    """
    load_scipy()  # which skimage loads
    from skimage.color import deltaE_ciede2000, rgb2lab

    ours, theirs = (rgb2lab(table[None] / 255)[0] for table in (colours, brand))
    distances: NDArray[np.float64] = deltaE_ciede2000(ours[:, None], theirs[None])
    return distances
