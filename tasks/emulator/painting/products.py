"""Draw products: a bottle, a shoe, a mug, a chair, a watch, a lamp and a vase.

Units: the origin is where the thing stands, y runs down, most things are about 1 tall.
"""

import numpy as np

from tasks.emulator.painting.brush import Layer, Pose, blob, box, cylinder, ellipse, limb, polygon
from tasks.emulator.painting.texture import Chance, Floats, blend, colour

WHITE = colour("fffdf8")
BLACK = colour("221f24")


def _streak(
    layer: Layer, pose: Pose, x: float, top: float, bottom: float, width: float, strength: float
) -> None:
    """A soft window reflection along glass or glaze."""
    layer.fill(
        pose,
        box(x - width / 2, top, x + width / 2, bottom, width / 2.2),
        WHITE,
        volume=0,
        opacity=strength,
        softness=0.008,
    )


def draw_bottle(layer: Layer, pose: Pose, chance: Chance, colours: list[Floats]) -> None:
    """Draw a bottle of coloured glass with a label.

    Args:
        layer: What is painted on.
        pose: Where it stands and how large it is.
        chance: Source of chance: equal seeds draw equal pictures.
        colours: The prompt's colours, each shape (3,) in [0, 1], the strongest first.
    """
    glass, cap = colours[0], colours[2] * 0.8
    half, shoulder = float(chance.uniform(0.2, 0.27)), float(chance.uniform(-0.66, -0.56))
    neck = half * float(chance.uniform(0.3, 0.42))
    outline = blob(
        (-half, -0.02), (-half, -0.3), (-half, shoulder), (-neck, shoulder - 0.14), (-neck, -0.86), (neck,
            -0.86),
        (neck, shoulder - 0.14), (half, shoulder), (half, -0.3), (half, -0.02), (0, 0.02),
    )  # fmt: skip
    layer.fill(pose, outline, glass * 0.62, volume=0.9, gloss=0.5)
    level = shoulder + float(chance.uniform(-0.02, 0.16))
    inner = half * 0.86
    layer.fill(
        pose,
        box(-inner, level, inner, -0.04, 0.06),
        np.minimum(glass * 1.25, 1),
        volume=0.45,
        softness=0.012,
        opacity=0.75,
    )
    layer.fill(
        pose,
        ellipse(0, level, inner, inner * 0.16),
        np.minimum(blend(glass, WHITE, 0.45), 1),
        volume=0,
        opacity=0.7,
    )
    layer.fill(pose, box(-neck * 1.25, -1.04, neck * 1.25, -0.86, 0.02), cap, volume=0.8, gloss=0.5)
    label = box(-half * 0.8, -0.44, half * 0.8, -0.16, 0.02)
    layer.fill(pose, label, blend(WHITE, colours[1], 0.18), volume=0.4)
    layer.fill(pose, ellipse(0, -0.35, half * 0.2, half * 0.2), colours[2], volume=0.2)
    for index, share in enumerate((0.5, 0.36)):
        layer.fill(
            pose,
            box(-half * share, -0.265 + 0.045 * index, half * share, -0.25 + 0.045 * index),
            BLACK,
            volume=0,
            opacity=0.7,
        )
    side = -1 if layer.light.direction[0] < 0 else 1
    _streak(layer, pose, side * half * 0.72, shoulder + 0.02, -0.1, 0.035, 0.75)
    _streak(layer, pose, -side * half * 0.82, shoulder + 0.06, -0.14, 0.015, 0.5)


