"""Things that stand in a landscape: lighthouse, house, castle, boat, tree.

Units: the origin is where the thing stands, y runs down, most are about 1 tall.
"""

import numpy as np

from tasks.emulator.painting.brush import Layer, Pose, blob, box, ellipse, limb, polygon
from tasks.emulator.painting.texture import Chance, Floats, blend, colour

WHITE = colour("f8f3e8")
LAMP = colour("ffe7a6")


def _pane(layer: Layer, pose: Pose, x: float, y: float, half: float, tall: float) -> None:
    lit = layer.light.hour in ("dusk", "night", "dawn")
    layer.fill(
        pose, box(x - half * 1.25, y - tall * 1.12, x + half * 1.25, y + tall * 0.12), WHITE * 0.85, volume=0
    )
    layer.fill(pose, box(x - half, y - tall, x + half, y), LAMP if lit else colour("3d5468"), volume=0)
    layer.fill(pose, box(x - 0.004, y - tall, x + 0.004, y), WHITE * 0.85, volume=0)
    if lit:
        layer.fill(
            pose, ellipse(x, y - tall / 2, half * 3, tall * 1.4), LAMP, volume=0, opacity=0.3, softness=half
        )


def draw_lighthouse(layer: Layer, pose: Pose, chance: Chance, colours: list[Floats]) -> None:
    """Draw a striped lighthouse on its rock, its beams out when it is dark.

    Args:
        layer: What is painted on.
        pose: Where it stands and how large it is.
        chance: Source of chance: equal seeds draw equal pictures.
        colours: The prompt's colours, each shape (3,) in [0, 1], the strongest first.
    """
    rock = blend(colour("5d5a5c"), layer.light.haze, 0.25)
    for _ in range(7):
        x, wide = float(chance.uniform(-0.5, 0.5)), float(chance.uniform(0.12, 0.3))
        knots = [
            (x - wide, 0.1),
            (x - wide * 0.7, -0.06 * chance.random()),
            (x, -0.12 * chance.uniform(0.5, 1.2)),
            (x + wide * 0.8, -0.03),
            (x + wide, 0.1),
        ]
        layer.fill(
            pose,
            blob(*((float(a), float(b)) for a, b in knots)),
            rock * chance.uniform(0.75, 1.15),
            volume=0.85,
        )
    if layer.light.hour in ("dusk", "night", "dawn"):
        for sign in (-1, 1):
            tilt = float(chance.uniform(-0.12, 0.12))
            beam = polygon((0, -1.12), (sign * 2.6, -1.3 + tilt), (sign * 2.6, -0.86 + tilt))
            layer.fill(pose, beam, LAMP, volume=0, opacity=0.5, softness=0.035)
    bands = int(chance.integers(4, 6))
    for band in range(bands):
        low, high = -0.05 - 0.9 * band / bands, -0.05 - 0.9 * (band + 1) / bands
        lower, upper = 0.17 - 0.07 * band / bands, 0.17 - 0.07 * (band + 1) / bands
        paint = WHITE if band % 2 else blend(colours[0], colour("b5392f"), 0.35)
        layer.fill(pose, polygon((-lower, low), (lower, low), (upper, high), (-upper, high)), paint, volume=0)
    layer.fill(
        pose,
        polygon((-0.17, -0.05), (-0.02, -0.05), (0.0, -0.95), (-0.1, -0.95))
        * ((1, 1) if layer.light.direction[0] > 0 else (-1, 1)),
        colour("2c2f4a"),
        volume=0,
        opacity=0.32,
        softness=0.03,
    )
    for y in (-0.3, -0.55, -0.78):
        layer.fill(pose, box(-0.018, y - 0.05, 0.018, y, 0.01), colour("3a4354"), volume=0)
    layer.fill(pose, box(-0.15, -1.0, 0.15, -0.96), colour("3c3f4a"), volume=0.5)
    for x in np.linspace(-0.14, 0.14, 7):
        layer.fill(pose, box(float(x) - 0.003, -1.06, float(x) + 0.003, -1.0), colour("3c3f4a"), volume=0)
    layer.fill(pose, box(-0.075, -1.17, 0.075, -1.0), LAMP, volume=0.3)
    layer.fill(pose, ellipse(0, -1.09, 0.2, 0.2), LAMP, volume=0, opacity=0.5, softness=0.08)
    layer.fill(
        pose,
        blob((-0.1, -1.16), (0, -1.3), (0.1, -1.16)),
        blend(colours[0], colour("8f2f2a"), 0.4),
        volume=0.7,
    )
    side = -1 if chance.random() < 0.5 else 1
    hut = pose.moved(side * 0.34, -0.03)
    _hut(layer, Pose(hut.x, hut.y, hut.scale * 0.3, mirror=side), colours)


