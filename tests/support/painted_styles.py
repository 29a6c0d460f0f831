"""Undamaged pictures of styles that are easily taken for damage, painted for tests of the technical score."""

from functools import cache
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image, ImageDraw, ImageFilter

from tests.support.edited_pictures import grainy


@cache
def photograph(name: str) -> Image.Image:
    """Load a photograph that scikit-image's wheel brings; nothing is downloaded."""
    with Image.open(Path(skimage.data.__file__).parent / name) as picture:
        return picture.convert("RGB")


def a_poster(edge_px: int = 1024) -> Image.Image:
    """Draw a flat landscape of four colours."""
    picture = Image.new("RGB", (edge_px, edge_px), (240, 225, 200))
    draw, unit = ImageDraw.Draw(picture), edge_px / 10
    draw.polygon([(0, 7 * unit), (3 * unit, 3 * unit), (6 * unit, 7 * unit)], fill=(60, 110, 120))
    draw.ellipse((5.5 * unit, 1.5 * unit, 8.5 * unit, 4.5 * unit), fill=(230, 90, 50))
    draw.rectangle((0, 7 * unit, edge_px, edge_px), fill=(30, 60, 90))
    return picture


def a_watercolour(edge_px: int = 1024) -> Image.Image:
    """Lay forty washes with soft rims on grainy paper."""
    rng = np.random.default_rng(3)
    picture = Image.new("RGB", (edge_px, edge_px), (250, 247, 240))
    for _ in range(40):
        wash = Image.new("L", picture.size, 0)
        (x, y), reach = rng.uniform(0.1, 0.9, 2) * edge_px, rng.uniform(0.05, 0.2) * edge_px
        angles, radii = np.arange(12) * np.pi / 6, reach * rng.uniform(0.6, 1.3, 12)
        rim = [
            (float(px), float(py))
            for px, py in zip(x + radii * np.cos(angles), y + radii * np.sin(angles), strict=True)
        ]
        ImageDraw.Draw(wash).polygon(rim, fill=int(rng.uniform(60, 150)))
        ink = tuple(int(level) for level in rng.integers(20, 220, 3))
        picture.paste(ink, mask=wash.filter(ImageFilter.GaussianBlur(3)))
    paper = rng.normal(0, 4, (edge_px, edge_px, 1))
    return Image.fromarray(np.clip(np.asarray(picture) + paper, 0, 255).astype(np.uint8))


def line_art(edge_px: int = 1024) -> Image.Image:
    """Draw forty black arcs on white."""
    picture, rng = Image.new("RGB", (edge_px, edge_px), "white"), np.random.default_rng(0)
    for _ in range(40):
        corner, far = rng.uniform(0, 0.5, 2) * edge_px, rng.uniform(0.5, 1, 2) * edge_px
        ImageDraw.Draw(picture).arc((*corner, *far), 0, rng.uniform(60, 360), fill="black", width=4)
    return picture


def a_product(edge_px: int = 1024) -> Image.Image:
    """Set a round photograph on white, as a shop would."""
    picture, half = Image.new("RGB", (edge_px, edge_px), "white"), edge_px // 2
    disc = Image.new("L", (half, half), 0)
    ImageDraw.Draw(disc).ellipse((0, 0, half, half), fill=255)
    picture.paste(photograph("coffee.png").resize((half, half)), (half // 2, half // 2), disc)
    return picture


def small_product(edge_px: int = 1024) -> Image.Image:
    """Set the same product a third as large on white: nine tenths of the picture are its ground."""
    large, third = a_product(edge_px * 2 // 3), edge_px // 6
    picture = Image.new("RGB", (edge_px, edge_px), "white")
    picture.paste(large, (third, third))
    return picture


def high_key() -> Image.Image:
    """Lift a photograph's blacks and mid-tones; nothing is clipped."""
    levels = 0.1 + 0.88 * (np.asarray(photograph("coffee.png")) / 255) ** 0.35
    return Image.fromarray((levels * 255).astype(np.uint8))


def low_key() -> Image.Image:
    """Darken a photograph's mid-tones; its lights stay."""
    levels = (np.asarray(photograph("astronaut.png")) / 255) ** 2.5
    return Image.fromarray((levels * 255).astype(np.uint8))


def film_grain() -> Image.Image:
    """Add the grain of a fast film."""
    return grainy(9)(photograph("chelsea.png"))
