"""What an editing model does to a picture that it redraws faithfully, for the benchmark of fidelity.

``KEPT`` are such changes, at sizes that should be accepted; ``slightly`` is the least that it does to any.
"""

import io
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from tasks.emulator.painting.retouch import repaint

Change = Callable[[Image.Image, np.random.Generator], Image.Image]


def zoomed(picture: Image.Image, factor: float, shift: tuple[float, float] = (0, 0)) -> Image.Image:
    """Enlarge around the middle and move; shares of each edge. What lies outside is continued by a mirror."""
    width, height = picture.size
    x, y = (1 - factor) * width / 2 + shift[0] * width, (1 - factor) * height / 2 + shift[1] * height
    matrix = np.array([[factor, 0, x], [0, factor, y]])
    pixels = cv2.warpAffine(
        np.asarray(picture), matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return Image.fromarray(np.asarray(pixels, np.uint8))


def redrawn(picture: Image.Image, amount: float, chance: np.random.Generator) -> Image.Image:
    """Move every part by up to a share of the edge, on its own, and draw its fine texture anew."""
    edge = max(picture.size)
    pixels = np.asarray(picture)
    flow = _field(pixels.shape[:2], 0.04 * edge, amount * edge, chance)
    flow += _field(pixels.shape[:2], 0.012 * edge, amount * edge / 4, chance)
    across, down = np.meshgrid(np.arange(picture.width), np.arange(picture.height))
    x, y = ((grid + flow[..., axis]).astype(np.float32) for axis, grid in enumerate((across, down)))
    moved = cv2.remap(pixels, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    finer = Image.fromarray(np.asarray(moved, np.uint8)).filter(ImageFilter.MedianFilter(3))
    finer = finer.filter(ImageFilter.UnsharpMask(2, 90, 2))
    grain = chance.normal(0, 3, (*pixels.shape[:2], 1))
    return Image.fromarray(np.clip(np.asarray(finer) + grain, 0, 255).astype(np.uint8))


def _field(
    shape: tuple[int, ...], smooth_px: float, most_px: float, chance: np.random.Generator
) -> NDArray[np.float64]:
    noise = chance.normal(0, 1, (*shape[:2], 2))
    field = cv2.GaussianBlur(noise, (0, 0), smooth_px)
    length = float(np.hypot(field[..., 0], field[..., 1]).max())
    return np.asarray(field * (most_px / length), np.float64)


def toned(picture: Image.Image, brightness: float, contrast: float, warmth: float) -> Image.Image:
    """Change brightness and contrast by factors, and red and blue by opposite shares."""
    changed = ImageEnhance.Contrast(ImageEnhance.Brightness(picture).enhance(brightness)).enhance(contrast)
    pixels = np.asarray(changed, float) * [1 + warmth, 1, 1 - warmth]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _sign(chance: np.random.Generator) -> int:
    return 1 if chance.random() < 0.5 else -1


def _finer(picture: Image.Image, _chance: np.random.Generator) -> Image.Image:
    larger = picture.resize((picture.width * 3 // 2, picture.height * 3 // 2), Image.Resampling.LANCZOS)
    return larger.filter(ImageFilter.UnsharpMask(3, 120, 2))


def _shift(chance: np.random.Generator, most: float) -> tuple[float, float]:
    angle = chance.uniform(0, 2 * np.pi)
    return most * float(np.cos(angle)), most * float(np.sin(angle))


def _edited(picture: Image.Image, chance: np.random.Generator) -> Image.Image:
    stream = io.BytesIO()
    picture.save(stream, "PNG", compress_level=1)
    size = picture.width * 3 // 2, picture.height * 3 // 2
    return repaint(stream.getvalue(), "the same in fine detail", int(chance.integers(99)), size, "high")


def _mixed(picture: Image.Image, chance: np.random.Generator) -> Image.Image:
    moved = zoomed(picture, 1 + 0.04 * _sign(chance), _shift(chance, 0.01))
    return toned(redrawn(moved, 0.007, chance), 1.0, 1.0, 0.05)


def _everything(picture: Image.Image, chance: np.random.Generator) -> Image.Image:
    moved = zoomed(picture, 1 + 0.06 * _sign(chance), _shift(chance, 0.03))
    tone = 1 + 0.07 * _sign(chance), 1 + 0.06 * _sign(chance), 0.06 * _sign(chance)
    return toned(redrawn(moved, 0.008, chance), *tone)


KEPT: dict[str, Change] = {
    "drawn finer": _finer,
    "the emulator's edit": _edited,
    "zoom 8 %": lambda picture, _chance: zoomed(picture, 1.08),
    "zoom -8 %": lambda picture, _chance: zoomed(picture, 1 / 1.08),
    "shift 4 %": lambda picture, chance: zoomed(picture, 1, _shift(chance, 0.04)),
    "brightness 10 %": lambda picture, chance: toned(picture, 1 + 0.1 * _sign(chance), 1, 0),
    "contrast 10 %": lambda picture, chance: toned(picture, 1, 1 + 0.1 * _sign(chance), 0),
    "white balance 10 %": lambda picture, chance: toned(picture, 1, 1, 0.1 * _sign(chance)),
    "redrawn 0.5 %": lambda picture, chance: redrawn(picture, 0.005, chance),
    "redrawn 1 %": lambda picture, chance: redrawn(picture, 0.01, chance),
    "zoom 4 %, shift 1 %, warmer, redrawn 0.7 %": _mixed,
    "zoom 6 %, shift 3 %, tone 7 %, redrawn 0.8 %": _everything,
}


def slightly(picture: Image.Image, chance: np.random.Generator) -> Image.Image:
    """Redraw as an editing model does at least."""
    moved = zoomed(picture, 1 + 0.02 * _sign(chance), _shift(chance, 0.01))
    return toned(redrawn(moved, 0.004, chance), 1.02, 1, 0.03)
