"""Whether the words that were asked for can be read in the picture.

Optical character recognition reads the picture as it is, and again in harder viewings: seen small, and
smaller still through grain. Good recognisers read what people strain at; without the harder viewings, text
would be legible or not, and nothing between. In each viewing the expected text is looked for in all that was
read; the rest of the reading costs nothing, for a shop has other signs than the one asked for.

Needs the extra ``ocr``: rapidocr, whose wheel brings its models, so that nothing is downloaded.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.campaign.prompts import EmptyPromptError, PromptTemplate
from tasks.candidate import Candidate, Score
from tasks.pictures.decoding import decode, flatten
from tasks.scorers import Assignment

if TYPE_CHECKING:
    from rapidocr import RapidOCR

VERSION = "1"
VARIABLE = "expect_text"
EDGE_PX = 1024


class Viewing(NamedTuple):
    """One way to look: how large, and through how much grain."""

    edge_px: int
    grain_levels: float


VIEWINGS = (Viewing(EDGE_PX, 0), Viewing(256, 0), Viewing(128, 10))


class LegibilityScorer:
    """Judges by the character error rate of what OCR reads against what was asked for."""

    name = "legibility"
    version = VERSION

    def __init__(self, expected: Sequence[str | None]) -> None:
        """Take the text that each row expects; ``None`` where none is."""
        self._expected = expected

    @classmethod
    def for_run(cls, assignment: Assignment) -> "LegibilityScorer":
        """Take the texts from the campaign."""
        return cls([expected_text(assignment.wishes.expect_text, row) for row in assignment.rows])

    def score(self, candidate: Candidate, run_folder: Path) -> Score:
        """Read a picture and compare; ``None`` when its row expects no text.

        Raises:
            PictureError: The file is gone or no picture.
        """
        expected = self._expected[candidate.row] if candidate.row < len(self._expected) else None
        if not expected or not _plain(expected):
            return Score(None, "no text is asked for", version=VERSION)
        picture = flatten(decode(run_folder / candidate.file), (255, 255, 255))
        readings = [_read(_seen(picture, viewing)) for viewing in VIEWINGS]
        rates = [character_error_rate(expected, reading) for reading in readings]
        return Score(
            1 - fmean(rates),
            _reason(expected, readings[0], rates),
            {
                "character_error_rate": rates[0],
                "character_error_rate_small": rates[1],
                "character_error_rate_grain": rates[2],
                "characters_expected": len(_plain(expected)),
                "characters_read": len(_plain(readings[0])),
            },
            VERSION,
        )


def expected_text(template: str | None, row: Mapping[str, object]) -> str | None:
    """Tell which text a row's pictures should show.

    Args:
        template: The campaign's ``score.expect_text``; it may come out empty for a row without text.
        row: The row's variables; without a template, its own ``expect_text`` is taken.

    Returns:
        The text, or ``None`` when none is expected.

    Raises:
        PromptFaultError: The template is none, or names what the row does not hold.
    """
    if template is None:
        return str(row[VARIABLE]) or None if VARIABLE in row else None
    try:
        return PromptTemplate(template).render(row)
    except EmptyPromptError:
        return None


def character_error_rate(expected: str, reading: str) -> float:
    """Count the characters to mend in the best place of a reading, per character expected.

    Case, white space and accents do not count: recognisers confuse them in text that people read well.

    Args:
        expected: At least one character that is no white space.
        reading: All that was read, in reading order.

    Returns:
        From 0, found letter for letter, to 1, nothing of it found.

    Source: P. H. Sellers (1980), "The theory and computation of evolutionary distances: pattern recognition":
    edit distance to the nearest part of a text.
    """
    wanted, found = _plain(expected), _plain(reading)
    row = [0] * (len(found) + 1)  # the text may begin anywhere in the reading at no cost
    for place, letter in enumerate(wanted, start=1):
        above, row = row, [place]
        for (corner, over), other in zip(pairwise(above), found, strict=True):
            row.append(min(over + 1, row[-1] + 1, corner + (letter != other)))
    return min(row) / len(wanted)


def _plain(text: str) -> str:
    """Drop case, white space and accents."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in letters if not one.isspace() and not unicodedata.combining(one))


def _seen(picture: Image.Image, viewing: Viewing) -> NDArray[np.uint8]:
    scale = min(1.0, viewing.edge_px / max(picture.size))
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    pixels = np.asarray(picture.resize(size, Image.Resampling.LANCZOS))
    if not viewing.grain_levels:
        return pixels
    grain = np.random.default_rng(0).normal(0, viewing.grain_levels, (*pixels.shape[:2], 1))
    return np.clip(pixels + grain, 0, 255).astype(np.uint8)


def _read(pixels: NDArray[np.uint8]) -> str:
    """Read all text, line after line from the top."""
    found: Any = _reader()(np.ascontiguousarray(pixels[:, :, ::-1]))  # it takes blue first
    return " ".join(found.txts or ())


@cache
def _reader() -> "RapidOCR":
    from rapidocr import RapidOCR

    quiet = {"Global.log_level": "critical", "Global.use_cls": False, "Global.text_score": 0.0}
    return RapidOCR(params=quiet)


def _reason(expected: str, reading: str, rates: Sequence[float]) -> str:
    if not reading:
        return f"{expected!r} cannot be read"
    if rates[0]:
        shown = reading if len(reading) <= 60 else f"{reading[:59]}…"
        return f"{rates[0]:.0%} of {expected!r} wrong, read: {shown!r}"
    hard = [word for word, rate in zip(("small", "through grain"), rates[1:], strict=True) if rate]
    return "the text can be read" + (f", but not well {' or '.join(hard)}" if hard else "")
