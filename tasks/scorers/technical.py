"""How well a picture is made, whatever it shows: sharp, exposed, contrasted, clean, not blank.

``technical_score`` turns the raw figures of ``technical_figures.measure`` into a value later, without the
picture. Every mapping is absolute: a picture's value says nothing about the pool it came from, so runs can be
compared.

Damage must cost, whatever it does to another figure. Brightening spreads the tones: contrast is worth no more
than the headroom above the mean leaves of it. Fading mends the exposure: the range that it takes costs more.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tasks.candidate import Candidate, Score

VERSION = "3"
"""Raised whenever a measurement or a mapping changes: scores of two versions are not compared."""

JUDGED = frozenset(
    {"sharpness", "luminance", "shadows", "highlights", "contrast", "contrast_rms"}
    | {"structure", "noise", "blocking", "banding", "border", "blank"}
)
LATER: Mapping[str, float] = {"bars": 0.0, "range": 1.0, "quantisation": 0.0}
"""What older versions did not measure, with what is supposed instead: their inspections are judged too."""

MIDDLE = 0.43  # where exposure is best
METERED = 0.45
NOISY = 3.0
COMPRESSED = 20.0
CLIPPED = 0.1
"""From how much on a fault is named."""


class Part(NamedTuple):
    """One thing a picture can be good or bad at."""

    value: float
    power: float
    complaint: str


def technical_score(measurements: Mapping[str, float]) -> Score:
    """Judge a picture by its raw figures alone.

    Each part is a smooth curve from its figures to (0, 1]; the value is the product of the parts, each to
    its power. One bad fault is enough to sink a picture. A clean photograph reaches 0.75-0.95, a blank one 0.
    The curves are ours, fitted so that graded damage to photographs is ranked right
    (``benchmarks/technical_ladders.py``) and flat posters, line art and products on white are not taken for
    damage; they are no taste. Colourfulness and entropy are recorded but not judged: black and white is no
    fault.

    Args:
        measurements: What ``measure`` gave.

    Returns:
        The value in [0, 1], and what pulled it down most. The value is ``None`` when figures are missing.
    """
    if not measurements.keys() >= JUDGED:
        return Score(None, "not measured", version=VERSION)
    parts = _parts({**LATER, **measurements})
    value = math.prod(part.value**part.power for part in parts)
    names = sorted(JUDGED.union(LATER).intersection(measurements))
    return Score(min(1.0, value), _reason(parts), {name: measurements[name] for name in names}, VERSION)


def _parts(figures: Mapping[str, float]) -> list[Part]:
    seen = _rising(1 - figures["blank"], 0.01, 1) * _rising(figures["structure"], 0.012, 2)
    headroom = min(1.0, max(0.02, (1 - figures["luminance"]) / (1 - METERED)))
    contrast = headroom * max(figures["contrast"], 2 * figures["contrast_rms"])
    reach = max(0.02, figures["range"] * headroom**0.44)
    blocks = min(
        _falling(figures["quantisation"], 70, 2.5) ** 0.6,
        _falling(figures["blocking"], 1.2, 3.5) ** 0.33,
    )
    return [
        Part(seen, 1.0, "nearly blank"),
        Part(_rising(figures["sharpness"] + 0.02, 0.22, 2.3), 0.6, _softness_complaint(figures)),
        Part(_exposure(figures), 0.28, _exposure_complaint(figures)),
        Part(_rising(contrast, 0.089, 1.8) ** 0.4 * reach**0.12, 1.0, "low contrast"),
        Part(_falling(figures["noise"], 9.6, 2.1), 0.47, "noisy"),
        Part(blocks, 1.0, "compression blocks"),
        Part(_falling(figures["banding"], 0.05, 1), 0.15, "banding"),
        Part(_falling(figures["border"], 1.1, 4), 0.2, f"plain border {figures['border']:.0%}"),
        Part(_falling(figures["bars"], 0.6, 1), 0.64, f"bars {figures['bars']:.0%}"),
    ]


def _exposure(figures: Mapping[str, float]) -> float:
    """Judge the mean and what is clipped; mildly, because a white or a black ground may be meant so."""
    mean = _falling(abs(figures["luminance"] - MIDDLE), 1.2, 1.2)
    return mean * _falling(figures["highlights"], 0.91, 1.5) * _falling(figures["shadows"], 3.0, 2.5)


def _softness_complaint(figures: Mapping[str, float]) -> str:
    """Name what the detail is lost in."""
    if figures["noise"] >= NOISY:
        return "noisy"
    return "compression blocks" if figures["quantisation"] >= COMPRESSED else "soft"


def _exposure_complaint(figures: Mapping[str, float]) -> str:
    tone = "highlights" if figures["highlights"] >= figures["shadows"] else "shadows"
    if figures[tone] >= CLIPPED:
        return f"{tone} clipped {figures[tone]:.0%}"
    return "too bright" if figures["luminance"] > MIDDLE else "too dark"


def _rising(figure: float, half: float, steepness: float) -> float:
    """Go from 0 towards 1, being 0.5 at ``half``; never flat, so that any improvement shows."""
    power = max(0.0, figure) ** steepness
    return float(power / (power + half**steepness))


def _falling(figure: float, half: float, steepness: float) -> float:
    return 1.0 - _rising(figure, half, steepness)


def _reason(parts: list[Part]) -> str:
    kept: dict[str, float] = {}
    for part in parts:
        kept[part.complaint] = kept.get(part.complaint, 1.0) * part.value**part.power
    losses = sorted(kept.items(), key=lambda loss: loss[1])
    return ", ".join(complaint for complaint, left in losses[:3] if left < 0.9) or "no fault found"


class TechnicalScorer:
    """Judges by what inspection has measured; opens no file."""

    name = "technical"
    version = VERSION

    def score(self, candidate: Candidate, run_folder: Path) -> Score:  # noqa: ARG002 - the figures suffice
        """Judge a candidate by ``candidate.inspection.measurements``; ``None`` when it was not inspected."""
        return technical_score(candidate.inspection.measurements if candidate.inspection else {})
