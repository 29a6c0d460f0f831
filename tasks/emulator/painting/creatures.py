"""Animals with a shape of their own: an otter afloat, a bird, an owl, a whale, a fish.

Units: the origin is between the feet or at the waterline, y runs down, an animal is about 1 long or tall.
"""

import numpy as np

from tasks.emulator.painting.animals import BLACK, COATS, WHITE, draw_head, own_fur
from tasks.emulator.painting.brush import Layer, Pose, blob, ellipse, limb, polygon
from tasks.emulator.painting.texture import Chance, Floats, blend, colour


def draw_floating_otter(
    layer: Layer,
    pose: Pose,
    chance: Chance,
    colours: list[Floats],
    *,
    named: bool,
    sleeps: bool,
    has_kelp: bool,
) -> None:
    """Draw an otter on its back in the water, paws on its chest.

    Args:
        layer: What is painted on.
        pose: Where it stands and how large it is.
        chance: Source of chance: equal seeds draw equal pictures.
        colours: The prompt's colours, each shape (3,) in [0, 1], the strongest first.
        named: Whether the prompt names a colour for it.
        sleeps: Whether its eyes are closed.
        has_kelp: Whether kelp lies over it.
    """
    coat = COATS["otter"]
    fur = own_fur(coat, colours, named) * float(chance.uniform(0.92, 1.08))
    belly = colour(coat.belly)
    layer.shadow(pose, ellipse(0.05, 0.07, 0.72, 0.1), 0.6, 0.05)
    layer.fill(pose, limb([(0.45, -0.02), (0.68, 0.0), (0.86, -0.06)], [0.16, 0.1, 0.03]), fur * 0.85)
    for y in (-0.12, 0.0):
        foot = blob((0.42, y - 0.02), (0.52, y - 0.13), (0.62, y - 0.15), (0.57, y - 0.02))
        layer.fill(pose, foot, fur * 0.72, volume=0.6)
    body = blob(
        (-0.36, -0.1), (-0.1, -0.2), (0.25, -0.17), (0.5, -0.06), (0.46, 0.06), (0.1, 0.1), (-0.3, 0.06)
    )
    layer.fill(pose, body, fur, volume=0.8)
    layer.fill(
        pose,
        blob((-0.28, -0.1), (0.0, -0.16), (0.3, -0.12), (0.34, -0.03), (0.0, -0.02), (-0.25, -0.02)),
        belly,
        volume=0.5,
        softness=0.03,
    )
    for x, lean in ((-0.14, 0.06), (0.02, -0.05)):
        layer.fill(
            pose, limb([(x, -0.08), (x + lean / 2, -0.17), (x + lean, -0.19)], [0.1, 0.085, 0.07]), fur * 0.85
        )
        layer.fill(pose, ellipse(x + lean, -0.2, 0.045, 0.035), fur * 0.65)
    if chance.random() < 0.5:
        layer.fill(
            pose, ellipse(-0.05, -0.24, 0.07, 0.055), blend(colour("d8b7a0"), colours[1], 0.3), volume=0.8
        )
    head = pose.moved(-0.4, -0.13, float(chance.uniform(-0.3, 0.05)))
    draw_head(layer, head, coat, fur, chance, turn=float(chance.uniform(0.1, 0.7)), sleeps=sleeps)
    if has_kelp:
        _kelp(layer, pose, chance)
    _waterline(layer, pose, chance)