def draw_mug(layer: Layer, pose: Pose, chance: Chance, colours: list[Floats]) -> None:
    """Draw a glazed mug with something hot in it.

    Args:
        layer: What is painted on.
        pose: Where it stands and how large it is.
        chance: Source of chance: equal seeds draw equal pictures.
        colours: The prompt's colours, each shape (3,) in [0, 1], the strongest first.
    """
    glaze, half, top = colours[0], 0.34, -0.66
    ring = limb([(0.3, -0.52), (0.56, -0.5), (0.58, -0.26), (0.28, -0.16)], [0.085, 0.08, 0.08, 0.07])
    layer.fill(pose, ring, glaze * 0.92, volume=0.85, gloss=0.4)
    layer.fill(pose, cylinder(half, top, -0.06, 0.02), glaze, volume=0.85, gloss=0.3)
    layer.fill(pose, box(-half, -0.34, half, -0.24), blend(glaze, colours[1], 0.6), volume=0, opacity=0.55)
    layer.fill(pose, ellipse(0, top, half, half * 0.25), np.minimum(glaze * 1.2, 1), volume=0)
    layer.fill(pose, ellipse(0, top + 0.008, half * 0.92, half * 0.21), glaze * 0.55, volume=0)
    layer.fill(pose, ellipse(0, top + 0.024, half * 0.86, half * 0.175), colour("4a2c1a"), volume=0.2)
    layer.fill(
        pose, ellipse(-0.08, top + 0.03, half * 0.36, half * 0.07), colour("c99a6a"), volume=0, opacity=0.8
    )
    _streak(layer, pose, -0.24 if layer.light.direction[0] < 0 else 0.24, top + 0.1, -0.16, 0.045, 0.55)
    for index in range(3):
        x, sway = -0.14 + 0.14 * index, float(chance.uniform(0.04, 0.1))
        knots = [(x, top - 0.04), (x + sway, top - 0.2), (x - sway, top - 0.36), (x + sway / 2, top - 0.54)]
        layer.fill(pose, limb(knots, [0.03, 0.06, 0.07, 0.02]), WHITE, volume=0, opacity=0.3, softness=0.03)


def draw_shoe(layer: Layer, pose: Pose, chance: Chance, colours: list[Floats]) -> None:
    """Draw a sneaker from the side.

    Args:
        layer: What is painted on.
        pose: Where it stands and how large it is.
        chance: Source of chance: equal seeds draw equal pictures.
        colours: The prompt's colours, each shape (3,) in [0, 1], the strongest first.
    """
    pose = pose.moved(0, 0, float(chance.uniform(-0.12, 0.02)))
    upper, trim, sole = colours[0], colours[2], blend(WHITE, colours[1], 0.15)
    layer.fill(
        pose,
        blob((-0.66, -0.1), (-0.64, 0.0), (0.0, 0.02), (0.62, 0.02), (0.78, -0.05), (0.7, -0.13), (0, -0.1)),
        sole,
        volume=0.6,
    )
    layer.fill(
        pose,
        blob(
            (-0.62, -0.12),
            (-0.66, -0.36),
            (-0.56, -0.56),
            (-0.42, -0.5),
            (-0.22, -0.48),
            (-0.1, -0.58),
            (0.06, -0.5),
            (0.3, -0.3),
            (0.6, -0.24),
            (0.74, -0.12),
            (0.1, -0.1),
        ),
        upper,
        volume=0.8,
        gloss=0.1,
    )
    layer.fill(
        pose,
        blob((0.42, -0.13), (0.46, -0.24), (0.62, -0.23), (0.74, -0.13)),
        np.minimum(upper * 1.2, 1),
        volume=0.6,
    )
    layer.fill(pose, blob((-0.63, -0.14), (-0.65, -0.34), (-0.5, -0.34), (-0.42, -0.14)), trim, volume=0.5)
    layer.fill(
        pose,
        limb([(-0.4, -0.16), (-0.1, -0.2), (0.1, -0.34), (0.16, -0.42)], [0.05, 0.075, 0.06, 0.03]),
        trim,
        volume=0.3,
    )
    layer.fill(
        pose,
        blob((-0.55, -0.52), (-0.42, -0.47), (-0.22, -0.46), (-0.12, -0.53), (-0.3, -0.42)),
        BLACK * 1.4,
        volume=0,
    )
    layer.fill(
        pose,
        blob((-0.1, -0.56), (0.02, -0.66), (0.12, -0.58), (0.06, -0.48)),
        np.minimum(upper * 1.15, 1),
        volume=0.5,
    )
    for index in range(4):
        x, y = 0.0 + 0.085 * index, -0.53 + 0.068 * index
        layer.fill(
            pose, limb([(x - 0.08, y + 0.07), (x + 0.05, y - 0.005)], [0.026, 0.026]), WHITE, volume=0.5
        )
    layer.fill(pose, box(-0.6, -0.045, 0.7, -0.03), trim, volume=0, opacity=0.8)
    for index in range(int(10 * layer.detail)):
        x = -0.56 + 0.12 * index
        layer.fill(pose, box(x, -0.01, x + 0.03, 0.016), BLACK, volume=0, opacity=0.25)


