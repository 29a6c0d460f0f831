"""Styles: the same scene as a watercolour, a photograph, an ink drawing, a poster, a model or an oil."""

import numpy as np
from PIL import Image, ImageFilter

from tasks.emulator.painting.texture import (
    Chance,
    Floats,
    blend,
    blurred,
    clouds,
    colour,
    luminance,
    resized,
    smoothstep,
)


def render_in_style(style: str, pixels: Floats, chance: Chance, detail: float) -> Floats:
    """Finish a painted scene.

    Args:
        style: ``illustration``, ``watercolour``, ``photograph``, ``ink``, ``flat``, ``diorama`` or ``oil``.
        pixels: The scene.
        chance: For paper and grain.
        detail: 0.35 coarse to 1.6 fine.
    """
    finish = {"watercolour": _watercolour, "photograph": _photograph, "ink": _ink, "flat": _flat, "oil": _oil}
    if style in finish:
        return np.asarray(np.clip(finish[style](pixels, chance, detail), 0, 1), np.float32)
    if style == "diorama":
        return blend(pixels, blurred(pixels, pixels.shape[0] / 60), 0.12)
    return _gouache(pixels, chance, detail)


def _warped(pixels: Floats, chance: Chance, reach: float, cells: float) -> Floats:
    """Shift pixels about a little, as a hand does; ``reach`` in shares of the height."""
    height, width = pixels.shape[:2]
    down = (clouds(chance, width, height, (cells, cells), 2) - 0.5) * reach * height
    across = (clouds(chance, width, height, (cells, cells), 2) - 0.5) * reach * height
    rows = np.clip(np.arange(height)[:, None] + down, 0, height - 1).astype(np.int32)
    columns = np.clip(np.arange(width)[None, :] + across, 0, width - 1).astype(np.int32)
    return np.asarray(pixels[rows, columns], np.float32)