def _hut(layer: Layer, pose: Pose, colours: list[Floats]) -> None:
    layer.fill(pose, box(-0.42, -0.5, 0.42, 0.02), WHITE, volume=0)
    layer.fill(pose, box(0.1, -0.5, 0.42, 0.02), layer.light.shade, volume=0, opacity=0.35)
    layer.fill(
        pose, polygon((-0.5, -0.48), (0.5, -0.48), (0.3, -0.86), (-0.3, -0.86)), colours[0] * 0.8, volume=0.3
    )
    _pane(layer, pose, -0.18, -0.14, 0.08, 0.2)


def draw_house(layer: Layer, pose: Pose, chance: Chance, colours: list[Floats]) -> None:
    """Draw a house with a gable, a chimney that smokes, and trees beside it.

    Args:
        layer: What is painted on.
        pose: Where it stands and how large it is.
        chance: Source of chance: equal seeds draw equal pictures.
        colours: The prompt's colours, each shape (3,) in [0, 1], the strongest first.
    """
    for _ in range(3):
        x = float(chance.choice([-1, 1]) * chance.uniform(0.62, 0.95))
        tree = pose.moved(x, float(chance.uniform(-0.04, 0.03)))
        draw_tree(layer, Pose(tree.x, tree.y, pose.scale * float(chance.uniform(0.6, 0.9))), chance, colours)
    layer.shadow(pose, ellipse(0.0, 0.0, 0.75, 0.07), 0.6, 0.05)
    wall, roof = blend(WHITE, colours[1], 0.4), colours[0] * 0.85
    layer.fill(pose, box(0.22, -0.98, 0.34, -0.6), colour("9a5f4a"), volume=0.2)
    for index in range(6):
        puff = ellipse(0.28 + 0.05 * index, -1.06 - 0.09 * index, 0.05 + 0.018 * index, 0.045 + 0.012 * index)
        layer.fill(pose, puff, WHITE, volume=0, opacity=0.3 - 0.03 * index, softness=0.02)
    layer.fill(pose, box(-0.55, -0.5, 0.55, 0.0), wall, volume=0)
    layer.fill(
        pose,
        polygon((-0.05, 0.0), (-0.05, -0.5), (-0.3, -0.84), (-0.55, -0.5), (-0.55, 0.0)),
        np.minimum(wall * 1.06, 1),
        volume=0,
    )
    layer.fill(pose, box(-0.05, -0.5, 0.55, 0.0), layer.light.shade, volume=0, opacity=0.4)
    layer.fill(pose, polygon((-0.05, -0.46), (0.62, -0.46), (0.42, -0.86), (-0.3, -0.86)), roof, volume=0.15)
    for index in range(int(3 + 3 * layer.detail)):
        y = -0.5 - 0.33 * index / (3 + 3 * layer.detail)
        layer.fill(
            pose,
            limb(
                [(-0.03 - 0.25 * (-0.5 - y) / -0.36 * -1, y), (0.6 + 0.2 * (y + 0.46) / 0.4, y)],
                [0.005, 0.005],
            ),
            roof * 0.7,
            volume=0,
            opacity=0.6,
        )
    layer.fill(pose, limb([(-0.3, -0.87), (-0.6, -0.46)], [0.045, 0.045]), roof * 0.9, volume=0.2)
    layer.fill(pose, limb([(-0.3, -0.87), (-0.02, -0.47)], [0.045, 0.045]), roof * 0.8, volume=0.2)
    layer.fill(pose, box(-0.37, -0.3, -0.22, 0.0, 0.01), colours[2] * 0.8, volume=0.2)
    layer.fill(pose, ellipse(-0.245, -0.14, 0.01, 0.01), LAMP, volume=0)
    _pane(layer, pose, -0.3, -0.44, 0.06, 0.13)
    for x in (0.12, 0.38):
        _pane(layer, pose, x, -0.14, 0.07, 0.18)


def draw_tree(layer: Layer, pose: Pose, chance: Chance, colours: list[Floats]) -> None:
    """Draw a broad-leaved tree.

    Args:
        layer: What is painted on.
        pose: Where it stands and how large it is.
        chance: Source of chance: equal seeds draw equal pictures.
        colours: The prompt's colours, each shape (3,) in [0, 1], the strongest first.
    """
    leaf = blend(colour("5c8a4a"), colours[2], 0.25)
    layer.shadow(pose, ellipse(0.0, 0.0, 0.36, 0.05), 0.5, 0.04)
    layer.fill(pose, limb([(0, 0.01), (0.02, -0.3), (-0.01, -0.6)], [0.11, 0.07, 0.04]), colour("6a4c38"))
    for side in (-1, 1):
        layer.fill(pose, limb([(0.01, -0.36), (side * 0.18, -0.56)], [0.05, 0.02]), colour("6a4c38"))
    count = 9 + int(9 * layer.detail)
    for index in range(count):
        turn, reach = chance.uniform(0, 2 * np.pi), 0.3 * np.sqrt(1 - index / count)
        x, y = float(reach * np.cos(turn)), -0.72 + float(reach * np.sin(turn)) * 0.85
        tone = leaf * (0.7 + 0.5 * index / count)
        size = 0.13 + 0.09 * (1 - index / count)
        lumps = [
            (
                x + size * (1 + 0.16 * chance.normal()) * np.cos(t),
                y + size * 0.85 * (1 + 0.16 * chance.normal()) * np.sin(t),
            )
            for t in np.linspace(0, 2 * np.pi, 9, endpoint=False)
        ]
        layer.fill(
            pose,
            blob(*((float(a), float(b)) for a, b in lumps)),
            np.minimum(tone, 1).astype(np.float32),
            volume=0.8,
        )