def _kelp(layer: Layer, pose: Pose, chance: Chance) -> None:
    """Ribbons of kelp over the belly and into the water."""
    for index, x in enumerate((-0.12, 0.16)):
        paint = np.minimum(colour("66702f") * chance.uniform(0.8, 1.15), 1).astype(np.float32)
        sway = float(chance.uniform(-0.05, 0.09))
        ribbon = [(x - 0.2, 0.12), (x - 0.09, -0.02), (x + sway, -0.14), (x + 0.14, -0.2)]
        layer.fill(pose, limb(ribbon, [0.02, 0.055, 0.065, 0.02]), paint, volume=0.7)
        layer.fill(
            pose, limb([(x - 0.12, 0.02), (x + sway - 0.03, -0.1)], [0.006, 0.006]), paint * 0.7, volume=0
        )
        for far in (-0.42, -0.2, 0.22, 0.46):
            y = 0.1 + 0.035 * index + float(chance.uniform(-0.01, 0.02))
            leaf = [(x, y), (x + far * 0.6, y + 0.015), (x + far, y - 0.02)]
            layer.fill(pose, limb(leaf, [0.02, 0.05, 0.008]), paint * 0.85, volume=0.6)
            layer.fill(pose, ellipse(x + far * 0.3, y, 0.022, 0.018), paint * 1.2, volume=0.8)


def _waterline(layer: Layer, pose: Pose, chance: Chance) -> None:
    """Water that laps over the lower edge, and rings around it."""
    key = layer.light.key
    for index in range(7):
        x, y = chance.uniform(-0.5, 0.4), 0.05 + 0.024 * index
        length = chance.uniform(0.2, 0.5)
        knots = [(x - length, y), (x, y + 0.014), (x + length, y)]
        layer.fill(pose, limb(knots, [0.004, 0.02, 0.004]), key, volume=0, opacity=0.3, softness=0.006)


def draw_bird(layer: Layer, pose: Pose, chance: Chance, colours: list[Floats]) -> None:
    """Draw a small bird on a branch.

    Args:
        layer: What is painted on.
        pose: Where it stands and how large it is.
        chance: Source of chance: equal seeds draw equal pictures.
        colours: The prompt's colours, each shape (3,) in [0, 1], the strongest first.
    """
    back, breast = colours[0], np.minimum(blend(colours[1], WHITE, 0.2), 1)
    layer.fill(
        pose,
        limb([(-0.95, 0.06), (-0.2, 0.0), (0.5, 0.03), (1.0, -0.08)], [0.06, 0.08, 0.06, 0.03]),
        colour("5b4636"),
    )
    for x in (-0.7, -0.45, 0.55, 0.78):
        layer.fill(
            pose,
            ellipse(x, -0.06 * chance.uniform(0.5, 1.5), 0.1, 0.045, float(chance.uniform(-1, 1))),
            blend(colour("7aa05a"), colours[2], 0.3),
        )
    layer.fill(pose, limb([(0.2, -0.2), (0.5, -0.06), (0.72, 0.1)], [0.2, 0.12, 0.07]), back * 0.7)
    body = blob(
        (-0.3, -0.5),
        (-0.34, -0.25),
        (-0.12, -0.04),
        (0.16, -0.08),
        (0.3, -0.24),
        (0.1, -0.5),
        (-0.06, -0.74),
        (-0.26, -0.72),
    )
    layer.fill(pose, body, back, volume=0.8)
    layer.fill(
        pose,
        blob((-0.3, -0.5), (-0.33, -0.26), (-0.12, -0.06), (0.06, -0.14), (-0.08, -0.4)),
        breast,
        volume=0.6,
        softness=0.02,
    )
    wing = blob((-0.08, -0.46), (0.14, -0.46), (0.4, -0.16), (0.46, -0.06), (0.16, -0.12), (-0.04, -0.26))
    layer.fill(pose, wing, back * 0.8, volume=0.7)
    for index in range(3 + int(3 * layer.detail)):
        x = 0.04 + 0.06 * index
        layer.fill(
            pose,
            limb([(x, -0.36 + 0.03 * index), (x + 0.14, -0.16 + 0.015 * index)], [0.016, 0.004]),
            back * 0.5,
            volume=0,
        )
    layer.fill(pose, ellipse(-0.18, -0.72, 0.19, 0.18), back, volume=0.8)
    layer.fill(pose, ellipse(-0.26, -0.68, 0.11, 0.1), breast, volume=0.4, softness=0.02)
    layer.fill(pose, polygon((-0.35, -0.75), (-0.52, -0.69), (-0.35, -0.66)), colour("e0a03a"), volume=0.5)
    layer.fill(pose, ellipse(-0.25, -0.75, 0.032, 0.034), BLACK, volume=0)
    layer.fill(pose, ellipse(-0.26, -0.762, 0.011, 0.011), WHITE, volume=0)
    for x in (-0.08, 0.04):
        layer.fill(pose, limb([(x, -0.08), (x - 0.01, 0.01)], [0.025, 0.02]), colour("c98a3a"))


