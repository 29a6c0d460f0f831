"""Draw a still life, for prompts whose words name no other subject.

Units: as in ``products``.
"""

import numpy as np

from tasks.emulator.painting.brush import Layer, Pose, box, cylinder, ellipse, limb
from tasks.emulator.painting.products import WHITE, draw_bottle, draw_mug, draw_vase
from tasks.emulator.painting.texture import Chance, Floats, colour


def draw_still_life(layer: Layer, pose: Pose, chance: Chance, colours: list[Floats], words_seed: int) -> None:
    """Draw a group of simple things that the prompt's words choose and the replicate arranges.

    Args:
        layer: What is painted on.
        pose: Where it stands and how large it is.
        chance: Source of chance: equal seeds draw equal pictures.
        colours: The prompt's colours, each shape (3,) in [0, 1], the strongest first.
        words_seed: A number made from the prompt's words, so that other words give another still life.
    """
    menu = np.random.default_rng(words_seed).permutation(5)[:3]
    spots = chance.permutation(np.array([-0.42, 0.0, 0.42]))
    order = np.argsort(np.abs(spots))[::-1]
    for index in order:
        spot = pose.moved(float(spots[index]), float(chance.uniform(-0.06, 0.05)))
        thing = Pose(spot.x, spot.y, spot.scale * float(chance.uniform(0.62, 0.85)), mirror=pose.mirror)
        paints = colours[int(index) :] + colours[: int(index)]
        layer.shadow(thing, ellipse(0.05, 0.0, 0.36, 0.09), 0.55, 0.05)
        _piece(int(menu[index]), layer, thing, chance, paints)


def _piece(kind: int, layer: Layer, pose: Pose, chance: Chance, colours: list[Floats]) -> None:
    if kind == 0:
        draw_vase(layer, pose, chance, colours)
    elif kind == 1:
        layer.fill(pose, ellipse(0, -0.26, 0.27, 0.26), colours[0], volume=0.95, gloss=0.5)
        layer.fill(pose, limb([(0, -0.5), (0.03, -0.62)], [0.025, 0.015]), colour("6b4a32"))
        layer.fill(pose, ellipse(0.1, -0.6, 0.1, 0.04, -0.4), colour("7fa566"))
    elif kind == 2:
        for index in range(3):
            y = -0.12 * index
            layer.fill(
                pose,
                box(-0.34 + 0.03 * index, y - 0.11, 0.34 - 0.02 * index, y, 0.015),
                colours[index],
                volume=0.45,
            )
            layer.fill(
                pose, box(-0.3, y - 0.09, 0.33 - 0.02 * index, y - 0.02), WHITE * 0.95, volume=0, opacity=0.55
            )
        draw_mug(
            layer,
            Pose(pose.x, pose.y - 0.34 * pose.scale, pose.scale * 0.45, mirror=pose.mirror),
            chance,
            colours[::-1],
        )
    elif kind == 3:
        draw_bottle(layer, pose, chance, colours)
    else:
        layer.fill(pose, cylinder(0.26, -0.7, -0.04), colours[0], volume=0.85)
        layer.fill(pose, ellipse(0, -0.7, 0.26, 0.057), np.minimum(colours[0] * 1.2, 1), volume=0)
        layer.fill(pose, ellipse(0, -0.86, 0.18, 0.18), colours[2], volume=0.95, gloss=0.5)
