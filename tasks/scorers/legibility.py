"""The scorer ``legibility``: whether the expected text can be read in the picture.

Optical character recognition (OCR) reads the picture as it is, and again under harder conditions: scaled
down, and scaled down further with grain. Good OCR reads what people can hardly read; without the harder
conditions, values between legible and illegible would be rare. Each time the expected text is searched in all
text that was read; other text in the picture does not lower the value.

Needs the extra ``ocr``: rapidocr, whose wheel contains its models, so that nothing is downloaded.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
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
    """One condition of reading: the size of the picture, and the strength of the grain."""

    edge_px: int
    grain_levels: float


VIEWINGS = (Viewing(EDGE_PX, 0), Viewing(256, 0), Viewing(128, 10))


class LegibilityScorer:
    """Scores by the character error rate of the text that OCR reads, against the expected text."""

    name = "legibility"
    version = VERSION

    def __init__(self, expected: Sequence[str | None]) -> None:
        """Take the text that each row expects; ``None`` for none."""
        self._expected = expected

    @classmethod
    def for_run(cls, assignment: Assignment) -> "LegibilityScorer":
        """Take the texts from the campaign."""
        return cls([expected_text(assignment.wishes.expect_text, row) for row in assignment.rows])

    def score(self, candidate: Candidate, run_folder: Path) -> Score:
        """Read a picture and compare; ``None`` if its row expects no text.

        Raises:
            PictureError: The file is missing or not a picture.
        """
        expected = self._expected[candidate.row] if candidate.row < len(self._expected) else None
        if not expected or not _plain(expected):
            return Score(None, "no text is expected", version=VERSION)
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
    """Return the text that a row's pictures should show.

    Args:
        template: The campaign's ``score.expect_text``; it may be empty for a row without text.
        row: The row's variables; without a template, its own ``expect_text`` is taken.

    Returns:
        The text, or ``None`` if none is expected.

    Raises:
        PromptFaultError: The template is not valid, or uses a variable that the row does not have.
    """
    if template is None:
        return str(row[VARIABLE]) or None if VARIABLE in row else None
    try:
        return _compiled(template).render(row)
    except EmptyPromptError:
        return None


@lru_cache(maxsize=16)
def _compiled(template: str) -> PromptTemplate:
    return PromptTemplate(template)


def character_error_rate(expected: str, reading: str) -> float:
    """Count the wrong characters at the best match in a reading, per expected character.

    Case, white space and accents do not count: OCR confuses them in text that people read well.

    Args:
        expected: At least one character that is not white space.
        reading: All that was read, in reading order.

    Returns:
        0 if found letter for letter, up to 1 if no part of it is found.

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
    found: Any = _reader()(np.ascontiguousarray(pixels[:, :, ::-1]))  # rapidocr expects BGR
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
