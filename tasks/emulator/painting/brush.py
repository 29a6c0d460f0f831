"""The brush: outlines filled with colour that light falls upon.

A layer is a picture with coverage. A shape is an outline; ``Layer.fill`` gives it volume by treating its
blurred silhouette as a height and lighting that, so that every blob looks round and every limb like a limb.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tasks.emulator.painting.palettes import Light
from tasks.emulator.painting.texture import Floats, blend, blurred, resized, resized_box
from tasks.own_process import load_scipy

Points = NDArray[np.float64]
SHADING_PX = 72


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a subject stands: its unit coordinates (x right, y down) on the layer.

    Args:
        x: Pixels from the left of its origin.
        y: Pixels from the top.
        scale: Pixels per unit.
        angle: Radians, clockwise.
        mirror: -1 looks the other way.
    """

    x: float
    y: float
    scale: float
    angle: float = 0.0
    mirror: float = 1.0

    def place(self, points: Points) -> Points:
        """Turn unit coordinates into pixels, shape (n, 2)."""
        across, down = points[:, 0] * self.mirror, points[:, 1]
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        placed = np.stack([across * cos - down * sin, across * sin + down * cos], axis=1)
        return np.asarray(placed * self.scale + (self.x, self.y))

    def moved(self, x: float, y: float, angle: float = 0.0) -> "Pose":
        """The pose of a part: its origin at ``x``, ``y``, turned by ``angle``.

        Args:
            x: Across, in units of the pose.
            y: Down, in units of the pose.
            angle: Radians.
        """
        at = self.place(np.array([[x, y]]))[0]
        return Pose(at[0], at[1], self.scale, self.angle + angle * self.mirror, self.mirror)


def cylinder(half: float, top: float, bottom: float, bulge: float = 0.0) -> Points:
    """Return the outline of an upright cylinder, seen from a little above.

    Args:
        half: Half its width.
        top: Its top edge; y runs down.
        bottom: Its bottom edge.
        bulge: How much wider it is in the middle, as a share of its width.
    """
    base = ellipse(0, bottom, half, half * 0.22)[:29]
    lid = ellipse(0, top, half, half * 0.22)[28:]
    middle = [(-half * (1 + bulge), (top + bottom) / 2)], [(half * (1 + bulge), (top + bottom) / 2)]
    return (
        np.concatenate([base, np.array(middle[0]), lid, np.array(middle[1])])
        if bulge
        else np.concatenate([base, lid])
    )