def draw_chair(layer: Layer, pose: Pose, chance: Chance, colours: list[Floats]) -> None:
    """Draw an upholstered armchair on wooden legs.

    Args:
        layer: What is painted on.
        pose: Where it stands and how large it is.
        chance: Source of chance: equal seeds draw equal pictures.
        colours: The prompt's colours, each shape (3,) in [0, 1], the strongest first.
    """
    cloth, wood = colours[0], colour("8a5f3f")
    for x, y in ((-0.3, 0.0), (0.3, 0.0), (-0.24, -0.08), (0.24, -0.08)):
        layer.fill(
            pose, limb([(x * 0.9, -0.24), (x * 1.08, y)], [0.055, 0.03]), wood * (1 if y == 0 else 0.7)
        )
    tall = float(chance.uniform(-1.02, -0.86))
    layer.fill(
        pose,
        blob(
            (-0.36, -0.3),
            (-0.38, -0.6),
            (-0.3, tall),
            (0, tall - 0.05),
            (0.3, tall),
            (0.38, -0.6),
            (0.36, -0.3),
        ),
        cloth * 0.92,
        volume=0.75,
    )
    for x in (-0.15, 0.0, 0.15):
        layer.fill(
            pose,
            limb([(x, -0.5), (x * 1.1, tall + 0.07)], [0.006, 0.006]),
            cloth * 0.6,
            volume=0,
            opacity=0.7,
        )
        layer.fill(pose, ellipse(x, -0.68, 0.014, 0.014), cloth * 0.55, volume=0.3)
    layer.fill(pose, box(-0.34, -0.48, 0.34, -0.24, 0.08), np.minimum(cloth * 1.08, 1), volume=0.7)
    layer.fill(pose, box(-0.36, -0.3, 0.36, -0.18, 0.05), cloth * 0.8, volume=0.6)
    for side in (-1, 1):
        layer.fill(
            pose,
            blob(
                (side * 0.3, -0.2),
                (side * 0.29, -0.5),
                (side * 0.36, -0.58),
                (side * 0.46, -0.52),
                (side * 0.45, -0.2),
            ),
            cloth,
            volume=0.8,
        )
    if chance.random() < 0.6:
        layer.fill(pose.moved(0.04, -0.52, 0.2), box(-0.14, -0.13, 0.14, 0.13, 0.05), colours[2], volume=0.8)


def draw_watch(layer: Layer, pose: Pose, chance: Chance, colours: list[Floats]) -> None:
    """Draw a wristwatch, upright, its hands at some hour.

    Args:
        layer: What is painted on.
        pose: Where it stands and how large it is.
        chance: Source of chance: equal seeds draw equal pictures.
        colours: The prompt's colours, each shape (3,) in [0, 1], the strongest first.
    """
    strap, dial = colours[0] * 0.75, blend(colours[1], WHITE, 0.55)
    metal = blend(colour("c9ccd2"), colour("d8b26a"), float(chance.random() < 0.5))
    for sign in (-1, 1):
        layer.fill(
            pose,
            polygon(
                (-0.17, -0.5 + sign * 0.26),
                (0.17, -0.5 + sign * 0.26),
                (0.12, -0.5 + sign * 0.62),
                (-0.12, -0.5 + sign * 0.62),
            ),
            strap,
            volume=0.7,
        )
        layer.fill(
            pose,
            box(-0.11, -0.5 + sign * 0.5 - 0.004, 0.11, -0.5 + sign * 0.5 + 0.004),
            strap * 0.5,
            volume=0,
        )
    layer.fill(pose, box(0.3, -0.53, 0.37, -0.47, 0.015), metal * 0.9, volume=0.8, gloss=0.6)
    layer.fill(pose, ellipse(0, -0.5, 0.32, 0.32), metal, volume=0.9, gloss=0.9)
    layer.fill(pose, ellipse(0, -0.5, 0.275, 0.275), metal * 0.6, volume=0.5)
    layer.fill(pose, ellipse(0, -0.5, 0.26, 0.26), dial, volume=0.2)
    for hour in range(12):
        turn = hour * np.pi / 6
        inner, outer = (0.19, 0.235) if hour % 3 == 0 else (0.212, 0.235)
        ends = [(reach * float(np.sin(turn)), -0.5 - reach * float(np.cos(turn))) for reach in (inner, outer)]
        layer.fill(pose, limb(ends, [0.014, 0.014] if hour % 3 == 0 else [0.007, 0.007]), BLACK, volume=0)
    short, minute = chance.uniform(0, 2 * np.pi), chance.uniform(0, 2 * np.pi)
    for turn, reach, width, paint in (
        (short, 0.12, 0.02, BLACK),
        (minute, 0.19, 0.014, BLACK),
        (minute * 7, 0.21, 0.005, colours[2]),
    ):
        tip = (reach * float(np.sin(turn)), -0.5 - reach * float(np.cos(turn)))
        layer.fill(pose, limb([(0, -0.5), tip], [width, width * 0.6]), paint, volume=0)
    layer.fill(pose, ellipse(0, -0.5, 0.018, 0.018), metal, volume=0.6)
    layer.fill(
        pose,
        blob((-0.2, -0.62), (-0.06, -0.73), (0.06, -0.71), (-0.1, -0.6), (-0.2, -0.5)),
        WHITE,
        volume=0,
        opacity=0.3,
        softness=0.01,
    )


