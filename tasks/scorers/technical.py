"""The scorer ``technical``: sharpness, exposure, contrast, noise, artefacts and blankness.

``technical_score`` maps the raw figures of ``technical_figures.measure`` to a value, without the picture.
Every mapping is absolute: a picture's value does not depend on other pictures, so runs can be compared.

Damage must lower the value even if it improves another figure. Brightening spreads the tones, so contrast is
limited by the headroom above the mean. Fading improves the exposure, so the loss of range weighs more.
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
"""Figures that older versions did not measure, with default values, so that old inspections can be scored."""

MIDDLE = 0.43  # where exposure is best
METERED = 0.45
NOISY = 3.0
COMPRESSED = 20.0
CLIPPED = 0.1
"""The share from which clipping is named as a fault."""


class Part(NamedTuple):
    """One aspect of technical quality."""

    value: float
    power: float
    complaint: str


def technical_score(measurements: Mapping[str, float]) -> Score:
    """Score a picture by its raw figures alone.

    Each part is a smooth curve from its figures to (0, 1]; the value is the product of the parts, each to
    its power. One severe fault gives a low value. A clean photograph reaches 0.75-0.95, a blank one 0.
    The curves are this project's own, fitted so that graded damage to photographs is ranked correctly
    (``benchmarks/technical_ladders.py``) and flat posters, line art and products on white are not taken for
    damage; they do not measure taste. Colourfulness and entropy are recorded but not scored: black and white
    is not a fault.

    Args:
        measurements: The result of ``measure``.

    Returns:
        The value in [0, 1], and the worst faults as the reason. The value is ``None`` if figures are missing.
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
    """Rate the mean and the clipping; mildly, because a white or black background may be intended."""
    mean = _falling(abs(figures["luminance"] - MIDDLE), 1.2, 1.2)
    return mean * _falling(figures["highlights"], 0.91, 1.5) * _falling(figures["shadows"], 3.0, 2.5)


def _softness_complaint(figures: Mapping[str, float]) -> str:
    """Name the cause of lost detail."""
    if figures["noise"] >= NOISY:
        return "noisy"
    return "compression blocks" if figures["quantisation"] >= COMPRESSED else "soft"


def _exposure_complaint(figures: Mapping[str, float]) -> str:
    tone = "highlights" if figures["highlights"] >= figures["shadows"] else "shadows"
    if figures[tone] >= CLIPPED:
        return f"{tone} clipped {figures[tone]:.0%}"
    return "too bright" if figures["luminance"] > MIDDLE else "too dark"


def _rising(figure: float, half: float, steepness: float) -> float:
    """Rise from 0 towards 1, with 0.5 at ``half``; never flat, so that any improvement counts."""
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
    """Scores by the measurements of the inspection; opens no file."""

    name = "technical"
    version = VERSION

    def score(self, candidate: Candidate, run_folder: Path) -> Score:  # noqa: ARG002 - the figures suffice
        """Score a candidate by ``candidate.inspection.measurements``; ``None`` if it was not inspected."""
        return technical_score(candidate.inspection.measurements if candidate.inspection else {})