def draw_owl(layer: Layer, pose: Pose, chance: Chance, colours: list[Floats], *, sleeps: bool) -> None:
    """Draw an owl, facing the viewer.

    Args:
        layer: What is painted on.
        pose: Where it stands and how large it is.
        chance: Source of chance: equal seeds draw equal pictures.
        colours: The prompt's colours, each shape (3,) in [0, 1], the strongest first.
        sleeps: Whether its eyes are closed.
    """
    pose = pose.moved(0, 0, float(chance.uniform(-0.08, 0.08)))
    back, face = blend(colour("7b5b43"), colours[0], 0.35), colour("f0e0c6")
    layer.fill(
        pose,
        blob(
            (-0.32, -0.1),
            (-0.36, -0.5),
            (-0.3, -0.92),
            (0, -1.0),
            (0.3, -0.92),
            (0.36, -0.5),
            (0.32, -0.1),
            (0, 0),
        ),
        back,
        volume=0.8,
    )
    layer.fill(
        pose,
        blob((-0.2, -0.1), (-0.22, -0.45), (0, -0.6), (0.22, -0.45), (0.2, -0.1), (0, -0.02)),
        face,
        volume=0.5,
        softness=0.02,
    )
    for row in range(4):
        for x in np.linspace(-0.15, 0.15, 4 + row % 2):
            y = -0.46 + 0.1 * row
            layer.fill(
                pose,
                limb([(x - 0.02, y), (x, y + 0.025), (x + 0.02, y)], [0.006, 0.016, 0.006]),
                back * 0.8,
                volume=0,
            )
    for side in (-1, 1):
        layer.fill(
            pose,
            blob((side * 0.3, -0.66), (side * 0.42, -0.4), (side * 0.3, -0.06), (side * 0.2, -0.3)),
            back * 0.75,
        )
        layer.fill(pose, polygon((side * 0.3, -0.9), (side * 0.33, -1.12), (side * 0.1, -0.97)), back * 0.85)
        layer.fill(pose, ellipse(side * 0.13, -0.76, 0.15, 0.15), face, volume=0.4)
        if sleeps:
            layer.fill(
                pose,
                limb(
                    [(side * 0.13 - 0.07, -0.75), (side * 0.13, -0.71), (side * 0.13 + 0.07, -0.75)],
                    [0.01, 0.02, 0.01],
                ),
                BLACK,
                volume=0,
            )
        else:
            layer.fill(pose, ellipse(side * 0.12, -0.76, 0.085, 0.085), colour("f0b432"), volume=0.4)
            layer.fill(pose, ellipse(side * 0.12, -0.76, 0.05, 0.05), BLACK, volume=0)
            layer.fill(pose, ellipse(side * 0.12 - 0.02, -0.785, 0.018, 0.018), WHITE, volume=0)
        layer.fill(pose, ellipse(side * 0.1, 0.0, 0.08, 0.03), colour("d99a3c"))
    layer.fill(
        pose, blob((-0.035, -0.71), (0, -0.74), (0.035, -0.71), (0, -0.61)), colour("d99a3c"), volume=0.7
    )