def draw_castle(layer: Layer, pose: Pose, chance: Chance, colours: list[Floats]) -> None:
    """Draw a castle of round towers on its hill.

    Args:
        layer: What is painted on.
        pose: Where it stands and how large it is.
        chance: Source of chance: equal seeds draw equal pictures.
        colours: The prompt's colours, each shape (3,) in [0, 1], the strongest first.
    """
    stone = blend(colour("b7a892"), layer.light.haze, 0.2)
    layer.fill(
        pose,
        blob((-1.1, 0.12), (-0.7, -0.08), (0, -0.16), (0.7, -0.08), (1.1, 0.12)),
        blend(colour("5f7a4a"), layer.light.haze, 0.15),
        volume=0.6,
    )
    for x, tall, half in ((-0.42, 0.62, 0.11), (0.44, 0.7, 0.12), (-0.02, 1.0, 0.14), (0.2, 0.55, 0.09)):
        tall *= float(chance.uniform(0.85, 1.15))
        layer.fill(pose, box(x - half, -0.08 - tall, x + half, -0.02), stone, volume=0.7)
        layer.fill(
            pose,
            polygon(
                (x - half * 1.25, -0.08 - tall), (x + half * 1.25, -0.08 - tall), (x, -0.08 - tall - half * 3)
            ),
            colours[0] * 0.85,
            volume=0.5,
        )
        for level in range(1, 3):
            _pane(layer, pose, x, -0.05 - tall * level / 2.8, 0.018, 0.07)
    layer.fill(pose, box(-0.5, -0.36, 0.5, -0.04), stone * 0.92, volume=0.2)
    for x in np.linspace(-0.48, 0.44, 9):
        layer.fill(pose, box(float(x), -0.41, float(x) + 0.055, -0.35), stone * 0.92, volume=0)
    layer.fill(
        pose,
        blob((-0.09, -0.04), (-0.09, -0.18), (0, -0.25), (0.09, -0.18), (0.09, -0.04)),
        colour("3a2f2c"),
        volume=0,
    )


def draw_boat(layer: Layer, pose: Pose, chance: Chance, colours: list[Floats]) -> None:
    """Draw a sailing boat.

    Args:
        layer: What is painted on.
        pose: Where it stands and how large it is.
        chance: Source of chance: equal seeds draw equal pictures.
        colours: The prompt's colours, each shape (3,) in [0, 1], the strongest first.
    """
    lean = pose.moved(0, 0, float(chance.uniform(-0.12, 0.12)))
    layer.shadow(pose, ellipse(0, 0.03, 0.5, 0.05), 0.6, 0.04)
    layer.fill(lean, limb([(0, -0.08), (0, -1.05)], [0.025, 0.014]), colour("6b4c36"))
    full = float(chance.uniform(0.9, 1.1))
    layer.fill(
        lean,
        blob((0.03, -1.0), (0.3 * full, -0.55), (0.44 * full, -0.2), (0.03, -0.17)),
        blend(WHITE, colours[1], 0.25),
        volume=0.6,
    )
    layer.fill(
        lean,
        blob((-0.03, -0.92), (-0.2, -0.5), (-0.34, -0.19), (-0.03, -0.17)),
        blend(WHITE, colours[0], 0.5),
        volume=0.6,
    )
    layer.fill(
        lean,
        blob((-0.46, -0.14), (0.5, -0.14), (0.38, 0.0), (0.2, 0.05), (-0.24, 0.05), (-0.4, 0.0)),
        colours[0] * 0.85,
        volume=0.7,
    )
    layer.fill(lean, limb([(-0.45, -0.13), (0.5, -0.13)], [0.025, 0.025]), WHITE, volume=0)
    for index in range(5):
        y = 0.04 + 0.02 * index
        layer.fill(
            pose,
            limb([(-0.4 - 0.05 * index, y), (0, y + 0.01), (0.45, y)], [0.003, 0.014, 0.003]),
            layer.light.key,
            volume=0,
            opacity=0.35,
        )
