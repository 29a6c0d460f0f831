"""How well a picture is made, whatever it shows: sharp, exposed, contrasted, clean, not blank.

``measure`` reads raw figures off the pixels once, while the picture is decoded anyway; ``technical_score``
turns the figures into a value later, without the picture. Every mapping is absolute: a picture's value says
nothing about the pool it came from, so runs can be compared.

Figures are taken at a fixed scale, longest edge 512 px, so that a draft and a larger picture are judged
alike. Only the traces of compression are read at full scale, in a window at the centre, because resizing
hides them.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.candidate import Candidate, Score

VERSION = "2"
"""Raised whenever a measurement or a mapping changes: scores of two versions are not compared."""

EDGE_PX = 512
TILE_PX = 32
OPAQUE = 128
MODES_WITH_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")

STRUCTURE_PX = 8
REACH_PX = 4
ROUNDING = 1.0  # levels: in a very soft picture the rounding to 8 bits makes steps of its own
PAPER_LEVELS = 6.0
LEAST_LEFT = 0.05
WHOLE = (slice(None), slice(None))

SPREAD_SD = 3.29  # standard deviations from the 5th to the 95th percentile

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]


def measure(picture: Image.Image) -> dict[str, float]:
    """Read the raw technical figures off a decoded picture.

    A transparent picture is measured where it is opaque (alpha of at least half); its empty part counts
    neither as blank nor as clipped.

    Args:
        picture: Any mode and size; not changed. Reading it decodes it if that was not done.

    Returns:
        ``sharpness`` 0-1, edge energy that a further blur would take away (Crete et al. 2007, "The blur
        effect: perception and estimation with a new no-reference perceptual blur metric", weighted here by
        squared gradient so that a soft background does not count); ``luminance`` 0-1 mean; ``shadows``,
        ``highlights`` shares of clipped pixels, a plain ground that reaches all round the rim left out;
        ``contrast`` 0-1 spread from the 5th to the 95th percentile of luminance; ``contrast_rms`` 0-0.5;
        ``colourfulness`` 0-~150 (Hasler and Süsstrunk 2003, "Measuring colorfulness in natural images");
        ``noise`` standard deviation in 8-bit levels of the calmest quarter of the picture (Immerkær 1996,
        "Fast noise variance estimation", by tile); ``blocking`` 0 and up, how much luminance jumps more at
        the 8-px grid of JPEG than in mid-block, as a multiple (after Wang, Sheikh and Bovik 2002);
        ``banding`` share of pixels on a small step between two flats; ``structure`` 0-0.5, spread of
        luminance that is left when 8 x 8 px are averaged, near 0 for nothing but grain; ``border`` share of
        the area in a rim of one colour; ``bars`` the same where it does not reach all round, and 0 where it
        does: all else is then measured between the bars; ``blank`` share of the commonest colour;
        ``entropy`` of luminance, 0-8 bits; ``opaque`` share of the pixels measured. Empty when nothing is
        opaque.
    """
    colours, mask = _at_fixed_scale(picture)
    if mask is not None and not mask.any():
        return {}
    grey = np.asarray(Image.fromarray(colours).convert("L")).astype(np.float32)
    window = np.asarray(_window(picture).convert("L")).astype(np.float32)
    border, bars, within = _border(grey) if mask is None else (0.0, 0.0, WHOLE)
    grey, colours = grey[within], colours[within]
    inside = colours[::2, ::2].reshape(-1, 3) if mask is None else colours[mask]  # a quarter tells enough
    noise = _noise(grey, mask)
    return {
        "sharpness": _sharpness(grey, mask, noise),
        **_tones(grey if mask is None else grey[mask], noise),
        **_clipping(grey, mask),
        "colourfulness": _colourfulness(inside),
        "structure": _structure(grey, mask),
        "noise": noise,
        "blocking": _blocking(window),
        "banding": _banding(window),
        "border": border,
        "bars": bars,
        "blank": _commonest_colour(inside),
        "opaque": 1.0 if mask is None else float(mask.mean()),
    }


def _at_fixed_scale(picture: Image.Image) -> tuple[NDArray[np.uint8], Mask | None]:
    if picture.mode not in MODES_WITH_ALPHA and "transparency" not in picture.info:
        return np.asarray(_shrunk(picture.convert("RGB"))), None
    small = np.asarray(_shrunk(picture.convert("RGBA")))
    mask = small[..., 3] >= OPAQUE
    return np.ascontiguousarray(small[..., :3]), None if mask.all() else mask


def _shrunk(picture: Image.Image) -> Image.Image:
    """Average down to the fixed scale; by whole pixels first, which is five times as fast."""
    whole = max(picture.size) // EDGE_PX
    if whole > 1:
        picture = picture.reduce(whole)
    scale = min(1.0, EDGE_PX / max(picture.size))
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture if size == picture.size else picture.resize(size, Image.Resampling.BOX)


def _window(picture: Image.Image) -> Image.Image:
    """Cut out the centre at full scale, on JPEG's grid."""
    left = max(0, (picture.width - EDGE_PX) // 2) // 8 * 8
    top = max(0, (picture.height - EDGE_PX) // 2) // 8 * 8
    return picture.crop((left, top, min(picture.width, left + EDGE_PX), min(picture.height, top + EDGE_PX)))


def _sharpness(grey: Plane, mask: Mask | None, noise: float) -> float:
    grain = ROUNDING + noise / 2
    return min(_sharpness_along(0, grey, mask, grain), _sharpness_along(1, grey, mask, grain))


def _sharpness_along(axis: int, grey: Plane, mask: Mask | None, grain: float) -> float:
    """Compare each step between neighbours with the same step after a box blur of ``2 * REACH_PX + 1``.

    A step of the blurred picture needs no blur: it is the difference of the two pixels that enter and leave
    the box. What grain alone would give is taken off, else a noisy picture would pass for a sharp one.
    """
    if grey.shape[axis] < 2 * REACH_PX + 4:
        return 0.0
    width = 2 * REACH_PX + 1
    step = np.abs(_span(grey, axis, REACH_PX + 1, -REACH_PX) - _span(grey, axis, REACH_PX, -REACH_PX - 1))
    kept = _span(grey, axis, width, None) - _span(grey, axis, 0, -width)
    np.abs(kept, out=kept)
    kept /= -width
    kept += step
    kept -= grain
    np.maximum(kept, 0.0, out=kept)
    if mask is not None:
        step *= _span(mask, axis, width, None) & _span(mask, axis, 0, -width)
    energy = float(np.vdot(step, step))
    return float(np.vdot(step, kept)) / energy if energy > step.size * 0.01 else 0.0


def _span(plane: NDArray[Any], axis: int, start: int, stop: int | None) -> NDArray[Any]:
    return plane[start:stop] if axis == 0 else plane[:, start:stop]


def _tones(levels: Plane, noise: float) -> dict[str, float]:
    """Read the histogram; what noise alone adds to the spread is taken off again."""
    histogram = np.bincount(levels.ravel().astype(np.intp), minlength=256) / levels.size
    values = np.arange(256)
    low, high = np.searchsorted(np.cumsum(histogram), [0.05, 0.95])
    mean = float(histogram @ values)
    present = histogram[histogram > 0]
    return {
        "luminance": mean / 255,
        "contrast": math.sqrt(max(0.0, float(high - low) ** 2 - (SPREAD_SD * noise) ** 2)) / 255,
        "contrast_rms": math.sqrt(max(0.0, float(histogram @ (values - mean) ** 2) - noise**2)) / 255,
        "entropy": float(-(present * np.log2(present)).sum()) + 0.0,
    }


def _clipping(grey: Plane, mask: Mask | None) -> dict[str, float]:
    inside, counted = (grey, grey.size) if mask is None else (grey[mask], int(mask.sum()))
    paper = _paper_level(grey) if mask is None else None
    if paper is not None:
        inside = inside[np.abs(inside - paper) > PAPER_LEVELS]
    shadows, highlights = int(np.count_nonzero(inside <= 4)), int(np.count_nonzero(inside >= 251))
    return {"shadows": shadows / counted, "highlights": highlights / counted}


def _paper_level(grey: Plane) -> float | None:
    """Return the level of the ground that the picture stands on, or ``None`` when its rim is not plain."""
    rim = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    level = float(np.median(rim))
    return level if float((np.abs(rim - level) <= PAPER_LEVELS).mean()) > 0.97 else None


def _colourfulness(pixels: NDArray[np.uint8]) -> float:
    red, green, blue = (pixels[:, channel].astype(np.float32) for channel in range(3))
    red_green, yellow_blue = red - green, (red + green) / 2 - blue
    spread = math.hypot(float(red_green.std()), float(yellow_blue.std()))
    return spread + 0.3 * math.hypot(float(red_green.mean()), float(yellow_blue.mean()))


def _noise(grey: Plane, mask: Mask | None) -> float:
    """Estimate the noise in the calmest quarter of the tiles; of fine texture, half at most.

    Averaged over 2 x 2 px, noise falls to half, as independent pixels do; grass and cloth fall less.
    """
    residue = _residue(grey)
    centre = grey[1:-1, 1:-1]
    usable = (centre > 8) & (centre < 247)  # noise is cut off where the picture is clipped
    if mask is not None:
        usable &= mask[1:-1, 1:-1]
    tiles = _tile_means(residue, TILE_PX)
    trusted = _tile_means(usable.astype(np.float32), TILE_PX) > 0.9
    chosen = tiles[trusted] if trusted.any() else tiles
    if not chosen.size:
        return 0.0
    found = float(np.percentile(chosen, 12.5))
    halved = _tile_means(_residue(_tile_means(grey, 2)), TILE_PX // 2)
    kept = float(np.percentile(halved, 12.5)) / found if halved.size and found else 0.0
    share = min(1.0, max(0.5, 1.6 - kept))
    return share * found * math.sqrt(math.pi / 2) / 6


def _residue(grey: Plane) -> Plane:
    """Take off what is smooth: the second difference along both axes."""
    across = grey[:, :-2] - 2 * grey[:, 1:-1] + grey[:, 2:]
    residue: Plane = np.abs(across[:-2] - 2 * across[1:-1] + across[2:])
    return residue


def _structure(grey: Plane, mask: Mask | None) -> float:
    tiles = _tile_means(grey, STRUCTURE_PX)
    if mask is not None:
        tiles = tiles[_tile_means(mask.astype(np.float32), STRUCTURE_PX) == 1]
    return float(tiles.std()) / 255 if tiles.size else 0.0


def _tile_means(plane: Plane, tile_px: int) -> NDArray[np.float32]:
    tile = min(tile_px, *plane.shape)
    if tile < 1:
        return np.empty((0, 0), dtype=np.float32)
    rows, columns = plane.shape[0] // tile, plane.shape[1] // tile
    whole = plane[: rows * tile, : columns * tile]
    strips = whole.reshape(rows, tile, -1).sum(axis=1)
    means: NDArray[np.float32] = strips.reshape(rows, columns, tile).sum(axis=2) / (tile * tile)
    return means


def _blocking(window: Plane) -> float:
    return max(0.0, (_grid_jump(window) + _grid_jump(window.T)) / 2)


def _grid_jump(window: Plane) -> float:
    """How much more neighbours differ across the grid of 8 px than in mid-block, by how busy it is there.

    Mid-block is 4 px away, so that a picture enlarged two or four times does not look like JPEG.
    """
    if window.shape[1] < 24:
        return 0.0
    steps = np.minimum(np.abs(np.diff(window, axis=1)), 24).mean(axis=0)
    at_grid = np.arange(7, steps.size - 4, 8)
    beside = (steps[at_grid - 4] + steps[at_grid + 4]) / 2
    return float((steps[at_grid] - beside).mean() / (beside.mean() + 1))


def _banding(window: Plane) -> float:
    return max(_band_edges(window), _band_edges(window.T))


def _band_edges(window: Plane) -> float:
    if window.shape[1] < 8:
        return 0.0
    steps = np.abs(np.diff(window, axis=1))
    flat = steps == 0
    small = (steps >= 3) & (steps <= 32)
    edges = small[:, 3:-3] & flat[:, :-6] & flat[:, 1:-5] & flat[:, 2:-4] & flat[:, 4:-2] & flat[:, 5:-1]
    edges &= flat[:, 6:]
    edges[:, 4::8] = False  # steps on JPEG's grid are told by `blocking`
    return float(edges.mean())


def _border(grey: Plane, tolerance: float = 6.0) -> tuple[float, float, tuple[slice, slice]]:
    """Measure the plain rim: its share of the area, that of bars, and what bars leave of the picture.

    A ground of one colour all round is a style and stays; bars on two sides are cut off, so that what they
    frame is judged by itself.
    """
    rows, columns = (_busy_span(np.ptp(grey, axis=axis) > tolerance) for axis in (1, 0))
    left = (rows.stop - rows.start) * (columns.stop - columns.start)
    border = 1.0 - left / grey.size
    if left < grey.size * LEAST_LEFT or _paper_level(grey) is not None:
        return border, 0.0, WHOLE
    return border, border, (rows, columns)


def _busy_span(is_busy: Mask) -> slice:
    busy = np.flatnonzero(is_busy)
    return slice(int(busy[0]), int(busy[-1]) + 1) if busy.size else slice(0, 0)


def _commonest_colour(pixels: NDArray[np.uint8]) -> float:
    coarse = (pixels >> 4).astype(np.uint16)
    keys = (coarse[:, 0] << 8) | (coarse[:, 1] << 4) | coarse[:, 2]
    return float(np.bincount(keys).max()) / len(keys)


class Part(NamedTuple):
    """One thing a picture can be good or bad at."""

    value: float
    power: float
    complaint: str


def technical_score(measurements: Mapping[str, float]) -> Score:
    """Judge a picture by its raw figures alone.

    Each part is a smooth curve from its figures to (0, 1]; the value is the product of the parts, each to
    its power: contrast and bars 0.64, blocking 0.6, exposure 0.45, noise 0.39, sharpness 0.35, banding 0.3,
    border 0.2, and whether there is anything to see at all 1. One bad fault is enough to sink a picture. A
    clean photograph reaches 0.8-0.95, a blank one 0. The curves are ours, fitted so that graded damage to
    photographs is ranked right (``benchmarks/technical_ladders.py``) and flat posters, line art and products
    on white are not taken for damage; they are no taste. Colourfulness and entropy are recorded but not
    judged: black and white is no fault.

    Args:
        measurements: What ``measure`` gave.

    Returns:
        The value in [0, 1], and what pulled it down most. The value is ``None`` when figures are missing.
    """
    if not measurements.keys() >= JUDGED:
        return Score(None, "not measured", version=VERSION)
    parts = _parts(measurements)
    value = math.prod(part.value**part.power for part in parts)
    judged = {name: measurements[name] for name in sorted(JUDGED | {"bars"}) if name in measurements}
    return Score(min(1.0, value), _reason(parts), judged, VERSION)


JUDGED = frozenset(
    {"sharpness", "luminance", "shadows", "highlights", "contrast", "contrast_rms"}
    | {"structure", "noise", "blocking", "banding", "border", "blank"}
)


SHARP = (0.26, 2.85)


def _parts(figures: Mapping[str, float]) -> list[Part]:
    contrast = max(figures["contrast"], 2 * figures["contrast_rms"])
    bars = figures.get("bars", 0.0)  # version 1 did not measure them, and its inspections are still judged
    sharp = _rising(figures["sharpness"], *SHARP)
    less_grain = _rising(figures["sharpness"] / (1 + 0.1 * figures["noise"]), *SHARP)  # it passes for edges
    clean = _falling(figures["noise"], 24, 3) ** 0.39 * (less_grain / sharp if sharp else 1.0) ** 0.35
    seen = _rising(1 - figures["blank"], 0.01, 1) * _rising(figures["structure"], 0.012, 2)
    exposure = (
        _falling(abs(figures["luminance"] - 0.45), 0.5, 2.1)
        * _falling(figures["highlights"], 0.57, 2)
        * _falling(figures["shadows"], 0.56, 1.5)
    )
    return [
        Part(seen, 1.0, "nearly blank"),
        Part(sharp, 0.35, "soft"),
        Part(exposure, 0.45, _exposure_complaint(figures)),
        Part(_rising(contrast, 0.1, 2), 0.64, "low contrast"),
        Part(clean, 1.0, "noisy"),
        Part(_falling(figures["blocking"], 1.2, 2), 0.6, "compression blocks"),
        Part(_falling(figures["banding"], 0.01, 1), 0.3, "banding"),
        Part(_falling(figures["border"], 1.1, 4), 0.2, f"plain border {figures['border']:.0%}"),
        Part(_falling(bars, 0.6, 1), 0.64, f"bars {bars:.0%}"),
    ]


def _exposure_complaint(figures: Mapping[str, float]) -> str:
    if max(figures["highlights"], figures["shadows"]) < 0.02:
        return "too bright" if figures["luminance"] > 0.5 else "too dark"
    tone = "highlights" if figures["highlights"] >= figures["shadows"] else "shadows"
    return f"{tone} clipped {figures[tone]:.0%}"


def _rising(figure: float, half: float, steepness: float) -> float:
    """Go from 0 towards 1, being 0.5 at ``half``; never flat, so that any improvement shows."""
    power = max(0.0, figure) ** steepness
    return float(power / (power + half**steepness))


def _falling(figure: float, half: float, steepness: float) -> float:
    return 1.0 - _rising(figure, half, steepness)


def _reason(parts: list[Part]) -> str:
    losses = sorted(((part.value**part.power, part.complaint) for part in parts), key=lambda loss: loss[0])
    return ", ".join(complaint for kept, complaint in losses[:3] if kept < 0.9) or "no fault found"


class TechnicalScorer:
    """Judges by what inspection has measured; opens no file."""

    name = "technical"
    version = VERSION

    def score(self, candidate: Candidate, run_folder: Path) -> Score:  # noqa: ARG002 - the figures suffice
        """Judge a candidate by ``candidate.inspection.measurements``; ``None`` when it was not inspected."""
        return technical_score(candidate.inspection.measurements if candidate.inspection else {})
