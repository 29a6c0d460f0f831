"""Places made for things: a studio with a sweep of light, and a diorama on its tile."""

import numpy as np

from tasks.emulator.painting.brush import Layer, Pose, blob, box, ellipse, limb, polygon
from tasks.emulator.painting.scenery import Stage
from tasks.emulator.painting.texture import Chance, Floats, blend, blurred, colour, resized, smoothstep


def paint_studio(layer: Layer, chance: Chance, colours: list[Floats]) -> Stage:
    """A backdrop, a table, one idea beside the subject: an arch, a podium, leaf shadows or blocks.

    Args:
        layer: What is painted on.
        chance: Source of chance: equal seeds draw equal pictures.
        colours: The prompt's colours, each shape (3,) in [0, 1], the strongest first.
    """
    width, height = layer.width, layer.height
    layer.cover[:] = 1
    floor = int(height * chance.uniform(0.6, 0.72))
    wall = blend(colours[1], np.ones(3, np.float32), float(chance.uniform(0.25, 0.5)))
    if layer.light.is_dark:
        wall = wall * 0.32
    down, across = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
    spot_x = 0.5 + 0.28 * layer.light.direction[0]
    pool = np.exp(-(((across - spot_x) / 0.5) ** 2 + ((down - 0.34) / 0.5) ** 2))[..., None]
    layer.pixels = np.minimum(wall * (0.6 + 0.55 * pool), 1)
    table = np.minimum(blend(wall, colours[0], 0.18) * 1.06, 1)
    beyond = down - floor / height
    ground = table * (0.72 + 0.42 * np.exp(-(((across - 0.5) / 0.45) ** 2)))[..., None]
    ground = ground * (1.06 - 0.75 * np.clip(beyond, 0, 1))[..., None]
    layer.pixels = blend(layer.pixels, np.clip(ground, 0, 1), smoothstep(-0.035, 0.05, beyond)[..., None])
    idea = int(chance.integers(5))
    stand = int(floor + height * chance.uniform(0.1, 0.17))
    if idea == 0:
        _arch(layer, Pose(width * chance.uniform(0.4, 0.6), floor + 0.03 * height, height * 0.3), colours)
    elif idea == 1:
        _leaf_shadows(layer, chance)
    elif idea == 2:
        _blocks(layer, floor, chance, colours)
    elif idea == 3:
        _disc(layer, chance, colours)
    else:
        _branches(layer, floor, chance, colours)
    return Stage(layer, floor, stand, is_studio=True)


def _arch(layer: Layer, pose: Pose, colours: list[Floats]) -> None:
    turn = np.linspace(np.pi, 2 * np.pi, 40)
    curve = [(0.9 * float(np.cos(t)), -1.15 + 0.9 * float(np.sin(t))) for t in turn]
    layer.fill(pose, polygon((-0.9, 0.0), *curve, (0.9, 0.0)), colours[0] * 0.9, volume=0.1, opacity=0.85)
    inner = [(x * 0.8, -1.15 + (y + 1.15) * 0.8) for x, y in curve]
    layer.fill(pose, polygon((-0.72, 0.0), *inner, (0.72, 0.0)), np.minimum(colours[1] * 1.1, 1), volume=0.25)