def blob(*knots: tuple[float, float]) -> Points:
    """A closed smooth outline through the knots."""
    points = np.array(knots, float)
    before, after, far = np.roll(points, 1, 0), np.roll(points, -1, 0), np.roll(points, -2, 0)
    t = np.linspace(0, 1, 14, endpoint=False)[None, :, None]
    p0, p1, p2, p3 = (knot[:, None, :] for knot in (before, points, after, far))
    curve = 0.5 * (
        2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    return np.asarray(curve.reshape(-1, 2))


def ellipse(x: float, y: float, rx: float, ry: float, angle: float = 0.0) -> Points:
    """An ellipse around ``x``, ``y``, turned by ``angle`` radians.

    Args:
        x: Centre, across.
        y: Centre, down.
        rx: Radius along its own horizontal axis.
        ry: Radius along its own vertical axis.
        angle: Radians.
    """
    turn = np.linspace(0, 2 * np.pi, 56, endpoint=False)
    across, down = rx * np.cos(turn), ry * np.sin(turn)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([x + across * cos - down * sin, y + across * sin + down * cos], axis=1)


def polygon(*corners: tuple[float, float]) -> Points:
    """A straight-sided outline."""
    return np.array(corners, float)


def box(left: float, top: float, right: float, bottom: float, corner: float = 0.0) -> Points:
    """A rectangle with round corners.

    Args:
        left: Left edge.
        top: Top edge; y runs down.
        right: Right edge.
        bottom: Bottom edge.
        corner: Radius of the corners; 0 for sharp ones.
    """
    if corner <= 0:
        return polygon((left, top), (right, top), (right, bottom), (left, bottom))
    turn = np.linspace(0, np.pi / 2, 8)
    arcs = []
    for x, y, start in (
        (right - corner, bottom - corner, 0.0),
        (left + corner, bottom - corner, np.pi / 2),
        (left + corner, top + corner, np.pi),
        (right - corner, top + corner, 1.5 * np.pi),
    ):
        arcs.append(np.stack([x + corner * np.cos(turn + start), y + corner * np.sin(turn + start)], axis=1))
    return np.concatenate(arcs)


def limb(knots: Sequence[tuple[float, float]], widths: Sequence[float]) -> Points:
    """A stroke of varying width with round ends, through the knots."""
    points = np.array(knots, float)
    along = np.linspace(0, len(points) - 1, 12 * len(points))
    places = np.arange(len(points))
    if len(points) > 2:
        load_scipy()
        from scipy.interpolate import CubicSpline

        line = CubicSpline(places, points)(along)
    else:
        line = np.stack([np.interp(along, places, points[:, axis]) for axis in (0, 1)], axis=1)
    half = np.interp(along, places, widths)[:, None] / 2
    step = np.gradient(line, axis=0)
    normal = np.stack([-step[:, 1], step[:, 0]], axis=1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    ends = []
    for index, sign in ((-1, 1.0), (0, -1.0)):
        turn = np.arctan2(normal[index, 1], normal[index, 0]) + (0 if sign > 0 else np.pi)
        arc = np.linspace(turn, turn - np.pi, 9)
        ends.append(line[index] + half[index] * np.stack([np.cos(arc), np.sin(arc)], axis=1))
    return np.concatenate([line + half * normal, ends[0], (line - half * normal)[::-1], ends[1]])


class Layer:
    """A picture with coverage.

    Args:
        width: Pixels.
        height: Pixels.
        light: Falls on its shapes.
        detail: 0.35 coarse to 1.6 fine.
    """

    def __init__(self, width: int, height: int, light: Light, detail: float) -> None:
        self.width, self.height = width, height
        self.light = light
        self.detail = detail
        self.pixels: Floats = np.zeros((height, width, 3), np.float32)
        self.cover: Floats = np.zeros((height, width), np.float32)

    def stencil(self, outline: Points, margin_px: int = 2) -> tuple[slice, slice, Floats] | None:
        """The part of the layer an outline (pixels) covers: rows, columns, coverage in [0, 1]."""
        left, top = np.floor(outline.min(axis=0)).astype(int) - margin_px
        right, bottom = np.ceil(outline.max(axis=0)).astype(int) + margin_px
        left, top = max(left, 0), max(top, 0)
        right, bottom = min(right, self.width), min(bottom, self.height)
        if right - left < 2 or bottom - top < 2:
            return None
        fine = Image.new("L", (2 * (right - left), 2 * (bottom - top)))
        corners = ((outline - (left, top)) * 2).ravel().tolist()
        ImageDraw.Draw(fine).polygon(corners, fill=255)
        cover = np.asarray(fine.reduce(2), np.float32) / 255
        return slice(top, bottom), slice(left, right), cover

    def fill(
        self,
        pose: Pose,
        outline: Points,
        paint: Floats,
        *,
        volume: float = 0.6,
        opacity: float = 1.0,
        gloss: float = 0.0,
        softness: float = 0.0,
    ) -> None:
        """Fill an outline.

        Args:
            pose: Where the outline's units lie.
            outline: Its points, shape (n, 2).
            paint: Colour, shape (3,).
            volume: 0 flat to 1 strongly rounded.
            opacity: 0 to 1.
            gloss: Strength of a highlight.
            softness: Blur of its edge, in units of the pose.
        """
        blur_px = softness * pose.scale
        part = self.stencil(pose.place(outline), 2 + int(2.5 * blur_px))
        if part is None:
            return
        rows, columns, cover = part
        if blur_px > 0.4:
            cover = blurred(cover, blur_px)
        colours = paint if volume <= 0 else self._lit(cover, paint, volume, gloss)
        amount = cover * opacity
        under = self.cover[rows, columns]
        total = under + amount * (1 - under)
        # Where nothing is painted yet the colour counts whole: else soft shapes would darken to black.
        share = amount / np.maximum(total, 1e-6)
        self.pixels[rows, columns] = blend(self.pixels[rows, columns], colours, share[..., None])
        self.cover[rows, columns] = total

    def _lit(self, cover: Floats, paint: Floats, volume: float, gloss: float) -> Floats:
        height, width = cover.shape
        shrink = min(1.0, SHADING_PX / max(height, width))
        small_width, small_height = max(4, round(width * shrink)), max(4, round(height * shrink))
        small = resized_box(np.pad(cover, 0), small_width, small_height)
        reach = 0.24 * min(small_width, small_height) + 0.8
        bulge = blurred(np.pad(small, 8), reach)[8:-8, 8:-8]
        down, across = np.gradient(bulge)
        x, y = self.light.direction
        slope = np.clip(-(across * x + down * y) * reach * -2.3, -1, 1)
        slope = resized(np.asarray(slope, np.float32), width, height)[..., None]
        bright = blend(paint, np.minimum(self.light.key * 0.35 + paint * 0.95, 1.0), 0.9 * volume)
        dark = paint * blend(np.ones(3, np.float32), self.light.shade * 0.62, volume)
        lit = blend(paint, bright, np.clip(slope, 0, 1)) + (dark - paint) * np.clip(-slope, 0, 1)
        if gloss:
            lit = lit + gloss * np.clip(slope - 0.25, 0, 1) ** 2 * self.light.key
        return np.asarray(np.clip(lit, 0, 1), np.float32)

    def shadow(self, pose: Pose, outline: Points, strength: float, softness: float) -> None:
        """Darken softly, as a shadow on the ground does; keeps the coverage as it is.

        Args:
            pose: Where the outline stands.
            outline: The outline, shape (n, 2), in units of the pose.
            strength: How dark it is in the middle, 0-1.
            softness: Radius of the blur, in units of the pose.
        """
        blur_px = max(softness * pose.scale, 0.5)
        part = self.stencil(pose.place(outline), 2 + int(2.5 * blur_px))
        if part is None:
            return
        rows, columns, cover = part
        amount = (blurred(cover, blur_px) * strength)[..., None]
        self.pixels[rows, columns] *= 1 - amount * (1 - self.light.shade * 0.35)

    def lay(self, other: "Layer", opacity: float = 1.0) -> None:
        """Lay another layer of the same size on top."""
        self.pixels = blend(self.pixels, other.pixels, other.cover[..., None] * opacity)
        self.cover = self.cover + other.cover * opacity * (1 - self.cover)
