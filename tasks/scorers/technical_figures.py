"""The raw technical figures of a picture, measured on its pixels while it is decoded anyway.

Figures are taken at a fixed scale, longest edge 512 px, so that pictures of different
sizes are comparable. Only the traces of compression are measured at full scale, in a window at the centre,
because resizing hides them. The contribution of grain and of JPEG's rounding is subtracted from every figure
that they would raise: noise must not make a picture look sharper, less clipped or richer in contrast.

Levels stay bytes as long as they are whole numbers: a megapixel is then measured in 3 ms.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.pictures.colour import as_rgb
from tasks.scorers.fixed_scale import every_other, grey_of, halve, shrunk, window_of
from tasks.scorers.jpeg_traces import measure_blocking, measure_quantisation

TILE_PX = 32
STRIP_PX = 128
OPAQUE = 128

REACH_PX = 4
ROUNDING = 1.0  # levels: in a very soft picture rounding to 8 bits makes steps
MIDDLE_LEVEL = 102.0
GRAIN_SD = (3.0, 2.5)  # at the fixed scale and at half of it: steps up to so many deviations may be grain
STEP_SHARE = 0.2  # of JPEG's quantisation step: the height, in levels, of the steps that JPEG makes
CLIPPED_LEVELS = 4.0
CLIPPED_SD = 1.5  # noise clipped at white lowers its mean by so many deviations
TOP = 0.98
CHANNEL_NOISE = 1.5  # ratio of the noise in a channel to that in luminance, if independent
PAPER_LEVELS = 6.0
LEAST_LEFT = 0.05
PLAIN = 0.97
"""Share of the rim that has one colour, from which it is the ground."""
LIGHT_LEVEL = 150.0
WHOLE = (slice(None), slice(None))

SPREAD_SD = 3.29  # standard deviations from the 5th to the 95th percentile
RANGE_SD = 5.15  # the same from the 0.5th to the 99.5th

Levels = NDArray[np.uint8]
Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]
Area = tuple[slice, slice]


def measure(picture: Image.Image) -> dict[str, float]:
    """Measure the raw technical figures of a decoded picture.

    A transparent picture is measured where it is opaque (alpha of at least half); its transparent part
    counts neither as blank nor as clipped. Of one with a plain light ground on all sides, tones, clipping
    and ``blank`` are those of the rectangle that the subject fills.

    Args:
        picture: Any mode and size; not changed. It is decoded if it was not before.

    Returns:
        ``sharpness`` 0-1, edge energy that a further blur would remove (Crete et al. 2007, "The blur
        effect: perception and estimation with a new no-reference perceptual blur metric", weighted here by
            squared gradient so that a soft background does not count), one third at the fixed scale and two
            thirds at half of that, without steps as low as those of grain or JPEG; ``luminance`` 0-1 mean;
            ``shadows`` share of pixels clipped at black; ``highlights`` of channel values at the top of their
            channel, 0.02 and up; ``contrast`` 0-1 spread from the 5th to the 95th percentile of luminance;
            ``range`` 0-1 the same from the 0.5th to the 99.5th; ``contrast_rms`` 0-0.5; ``colourfulness``
            0-~150 (Hasler and Süsstrunk 2003, "Measuring colorfulness in natural images"); ``noise`` standard
            deviation in 8-bit levels in the smoothest quarter of the picture (Immerkær 1996, "Fast noise
            variance estimation", by tile); ``blocking`` 0 and up, how much luminance jumps more at the 8-px
            grid of JPEG than in mid-block, as a multiple (after Wang, Sheikh and Bovik 2002);
            ``quantisation`` the step to which JPEG rounded the low frequencies of luminance, 120 at quality
            5, 16 at 40 and better, 0 when there is no trace; ``banding`` share of pixels on a small step
            between two flat areas; ``structure`` 0-0.5, standard deviation of luminance averaged over 8 x 8
            px, near 0 for pure grain; ``border`` share of the area in a rim of one colour; ``bars`` the share
            of two opposite bars of one colour, between which all else is then measured; ``blank`` share of
            the most frequent colour; ``entropy`` of luminance, 0-8 bits; ``opaque`` share of the pixels
            measured. Empty when nothing is opaque.
    """
    whole = as_rgb(picture)
    pixels = shrunk(whole)
    mask = None if whole.mode == "RGB" else pixels[..., 3] >= OPAQUE
    if mask is not None and not mask.any():
        return {}
    mask = None if mask is None or mask.all() else mask
    grey = grey_of(pixels)
    window = np.asarray(window_of(picture).convert("L"))
    border, bars, within, subject = _border(grey) if mask is None else (0.0, 0.0, WHOLE, WHOLE)
    grey, pixels = grey[within], pixels[within]
    half, half_mask = halve(grey), None if mask is None else halve(mask) == 1
    toned, coarse = (grey, half) if mask is None else (grey[mask], half[half_mask])
    if subject is not WHOLE:
        toned, coarse = grey[subject], halve(grey[subject])
    shown = every_other(pixels[subject]) if mask is None else pixels[mask][None]  # a quarter will do
    noise, quantisation = _noise(grey, half, mask, window), measure_quantisation(window)
    return {
        "sharpness": _sharpness(grey, half, mask, half_mask, noise, quantisation),
        **_tones(toned, noise),
        **_clipping(shown, coarse, noise),
        "range": _range(coarse, noise / 2),
        "colourfulness": _colourfulness(shown),
        "structure": _structure(half, half_mask),
        "noise": noise,
        "blocking": measure_blocking(window),
        "quantisation": quantisation,
        "banding": _banding(window),
        "border": border,
        "bars": bars,
        "blank": _most_frequent_share(shown),
        "opaque": 1.0 if mask is None else float(mask.mean()),
    }


def _sharpness(
    grey: Levels, half: Plane, mask: Mask | None, half_mask: Mask | None, noise: float, quantisation: float
) -> float:
    """Measure sharpness at two scales; the half scale weighs more: soft edges are steeper there, grain lower.

    The threshold for rounding rises with luminance, otherwise overexposure would raise the value.
    """
    import cv2

    level = cv2.mean(grey if mask is None else grey[mask])[0]
    own = ROUNDING * max(1.0, level / MIDDLE_LEVEL) + STEP_SHARE * quantisation
    grain = own + GRAIN_SD[0] * noise, own + GRAIN_SD[1] * noise / 2
    fine = min(_sharpness_along(axis, grey, mask, grain[0]) for axis in (0, 1))
    coarse = min(_sharpness_along(axis, half, half_mask, grain[1]) for axis in (0, 1))
    return (fine + 2 * coarse) / 3


def _sharpness_along(axis: int, grey: Levels | Plane, mask: Mask | None, grain: float) -> float:
    """Compare each step between neighbours with the same step after a box blur of ``2 * REACH_PX + 1``.

    A step of the blurred picture needs no blur: it follows from the two pixels that enter and leave the box.
    ``grain`` levels are subtracted from each remaining step, but not from the steps that it is compared with,
    so that steps finer than grain lower the ratio.
    """
    import cv2

    if grey.shape[axis] < 2 * REACH_PX + 4:
        return 0.0
    width = 2 * REACH_PX + 1
    step = cv2.absdiff(_span(grey, axis, REACH_PX + 1, -REACH_PX), _span(grey, axis, REACH_PX, -REACH_PX - 1))
    blurred = cv2.absdiff(_span(grey, axis, width, None), _span(grey, axis, 0, -width))
    kept = cv2.addWeighted(step, 1, blurred, -1 / width, -grain, dtype=cv2.CV_32F)
    cv2.threshold(kept, 0, 0, cv2.THRESH_TOZERO, dst=kept)
    if mask is not None:
        step = step * (_span(mask, axis, width, None) & _span(mask, axis, 0, -width))
    energy = cv2.norm(step, cv2.NORM_L2SQR)
    return float(np.vdot(step.astype(np.float32), kept)) / energy if energy > step.size * 0.01 else 0.0


def _span(plane: NDArray[Any], axis: int, start: int, stop: int | None) -> NDArray[Any]:
    return plane[start:stop] if axis == 0 else plane[:, start:stop]


def _histogram(levels: Levels) -> NDArray[np.float64]:
    """Count the pixels of each level, 0-255."""
    import cv2

    return cv2.calcHist([levels], [0], None, [256], [0, 256]).ravel().astype(np.float64)


def _tones(levels: Levels, noise: float) -> dict[str, float]:
    """Measure the histogram; the contribution of noise to the spread is subtracted."""
    histogram, values = _histogram(levels) / levels.size, np.arange(256)
    low, high = np.searchsorted(np.cumsum(histogram), [0.05, 0.95])
    mean = float(histogram @ values)
    present = histogram[histogram > 0]
    return {
        "luminance": mean / 255,
        "contrast": math.sqrt(max(0.0, float(high - low) ** 2 - (SPREAD_SD * noise) ** 2)) / 255,
        "contrast_rms": math.sqrt(max(0.0, float(histogram @ (values - mean) ** 2) - noise**2)) / 255,
        "entropy": float(-(present * np.log2(present)).sum()) + 0.0,
    }


def _range(levels: Plane, noise: float) -> float:
    if not levels.size:
        return 0.0
    shares = np.cumsum(_histogram(levels.astype(np.uint8))) / levels.size
    low, high = np.searchsorted(shares, [0.005, 0.995])
    return math.sqrt(max(0.0, float(high - low) ** 2 - (RANGE_SD * noise) ** 2)) / 255


def _clipping(pixels: Levels, levels: Plane, noise: float) -> dict[str, float]:
    """Measure clipping, at white by channel: a saturated colour clips long before white does.

    Highlights count as clipped at the top of each channel, wherever that is: fading a picture does not bring
    their detail back.
    """
    import cv2

    if not levels.size:
        return {"shadows": 0.0, "highlights": 0.0}
    near = CLIPPED_LEVELS + CLIPPED_SD * CHANNEL_NOISE * noise
    highlights = [_share_at_top(np.asarray(channel, np.uint8), near) for channel in cv2.split(pixels)[:3]]
    return {
        "shadows": float((levels <= CLIPPED_LEVELS + CLIPPED_SD * noise).mean()),
        "highlights": sum(highlights) / 3,
    }


def _share_at_top(levels: Levels, near: float) -> float:
    shares = np.cumsum(_histogram(levels)) / levels.size
    top = int(np.searchsorted(shares, TOP))
    below = math.ceil(top - near) - 1
    return 1.0 - float(shares[below]) if below >= 0 else 1.0


def _rim(grey: Levels, tolerance: float) -> tuple[float, float]:
    """Return the level of the rim, and the share of the rim that has it."""
    rim = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    level = float(np.median(rim))
    return level, float((np.abs(rim - level) <= tolerance).mean())


def _colourfulness(pixels: Levels) -> float:
    import cv2

    red, green, blue = cv2.split(pixels)[:3]
    red_green = cv2.subtract(red, green, dtype=cv2.CV_16S)
    yellow_blue = cv2.subtract(
        cv2.add(red, green, dtype=cv2.CV_16S), cv2.add(blue, blue, dtype=cv2.CV_16S)
    )  # doubled, so that it is whole
    about_red, of_red = _mean_and_deviation(red_green)
    about_yellow, of_yellow = _mean_and_deviation(yellow_blue)
    return math.hypot(of_red, of_yellow / 2) + 0.3 * math.hypot(about_red, about_yellow / 2)


def _mean_and_deviation(levels: NDArray[Any]) -> tuple[float, float]:
    """Measure whole numbers by their sums, in a third of the time of OpenCV's own function."""
    import cv2

    mean = cv2.mean(levels)[0]
    return mean, math.sqrt(max(0.0, cv2.norm(levels, cv2.NORM_L2SQR) / levels.size - mean**2))


def _noise(grey: Levels, half: Plane, mask: Mask | None, window: Levels) -> float:
    """Estimate the noise in the smoothest quarter of the tiles; fine texture counts at most a fifth.

    Averaging over 2 x 2 px halves the noise of independent pixels; texture such as grass or cloth falls less.
    """
    import cv2

    if min(grey.shape) < 3:
        return 0.0
    centre = grey[1:-1, 1:-1]
    usable = np.asarray(cv2.inRange(centre, 4, 251), np.uint8)  # clipped areas hide the noise
    if mask is not None:
        usable *= mask[1:-1, 1:-1]
    tiles = _tile_means(_residue(grey), TILE_PX)
    trusted = _tile_means(usable, TILE_PX) > 0.97 * 255
    found = _smoothest(tiles, trusted)
    kept = _smoothest(_tile_means(_residue(half), TILE_PX // 2), trusted) / found if found else 0.0
    kept = max(kept, _kept_by_halving(window))
    share = min(1.0, max(0.2, 1.99 - 1.8 * kept))
    return share * found * math.sqrt(math.pi / 2) / 6


def _kept_by_halving(window: Levels) -> float:
    """Measure the same on a strip at full scale, where real detail is smoother than grain."""
    middle = window.shape[0] // 2
    strip = window[max(0, middle - STRIP_PX) : middle + STRIP_PX]
    if min(strip.shape) < 2 * TILE_PX:
        return 0.0
    found = _percentile(_tile_means(_residue(strip), TILE_PX), 25)
    halved = _percentile(_tile_means(_residue(halve(strip)), TILE_PX // 2), 25)
    return halved / found if found else 0.0


def _smoothest(tiles: Plane, trusted: Mask) -> float:
    """Return the median of the smoothest quarter; if few tiles are usable, of a smaller share of those."""
    share = 1.0
    if tiles.shape == trusted.shape and trusted.any():
        tiles, share = tiles[trusted], float(trusted.mean())
    return _percentile(tiles, 12.5 * share) if tiles.size else 0.0


def _percentile(values: Plane, percent: float) -> float:
    """Do what ``np.percentile`` does, in a seventh of its time."""
    ordered = np.sort(values, axis=None)
    return float(np.interp(percent / 100 * (ordered.size - 1), np.arange(ordered.size), ordered))


def _residue(grey: Levels | Plane) -> Plane | NDArray[np.uint16]:
    """Remove smooth content: take the second difference along both axes; of whole levels up to 2,040."""
    import cv2

    second = np.array([1, -2, 1], np.float32)
    if grey.dtype == np.uint8:
        whole = np.asarray(cv2.sepFilter2D(grey, cv2.CV_16S, second, second), np.int16)
        return np.abs(whole, out=whole).view(np.uint16)[1:-1, 1:-1]
    residue = np.asarray(cv2.sepFilter2D(grey, cv2.CV_32F, second, second), np.float32)
    return np.abs(residue, out=residue)[1:-1, 1:-1]


def _structure(half: Plane, mask: Mask | None) -> float:
    tiles = halve(halve(half))
    if mask is not None:
        tiles = tiles[halve(halve(mask)) == 1]
    return float(tiles.std()) / 255 if tiles.size else 0.0


def _tile_means(plane: Plane | NDArray[np.uint16] | Levels, tile_px: int) -> NDArray[np.float32]:
    """Average over tiles of up to 32 px; a column of whole numbers up to 2,040 then has a sum of 16 bits."""
    tile = min(tile_px, *plane.shape)
    if tile < 1:
        return np.empty((0, 0), dtype=np.float32)
    rows, columns = plane.shape[0] // tile, plane.shape[1] // tile
    whole = plane[: rows * tile, : columns * tile]
    sums = np.float32 if plane.dtype == np.float32 else np.uint16
    strips = whole.reshape(rows, tile, -1).sum(axis=1, dtype=sums)
    means: NDArray[np.float32] = strips.reshape(rows, columns, tile).sum(axis=2, dtype=np.float32)
    return means / np.float32(tile * tile)


def _banding(window: Levels) -> float:
    """Measure the share of pixels on a small step with three equal ones on either side."""
    import cv2

    return max(_band_edges(window), _band_edges(np.asarray(cv2.transpose(window), np.uint8)))


def _band_edges(window: Levels) -> float:
    import cv2

    if window.shape[1] < 8:
        return 0.0
    steps = cv2.absdiff(window[:, 1:], window[:, :-1])
    small = cv2.inRange(steps, 3, 32)[:, 3:-3]
    flat = cv2.erode(cv2.inRange(steps, 0, 0), np.ones((1, 3), np.uint8))  # and both its neighbours
    edges = cv2.bitwise_and(cv2.bitwise_and(small, flat[:, 1:-5]), flat[:, 5:-1])
    edges[:, 4::8] = 0  # steps on JPEG's grid are measured as `blocking`
    return float(cv2.countNonZero(edges) / edges.size)


def _border(grey: Levels) -> tuple[float, float, Area, Area]:
    """Measure the plain rim: its share of the area, that of bars, the area between bars, and the subject's.

    A ground of one colour on all sides is a style and stays. If it is light, as in a shop, tones and clipping
    are those of the rectangle that the subject fills: white paper is not overexposed. Bars on two opposite
    sides are removed, so that only the picture between them is measured.
    """
    rows, columns = (_busy_span(np.ptp(grey, axis=axis) > PAPER_LEVELS) for axis in (1, 0))
    left = (rows.stop - rows.start) * (columns.stop - columns.start)
    border = 1.0 - left / grey.size
    if left < grey.size * LEAST_LEFT:
        return border, 0.0, WHOLE, WHOLE
    level, alike = _rim(grey, PAPER_LEVELS)
    if alike > PLAIN:
        return border, 0.0, WHOLE, (rows, columns) if level >= LIGHT_LEVEL else WHOLE
    rows, columns = _between_bars(grey, rows), _between_bars(grey.T, columns)
    left = (rows.stop - rows.start) * (columns.stop - columns.start)
    return border, 1.0 - left / grey.size, (rows, columns), WHOLE


def _busy_span(is_busy: Mask) -> slice:
    busy = np.flatnonzero(is_busy)
    return slice(int(busy[0]), int(busy[-1]) + 1) if busy.size else slice(0, 0)


def _between_bars(grey: Levels, busy: slice) -> slice:
    """Leave out the plain lines at both ends if they are bars, and the line next to each, which is half bar.

    Bars have one colour and a hard edge to the picture; a clear sky has none.
    """
    last = len(grey) - 1
    if busy.start == 0 or busy.stop > last or busy.stop - busy.start < 8:
        return slice(0, last + 1)
    bar = float(np.median(grey[0]))
    are_bars = abs(bar - float(np.median(grey[last]))) <= PAPER_LEVELS and all(
        float(np.abs(grey[line] - bar).mean()) > PAPER_LEVELS for line in (busy.start + 2, busy.stop - 3)
    )
    return slice(busy.start + 1, busy.stop - 1) if are_bars else slice(0, last + 1)


def _most_frequent_share(pixels: Levels) -> float:
    import cv2

    colours = cv2.calcHist([pixels], [0, 1, 2], None, [16] * 3, [0, 256] * 3)
    return float(colours.max() / colours.sum())