def _leaf_shadows(layer: Layer, chance: Chance) -> None:
    shade = Layer(max(16, layer.width // 4), max(16, layer.height // 4), layer.light, 1)
    pose = Pose(shade.width * (0.1 if layer.light.direction[0] < 0 else 0.9), 0, shade.height)
    for _ in range(11):
        turn, reach = chance.uniform(0.1, np.pi - 0.1), chance.uniform(0.45, 0.9)
        tip = (float(np.cos(turn)) * reach, float(np.sin(turn)) * reach)
        bend = (tip[0] * 0.5 + chance.normal(0, 0.06), tip[1] * 0.45)
        shade.fill(pose, limb([(0, -0.1), bend, tip], [0.01, 0.13, 0.005]), np.ones(3, np.float32), volume=0)
    cover = resized(blurred(shade.cover, 2.0), layer.width, layer.height)
    layer.pixels = layer.pixels * (1 - 0.3 * np.clip(cover, 0, 1)[..., None])


def _blocks(layer: Layer, floor: int, chance: Chance, colours: list[Floats]) -> None:
    for _ in range(3):
        x, tall = chance.uniform(0.08, 0.92) * layer.width, chance.uniform(0.08, 0.34)
        pose = Pose(x, floor + chance.uniform(0.02, 0.06) * layer.height, layer.height)
        half = float(chance.uniform(0.06, 0.12))
        paint = colours[int(chance.integers(3))]
        layer.shadow(pose, ellipse(0.02, 0.0, half * 1.3, 0.03), 0.5, 0.02)
        if chance.random() < 0.5:
            body = np.concatenate(
                [ellipse(0, 0, half, half * 0.2)[:28], ellipse(0, -tall, half, half * 0.2)[28:]]
            )
            layer.fill(pose, body, paint, volume=0.75)
            layer.fill(pose, ellipse(0, -tall, half, half * 0.2), np.minimum(paint * 1.18, 1), volume=0)
        else:
            layer.fill(pose, ellipse(0, -half, half, half), paint, volume=0.9, gloss=0.4)


def _disc(layer: Layer, chance: Chance, colours: list[Floats]) -> None:
    radius = layer.height * chance.uniform(0.22, 0.34)
    pose = Pose(layer.width * chance.uniform(0.25, 0.75), layer.height * chance.uniform(0.3, 0.42), radius)
    layer.fill(pose, ellipse(0, 0, 1, 1), colours[2], volume=0.15, opacity=0.85)


def _branches(layer: Layer, floor: int, chance: Chance, colours: list[Floats]) -> None:
    side = -1.0 if chance.random() < 0.5 else 1.0
    pose = Pose(
        layer.width * (0.5 + side * 0.36), floor + 0.05 * layer.height, layer.height * 0.5, mirror=side
    )
    layer.shadow(pose, ellipse(0.03, 0.02, 0.16, 0.03), 0.5, 0.03)
    for _ in range(5):
        tip = (float(chance.uniform(-0.25, 0.3)), float(chance.uniform(-1.1, -0.6)))
        layer.fill(
            pose,
            limb([(0, -0.22), (tip[0] * 0.3, tip[1] * 0.6), tip], [0.012, 0.01, 0.006]),
            colour("6b6a4a"),
        )
        for step in np.linspace(0.35, 1, 7):
            x, y = tip[0] * step**1.5, -0.22 + (tip[1] + 0.22) * step
            for lean in (-0.7, 0.7):
                leaf = ellipse(x + 0.05 * lean, y - 0.01, 0.055, 0.02, lean * 0.8)
                layer.fill(pose, leaf, blend(colour("7d9a6b"), colours[2], 0.25), volume=0.5)
    vase = blob((-0.05, -0.26), (-0.11, -0.1), (-0.08, 0.02), (0.08, 0.02), (0.11, -0.1), (0.05, -0.26))
    layer.fill(pose, vase, colours[0], volume=0.8, gloss=0.3)


def paint_diorama(layer: Layer, chance: Chance, colours: list[Floats], place: str) -> Stage:
    """A square tile of ground floating in soft light, seen from above at a slant.

    Args:
        layer: What is painted on.
        chance: Source of chance: equal seeds draw equal pictures.
        colours: The prompt's colours, each shape (3,) in [0, 1], the strongest first.
        place: Which ground the tile shows, such as ``beach``.
    """
    width, height = layer.width, layer.height
    layer.cover[:] = 1
    soft = blend(colours[1], np.ones(3, np.float32), 0.45) * (0.4 if layer.light.is_dark else 1)
    down = np.linspace(1.04, 0.82, height, dtype=np.float32)[:, None, None]
    layer.pixels = np.clip(np.repeat(soft[None, None, :] * down, width, axis=1), 0, 1)
    size = min(width, height) * chance.uniform(0.36, 0.43)
    pose = Pose(width * chance.uniform(0.44, 0.56), height * chance.uniform(0.64, 0.7), size)
    tops = {"sea": "58b6c4", "lake": "58b6c4", "beach": "ecd3a0", "snow": "f2f6fa", "desert": "e2b277",
        "city": "a9adb8",
            "studio": "e9dccb"}  # fmt: skip
    top = colour(tops.get(place, "8fbf6a")) * (0.55 if layer.light.is_dark else 1)
    earth = blend(colour("9a6b4b"), colours[0], 0.25) * (0.6 if layer.light.is_dark else 1)
    layer.shadow(pose, ellipse(0.06, 0.5, 1.05, 0.36), 0.55, 0.1)
    layer.fill(pose, polygon((-1, 0), (0, 0.5), (0, 0.78), (-1, 0.28)), earth * 0.9, volume=0)
    layer.fill(pose, polygon((1, 0), (0, 0.5), (0, 0.78), (1, 0.28)), earth * 0.68, volume=0)
    for y, tone in ((0.0, 1.0), (0.1, 0.86)):
        layer.fill(
            pose,
            polygon((-1, y), (0, 0.5 + y), (1, y), (1, y - 0.1), (0, 0.4 + y), (-1, y - 0.1)),
            top * tone * 0.8,
            volume=0,
        )
    layer.fill(pose, polygon((-1, -0.1), (0, 0.4), (1, -0.1), (0, -0.6)), top, volume=0.25)
    for _ in range(int(chance.integers(5, 9))):
        u, v = chance.uniform(-0.85, 0.85, 2)
        _trinket(layer, pose.moved((u - v) / 2, -0.1 + (u + v) / 4), place, chance, colours)
    return Stage(layer, int(pose.y - 0.1 * size), int(pose.y + 0.02 * size))


def _trinket(layer: Layer, pose: Pose, place: str, chance: Chance, colours: list[Floats]) -> None:
    size = float(chance.uniform(0.07, 0.13))
    layer.shadow(pose, ellipse(0.02, 0.01, size, size * 0.4), 0.4, 0.02)
    if place in ("sea", "lake"):
        layer.fill(pose, ellipse(0, 0, size, size * 0.28), np.ones(3, np.float32), volume=0, opacity=0.35)
    elif place in ("beach", "desert", "studio") or chance.random() < 0.35:
        layer.fill(
            pose,
            ellipse(0, -size * 0.4, size * 0.8, size * 0.6),
            blend(colour("b9b4ac"), colours[2], 0.2),
            volume=0.8,
        )
    else:
        layer.fill(pose, box(-0.012, -size, 0.012, 0), colour("7a5a42"), volume=0.4)
        layer.fill(
            pose,
            ellipse(0, -size * 1.9, size, size * 1.25),
            blend(colour("5e9a5a"), colours[2], 0.2),
            volume=0.85,
        )


def paint_nothing(layer: Layer) -> Stage:
    """No place at all: for transparent backgrounds."""
    return Stage(layer, int(layer.height * 0.5), int(layer.height * 0.9))