def draw_lamp(layer: Layer, pose: Pose, chance: Chance, colours: list[Floats]) -> None:
    """Draw a table lamp that is on.

    Args:
        layer: What is painted on.
        pose: Where it stands and how large it is.
        chance: Source of chance: equal seeds draw equal pictures.
        colours: The prompt's colours, each shape (3,) in [0, 1], the strongest first.
    """
    glow = colour("ffe2a3")
    pose = pose.moved(0, 0, float(chance.uniform(-0.04, 0.04)))
    layer.fill(pose, ellipse(0, -0.7, 0.75, 0.7), glow, volume=0, opacity=0.5, softness=0.22)
    layer.fill(pose, ellipse(0, -0.03, 0.22, 0.05), colours[2] * 0.8, volume=0.6)
    layer.fill(
        pose,
        blob((-0.05, -0.05), (-0.14, -0.22), (-0.05, -0.46), (0.05, -0.46), (0.14, -0.22), (0.05, -0.05)),
        colours[2],
        volume=0.9,
        gloss=0.5,
    )
    layer.fill(
        pose,
        polygon((-0.2, -0.98), (0.2, -0.98), (0.38, -0.46), (-0.38, -0.46)),
        blend(colours[0], glow, 0.45),
        volume=0.3,
    )
    layer.fill(pose, ellipse(0, -0.6, 0.2, 0.2), glow, volume=0, opacity=0.8, softness=0.09)
    layer.fill(pose, ellipse(0, -0.46, 0.38, 0.045), glow, volume=0, opacity=0.9)


def draw_vase(layer: Layer, pose: Pose, chance: Chance, colours: list[Floats]) -> None:
    """Draw a vase of flowers.

    Args:
        layer: What is painted on.
        pose: Where it stands and how large it is.
        chance: Source of chance: equal seeds draw equal pictures.
        colours: The prompt's colours, each shape (3,) in [0, 1], the strongest first.
    """
    stems = []
    for index in range(7):
        turn = -1.1 + 2.2 * index / 6 + float(chance.normal(0, 0.09))
        reach = float(chance.uniform(0.42, 0.62))
        stems.append((reach * float(np.sin(turn)), -0.5 - reach * float(np.cos(turn)) * 0.95))
    for x, y in stems:
        layer.fill(
            pose, limb([(0, -0.4), (x * 0.4, (y - 0.5) / 2), (x, y)], [0.018, 0.016, 0.012]), colour("5f8a52")
        )
        layer.fill(
            pose,
            ellipse(x * 0.7, (y * 1.5 - 0.5) / 2.4, 0.1, 0.036, float(chance.uniform(-1, 1))),
            colour("7fa566"),
        )
    layer.fill(
        pose,
        blob(
            (-0.13, -0.5),
            (-0.1, -0.42),
            (-0.24, -0.2),
            (-0.15, 0.0),
            (0.15, 0.0),
            (0.24, -0.2),
            (0.1, -0.42),
            (0.13, -0.5),
        ),
        colours[0],
        volume=0.9,
        gloss=0.4,
    )
    _streak(layer, pose, -0.13 if layer.light.direction[0] < 0 else 0.13, -0.3, -0.12, 0.03, 0.5)
    for index, (x, y) in enumerate(stems):
        petal = np.minimum(colours[1 + index % 2] * chance.uniform(0.92, 1.12), 1).astype(np.float32)
        flower = pose.moved(x, y)
        for turn in np.linspace(0, 2 * np.pi, 8, endpoint=False) + chance.random():
            layer.fill(
                flower,
                ellipse(0.06 * np.cos(turn), 0.055 * np.sin(turn), 0.06, 0.032, float(turn)),
                petal,
                volume=0.6,
            )
        layer.fill(flower, ellipse(0, 0, 0.034, 0.032), colour("e9b949"), volume=0.7)