def _simplified(pixels: Floats, daub: ImageFilter.Filter) -> Floats:
    """Lose what is small: a filter at half the resolution."""
    picture = Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))
    size = picture.size
    small = picture.resize((max(8, size[0] // 2), max(8, size[1] // 2)), Image.Resampling.BOX).filter(daub)
    return np.asarray(small.resize(size, Image.Resampling.BICUBIC), np.float32) / 255


def _watercolour(pixels: Floats, chance: Chance, detail: float) -> Floats:
    height, width = pixels.shape[:2]
    wet = _warped(_simplified(pixels, ImageFilter.MedianFilter(3)), chance, 0.014, 22)
    grey = luminance(wet)
    wash = clouds(chance, width, height, (5, 5), 5) - 0.5
    grain = clouds(chance, width, height, (110, 110), 3) - 0.5
    light = blend(luminance(wet)[..., None], wet, 1.18)
    paint = 1 - (1 - light) * (0.8 + 0.4 * wash + 0.1 * grain * (0.4 + detail))[..., None]
    pooled = np.clip((blurred(grey, height / 110) - grey) * 1.7, 0, 0.32)
    paint = paint * (1 - pooled[..., None] * 0.8)
    down, across = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    edge = np.maximum(np.abs(down), np.abs(across)) + 0.11 * (clouds(chance, width, height, (7, 7), 5) - 0.5)
    sheet = colour("fbf7ee") * (1 + 0.05 * grain[..., None])
    rim = np.exp(-(((edge - 0.94) / 0.014) ** 2)) * 0.25
    paint = paint * (1 - rim[..., None])
    return blend(paint, sheet, smoothstep(0.94, 0.965, edge)[..., None])


def _photograph(pixels: Floats, chance: Chance, detail: float) -> Floats:
    height, width = pixels.shape[:2]
    bright = np.clip(pixels - 0.72, 0, 1)
    pixels = pixels + blurred(bright, height / 34) * 0.9
    pixels = pixels * pixels * (3 - 2 * pixels) * 0.55 + pixels * 0.45
    down, across = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    pixels = pixels * (1 - 0.3 * smoothstep(0.7, 1.6, np.sqrt(down**2 + across**2)))[..., None]
    if detail < 0.9:
        return pixels
    sharp = pixels + (pixels - blurred(pixels, 1.2)) * 0.5 * detail
    return np.asarray(sharp + chance.normal(0, 0.008, (height, width, 1)), np.float32)


def _ink(pixels: Floats, chance: Chance, detail: float) -> Floats:
    height, width = pixels.shape[:2]
    grey = luminance(_warped(pixels, chance, 0.006, 30))
    soft = blurred(grey, max(0.7, height / 900))
    down, across = np.gradient(soft)
    strength = np.sqrt(down**2 + across**2) * height / 1024 * 14
    lines = smoothstep(0.12, 0.5, np.asarray(strength, np.float32))
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    wobble = (clouds(chance, width, height, (12, 12), 3) - 0.5) * height * 0.012
    pitch = height / (95 + 45 * min(detail, 1.3))
    hatch = np.zeros_like(grey)
    tone = blurred(grey, height / 200)
    for angle, dark in ((0.8, 0.5), (-0.7, 0.32), (0.05, 0.18)):
        wave = np.sin((columns * np.cos(angle) + rows * np.sin(angle) + wobble) * 2 * np.pi / pitch)
        hatch = np.maximum(hatch, smoothstep(0.1, 0.75, wave) * smoothstep(dark, dark - 0.2, tone))
    grain = clouds(chance, width, height, (90, 90), 2) - 0.5
    sheet = colour("f6f0e2") * (1 + 0.05 * grain[..., None])
    wash = blend(sheet, 1 - (1 - pixels) * 0.6, 0.34)
    mark = np.clip(np.maximum(lines, hatch * 0.75) * (1 + grain), 0, 1)
    return blend(wash, colour("1f2430"), mark[..., None] * 0.92)


def _flat(pixels: Floats, chance: Chance, detail: float) -> Floats:
    """A few flat inks with clean edges, and the tooth of a screen print."""
    height, width = pixels.shape[:2]
    picture = Image.fromarray(
        (np.clip(_simplified(pixels, ImageFilter.MedianFilter(3)), 0, 1) * 255).astype(np.uint8)
    )
    small = picture.resize((max(8, width // 4), max(8, height // 4)), Image.Resampling.BOX)
    inks = small.quantize(int(9 + 5 * min(detail, 1.4)), method=Image.Quantize.MEDIANCUT)
    flat = (
        picture.quantize(palette=inks, dither=Image.Dither.NONE)
        .convert("RGB")
        .filter(ImageFilter.MedianFilter(3))
    )
    result = np.asarray(flat, np.float32) / 255
    grey = luminance(result)[..., None]
    tooth = clouds(chance, width, height, (160, 160), 2) - 0.5
    return np.asarray((grey + (result - grey) * 1.22) * (1 + 0.05 * tooth[..., None]), np.float32)


def _strokes(chance: Chance, width: int, height: int, angle: float, fineness: float) -> Floats:
    """Brush hairs: noise drawn out along one direction, in about [-0.5, 0.5]."""
    # Made at half the size, and larger than the picture so that no corner is left bare when turned.
    across, down = max(8, width // 2), max(8, height // 2)
    size = int(1.5 * max(across, down))
    streaks = clouds(chance, size, size, (18 * fineness, 110 * fineness), 2)
    turned = Image.fromarray(streaks).rotate(np.degrees(angle), Image.Resampling.BILINEAR, fillcolor=0.5)
    left, top = (size - across) // 2, (size - down) // 2
    middle = np.asarray(turned, np.float32)[top : top + down, left : left + across]
    return resized(middle, width, height) - 0.5


def _oil(pixels: Floats, chance: Chance, detail: float) -> Floats:
    height, width = pixels.shape[:2]
    daubed = _simplified(_warped(pixels, chance, 0.02, 38), ImageFilter.MedianFilter(5))
    fresh = blend(daubed, pixels, 0.3)
    hairs = _strokes(chance, width, height, 0.5, 1.2) * 0.6 + _strokes(chance, width, height, -0.7, 1.6) * 0.4
    down, across = np.gradient(hairs)
    relief = np.clip((down + across) * height / 240, -0.4, 0.4)
    grey = luminance(fresh)[..., None]
    rich = grey + (fresh - grey) * 1.2
    oil = rich * (1 + 0.08 * hairs[..., None]) + 0.09 * relief[..., None] * (0.5 + detail)
    return np.asarray(oil, np.float32)


def _gouache(pixels: Floats, chance: Chance, detail: float) -> Floats:
    """The house style: clean shapes, a breath of brush and grain, light that blooms."""
    height, width = pixels.shape[:2]
    glow = blurred(np.clip(pixels - 0.6, 0, 1), height / 28)
    pixels = pixels + glow * 0.4
    hairs = _strokes(chance, width, height, 0.2, 1.4)
    pixels = pixels * (1 + 0.014 * hairs * min(detail + 0.3, 1.2))[..., None]
    if detail >= 0.9:
        pixels = pixels + (pixels - blurred(pixels, 1.3)) * 0.35
    return np.asarray(np.clip(pixels, 0, 1), np.float32)
