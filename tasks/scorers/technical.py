"""The scorer ``technical``: sharpness, exposure, contrast, noise, artefacts and blankness.

``technical_score`` maps the raw figures of ``technical_figures.measure`` to a value, without the picture.
Every mapping is absolute: a picture's value does not depend on other pictures, so runs can be compared.

Damage must lower the value even if it improves another figure: brightening spreads the tones, so contrast is
limited by the headroom above the mean. What is a style in one picture and damage in another, such as pure
white, costs little; what is damage in any, such as blur throughout, costs most of the value.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tasks.candidate import Candidate, Score

VERSION = "5"
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
    (``benchmarks/technical_ladders.py``) and undamaged pictures of many styles reach 0.7
    (``benchmarks/technical_styles.py``): what may be meant, such as light, dark or flat tones and a little
    grain, costs little, however much there is of it. They do not measure taste. Colourfulness and entropy are
    recorded but not scored: black and white is not a fault.

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
    seen = _rising(1 - figures["blank"], 0.01, 1) * _rising(figures["structure"], 0.024, 2)
    headroom = min(1.0, max(0.02, (1 - figures["luminance"]) / (1 - METERED)))
    contrast = headroom**1.25 * max(figures["contrast"], 2 * figures["contrast_rms"])
    reach = max(0.02, figures["range"] * headroom**0.22)
    blocks = min(
        _falling(figures["quantisation"], 57, 3.5) ** 0.9,
        _falling(figures["blocking"], 1.4, 5) ** 0.33,
    )
    return [
        Part(seen, 1.0, "nearly blank"),
        Part(_sharpness(figures["sharpness"] + 0.02), 1.0, _softness_complaint(figures)),
        Part(_exposure(figures), 0.32, _exposure_complaint(figures)),
        Part(_rising(contrast, 0.018, 5) ** 0.26 * reach**0.032, 1.0, "low contrast"),
        Part(_falling(figures["noise"], 8.5, 4), 0.6, "noisy"),
        Part(blocks, 1.0, "compression blocks"),
        Part(_falling(figures["banding"], 0.05, 1), 0.14, "banding"),
        Part(_falling(figures["border"], 1.4, 5.5), 0.16, f"plain border {figures['border']:.0%}"),
        Part(_falling(figures["bars"], 0.6, 1), 0.64, f"bars {figures['bars']:.0%}"),
    ]


def _sharpness(sharpness: float) -> float:
    """Rate it steeply where a picture is soft throughout, and a little everywhere, so that any blur costs."""
    return float(_rising(sharpness, 0.14, 4) ** 0.8 * sharpness**0.1)


def _exposure(figures: Mapping[str, float]) -> float:
    """Rate the mean and the clipping; mildly, because bright and dark pictures may be intended."""
    mean = _falling(abs(figures["luminance"] - MIDDLE), 3, 1)
    return mean * _falling(figures["highlights"], 1.1, 1.7) * _falling(figures["shadows"], 2.7, 2.3)


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