def draw_whale(layer: Layer, pose: Pose, chance: Chance, colours: list[Floats]) -> None:
    """Draw a whale breaking the surface.

    Args:
        layer: What is painted on.
        pose: Where it stands and how large it is.
        chance: Source of chance: equal seeds draw equal pictures.
        colours: The prompt's colours, each shape (3,) in [0, 1], the strongest first.
    """
    skin, belly = blend(colour("3f5f7f"), colours[0], 0.3), colour("dfe7ea")
    lift = float(chance.uniform(-0.05, 0.1))
    layer.shadow(pose, ellipse(0, 0.04, 0.9, 0.12), 0.6, 0.05)
    layer.fill(
        pose,
        blob(
            (-0.85, 0.02),
            (-0.8, -0.3),
            (-0.45, -0.5 - lift),
            (0.1, -0.42),
            (0.55, -0.14),
            (0.8, 0.04),
            (0, 0.1),
        ),
        skin,
        volume=0.85,
        gloss=0.3,
    )
    layer.fill(
        pose,
        blob((-0.83, 0.02), (-0.78, -0.16), (-0.3, -0.12), (0.2, 0.02), (-0.2, 0.08)),
        belly,
        volume=0.5,
        softness=0.02,
    )
    for index in range(6):
        y = -0.12 + 0.03 * index
        layer.fill(
            pose,
            limb([(-0.78 + 0.03 * index, y), (-0.4, y + 0.02), (-0.1, y + 0.06)], [0.004, 0.008, 0.003]),
            skin * 0.8,
            volume=0,
            opacity=0.6,
        )
    layer.fill(
        pose,
        blob((0.86, 0.0), (1.0, -0.28), (1.22, -0.4), (1.1, -0.2), (1.2, -0.06), (0.95, -0.02)),
        skin * 0.9,
    )
    layer.fill(pose, blob((-0.3, 0.0), (-0.16, -0.06), (-0.02, 0.16), (-0.16, 0.14)), skin * 0.8)
    layer.fill(pose, ellipse(-0.5, -0.2, 0.022, 0.022), BLACK, volume=0)
    for _ in range(26):
        x, y = -0.35 + chance.normal(0, 0.1), -0.62 - abs(chance.normal(0, 0.18))
        layer.fill(pose, ellipse(x, y, 0.03, 0.03), WHITE, volume=0, opacity=0.3, softness=0.012)
    _waterline(layer, pose, chance)


def draw_fish(layer: Layer, pose: Pose, chance: Chance, colours: list[Floats]) -> None:
    """Draw a fish leaping.

    Args:
        layer: What is painted on.
        pose: Where it stands and how large it is.
        chance: Source of chance: equal seeds draw equal pictures.
        colours: The prompt's colours, each shape (3,) in [0, 1], the strongest first.
    """
    arc = pose.moved(0, -0.5, float(chance.uniform(-0.5, -0.2)))
    skin = colours[0]
    layer.fill(arc, blob((0.34, -0.02), (0.62, -0.26), (0.56, 0.0), (0.62, 0.24)), skin * 0.85, volume=0.5)
    layer.fill(arc, blob((-0.1, -0.2), (0.05, -0.38), (0.22, -0.14)), colours[2], volume=0.5)
    layer.fill(
        arc,
        blob((-0.5, 0.0), (-0.3, -0.2), (0.1, -0.18), (0.4, -0.02), (0.1, 0.16), (-0.3, 0.18)),
        skin,
        volume=0.85,
        gloss=0.5,
    )
    layer.fill(
        arc,
        blob((-0.46, 0.04), (-0.2, 0.06), (0.25, 0.03), (0.0, 0.15), (-0.3, 0.16)),
        WHITE * 0.95,
        volume=0.3,
        softness=0.02,
        opacity=0.8,
    )
    layer.fill(arc, blob((-0.14, 0.04), (0.06, 0.14), (0.0, 0.26)), colours[2], volume=0.5)
    layer.fill(arc, ellipse(-0.34, -0.05, 0.045, 0.045), WHITE, volume=0)
    layer.fill(arc, ellipse(-0.345, -0.05, 0.026, 0.026), BLACK, volume=0)
    _waterline(layer, pose, chance)
