"""The scorer ``legibility``: whether the expected text can be read in the picture.

Optical character recognition (OCR) reads the picture as it is, and again under harder conditions: scaled
down, and scaled down further with grain. Good OCR reads what people can hardly read; without the harder
conditions, values between legible and illegible would be rare. Each time every expected text is searched in
all text that was read; other text in the picture does not lower the value, and is named. Spelling, accents
included, is checked in the picture as it is; the harder conditions measure how well it can be read.

A text in a script that the reader's models do not have has no value: it could not be read if it were perfect.

Needs the extra ``ocr``: rapidocr, whose wheel contains its models, so that nothing is downloaded.
"""

import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.campaign.expected_text import expected_texts
from tasks.candidate import Candidate, Score
from tasks.pictures.decoding import decode, flatten
from tasks.scorers import Assignment

if TYPE_CHECKING:
    from rapidocr import RapidOCR

VERSION = "2"
EDGE_PX = 1024
FINAL_SIGMA = "ς"
MOST_OF_LINE = 0.5
"""A line of which more than this share is in no expected text was not asked for."""


class Viewing(NamedTuple):
    """One condition of reading: the size of the picture, and the strength of the grain."""

    edge_px: int
    grain_levels: float


VIEWINGS = (Viewing(EDGE_PX, 0), Viewing(256, 0), Viewing(128, 10))


class LegibilityScorer:
    """Scores by the character error rate of the text that OCR reads, against the expected text."""

    name = "legibility"
    version = VERSION

    def __init__(self, expected: Sequence[Sequence[str]], *, accents: bool = True) -> None:
        """Take the texts that each row expects, and whether accents count as spelling."""
        self._expected = expected
        self._accents = accents

    @classmethod
    def for_run(cls, assignment: Assignment) -> "LegibilityScorer":
        """Take the texts from the campaign."""
        wishes = assignment.wishes
        expected = [expected_texts(wishes.expected_templates, row) for row in assignment.rows]
        return cls(expected, accents=wishes.expect_accents)

    def score(self, candidate: Candidate, run_folder: Path) -> Score:
        """Read a picture and compare; ``None`` if its row expects no text, or in a script that is not known.

        Raises:
            PictureError: The file is missing or not a picture.
        """
        given = self._expected[candidate.row] if candidate.row < len(self._expected) else ()
        expected = [text for text in given if _plain(text)]
        if not expected:
            return Score(None, "no text is expected", version=VERSION)
        if unknown := _unknown_letters("".join(expected)):
            shown = " ".join(unknown[:8])
            return Score(None, f"the reader does not know {shown}: not checked", version=VERSION)
        picture = flatten(decode(run_folder / candidate.file), (255, 255, 255))
        lines = [_read(_seen(picture, viewing)) for viewing in VIEWINGS]
        first, *others = (" ".join(each) for each in lines)
        rates = [
            [
                character_error_rate(text, first, accents=self._accents),
                *(character_error_rate(text, reading) for reading in others),
            ]
            for text in expected
        ]
        extra = _unexpected(lines[0], expected)
        reasons = [_reason(text, first, own) for text, own in zip(expected, rates, strict=True)]
        unasked = [f"also reads {', '.join(map(repr, extra[:3]))}"] if extra else []
        return Score(
            1 - fmean(fmean(own) for own in rates),
            "; ".join([*reasons, *unasked]),
            _measurements(rates)
            | {
                "characters_expected": sum(len(_plain(text)) for text in expected),
                "characters_read": len(_plain(first)),
                "lines_unexpected": len(extra),
            },
            VERSION,
        )


def _measurements(rates: Sequence[Sequence[float]]) -> dict[str, float]:
    """Return the error rates: of the worst text as it is, the means of the harder conditions, each text's."""
    found = {
        "character_error_rate": max(own[0] for own in rates),
        "character_error_rate_small": fmean(own[1] for own in rates),
        "character_error_rate_grain": fmean(own[2] for own in rates),
    }
    if len(rates) > 1:
        found |= {f"character_error_rate_text_{number}": own[0] for number, own in enumerate(rates, 1)}
    return found


def _unexpected(lines: Sequence[str], expected: Sequence[str]) -> list[str]:
    """List the lines that were read and are mostly in none of the expected texts."""
    wanted = " ".join(expected)
    return [line for line in lines if _plain(line) and character_error_rate(line, wanted) > MOST_OF_LINE]


def character_error_rate(expected: str, reading: str, *, accents: bool = False) -> float:
    """Count the wrong characters at the best match in a reading, per expected character.

    Case and white space do not count: OCR confuses them in text that people read well.

    Args:
        expected: At least one character that is not white space.
        reading: All that was read, in reading order.
        accents: Whether accents count.

    Returns:
        0 if found letter for letter, up to 1 if no part of it is found.

    Source: P. H. Sellers (1980), "The theory and computation of evolutionary distances: pattern recognition":
    edit distance to the nearest part of a text.
    """
    wanted, found = _plain(expected, accents=accents), _plain(reading, accents=accents)
    row = [0] * (len(found) + 1)  # the text may begin anywhere in the reading at no cost
    for place, letter in enumerate(wanted, start=1):
        above, row = row, [place]
        for (corner, over), other in zip(pairwise(above), found, strict=True):
            row.append(min(over + 1, row[-1] + 1, corner + (letter != other)))
    return min(row) / len(wanted)


def _plain(text: str, *, accents: bool = False) -> str:
    """Drop case, white space and, unless they count, accents."""
    letters = unicodedata.normalize("NFKC" if accents else "NFKD", text.casefold())
    return "".join(one for one in letters if not one.isspace() and not unicodedata.combining(one))


def _unknown_letters(text: str) -> list[str]:
    """List the letters that the reader cannot give, in their order."""
    known = _alphabet()
    letters = dict.fromkeys(one for one in unicodedata.normalize("NFC", text) if one.isalpha())
    return [one for one in letters if known.isdisjoint({one, one.lower(), one.upper()}) or _is_symbol(one)]


def _is_symbol(letter: str) -> bool:
    """Whether a letter is Greek, and known as a symbol of formulas only: the final sigma is not."""
    return unicodedata.name(letter, "").startswith("GREEK") and FINAL_SIGMA not in _alphabet()


@cache
def _alphabet() -> frozenset[str]:
    """Return the characters that the reader's model knows; it is loaded by the first line it reads."""
    _reader()(np.full((48, 48, 3), 255, dtype=np.uint8), use_det=False)
    recognizer: Any = _reader().text_rec
    return frozenset(recognizer.postprocess_op.character)


def _seen(picture: Image.Image, viewing: Viewing) -> NDArray[np.uint8]:
    scale = min(1.0, viewing.edge_px / max(picture.size))
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    pixels = np.asarray(picture.resize(size, Image.Resampling.LANCZOS))
    if not viewing.grain_levels:
        return pixels
    grain = np.random.default_rng(0).normal(0, viewing.grain_levels, (*pixels.shape[:2], 1))
    return np.clip(pixels + grain, 0, 255).astype(np.uint8)


def _read(pixels: NDArray[np.uint8]) -> Sequence[str]:
    """Read all text, line after line from the top."""
    found: Any = _reader()(np.ascontiguousarray(pixels[:, :, ::-1]), use_det=True)  # BGR
    return found.txts or ()


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
