"""Animals that sit: one body with many coats.

Units: the origin is between the feet, y runs down, a seated animal is about 1 tall.
"""

from dataclasses import dataclass

import numpy as np

from tasks.emulator.painting.brush import Layer, Pose, blob, ellipse, limb
from tasks.emulator.painting.texture import Chance, Floats, blend, colour

BLACK = colour("1d1a1f")
WHITE = colour("fffdf6")


@dataclass(frozen=True, slots=True)
class Coat:
    """How a seated animal looks.

    Args:
        fur: ``rrggbb`` of the coat.
        belly: Of chest, muzzle and tail tip.
        ears: ``pointed``, ``round``, ``long``, ``small`` or ``floppy``.
        tail: ``bushy``, ``long``, ``short`` or ``flat``.
        muzzle: Length of the muzzle.
        head: Size of the head.
        marks: ``stripes``, ``mane``, ``patches`` or nothing.
        eye: ``rrggbb`` of the iris.
    """

    fur: str
    belly: str
    ears: str
    tail: str
    muzzle: float = 0.1
    head: float = 0.2
    marks: str = ""
    eye: str = "3a2a1c"


COATS = {
    "fox": Coat("d9702e", "fbeedd", "pointed", "bushy", 0.13, 0.19, eye="6a4318"),
    "cat": Coat("8c8790", "efe9e4", "pointed", "long", 0.07, 0.2, "stripes", "8fb04a"),
    "dog": Coat("b98250", "f5e6cf", "floppy", "long", 0.12, 0.21),
    "wolf": Coat("7d8591", "e9ebea", "pointed", "bushy", 0.14, 0.19, eye="c69a3a"),
    "rabbit": Coat("c3ab92", "fbf4ea", "long", "short", 0.06, 0.18),
    "bear": Coat("7b5236", "c79c74", "round", "short", 0.1, 0.21),
    "panda": Coat("f4f1ec", "f4f1ec", "round", "short", 0.09, 0.23, "patches"),
    "lion": Coat("d6a055", "f4dfb4", "round", "long", 0.11, 0.19, "mane", "8a5a1c"),
    "tiger": Coat("e08a35", "fbf1e2", "round", "long", 0.1, 0.21, "stripes", "a07a1c"),
    "mouse": Coat("a8a0a3", "ece3e0", "round", "long", 0.09, 0.19),
    "otter": Coat("7a5238", "dcbf9d", "small", "flat", 0.09, 0.19),
}


def own_fur(coat: Coat, colours: list[Floats], named: bool) -> Floats:
    """The coat, bent towards the prompt's first colour when it names one.

    Args:
        coat: Its proportions and marks.
        colours: The prompt's colours, each shape (3,) in [0, 1], the strongest first.
        named: Whether the prompt names a colour for it.
    """
    return blend(colour(coat.fur), colours[0], 0.45) if named else colour(coat.fur)


def draw_seated(
    kind: str, layer: Layer, pose: Pose, chance: Chance, colours: list[Floats], *, named: bool, sleeps: bool
) -> None:
    """Draw a seated animal, its head turned and tilted a little by chance.

    Args:
        kind: A key of ``COATS``.
        layer: What is painted on.
        pose: Where it stands and how large it is.
        chance: Source of chance: equal seeds draw equal pictures.
        colours: The prompt's colours, each shape (3,) in [0, 1], the strongest first.
        named: Whether the prompt names a colour for it.
        sleeps: Whether its eyes are closed.
    """
    coat = COATS[kind]
    fur = own_fur(coat, colours, named) * chance.uniform(0.92, 1.08)
    fur, belly = np.minimum(fur, 1).astype(np.float32), colour(coat.belly)
    dark = fur * 0.62 if coat.marks != "patches" else BLACK
    _tail(layer, pose, coat, fur, belly, chance)
    wide = float(chance.uniform(0.95, 1.1))
    for side in (-1, 1):
        layer.fill(
            pose, ellipse(side * 0.17 * wide, -0.13, 0.13, 0.15), dark if coat.marks == "patches" else fur
        )
    body = blob(
        (-0.24 * wide, -0.06), (-0.25 * wide, -0.25), (-0.15, -0.5), (-0.1, -0.64), (0.1, -0.64), (0.15,
            -0.5),
        (0.25 * wide, -0.25), (0.24 * wide, -0.06), (0.0, -0.01),
    )  # fmt: skip
    layer.fill(pose, body, fur, volume=0.75)
    layer.fill(
        pose, blob((-0.09, -0.6), (-0.12, -0.4), (-0.08, -0.16), (0.08, -0.16), (0.12, -0.4), (0.09,
            -0.6)), belly,
        volume=0.45, softness=0.018, opacity=0.95,
    )  # fmt: skip
    _coat_texture(layer, pose, fur, chance)
    if coat.marks == "stripes":
        _stripes(layer, pose, dark, chance)
    for side in (-1, 1):
        paw = dark if coat.marks == "patches" or kind in ("fox", "wolf") else fur
        layer.fill(
            pose,
            limb([(side * 0.09, -0.4), (side * 0.1, -0.2), (side * 0.09, -0.05)], [0.1, 0.1, 0.085]),
            paw if kind == "panda" else fur,
        )
        layer.fill(
            pose,
            ellipse(side * 0.095, -0.035, 0.07, 0.045),
            paw if kind in ("fox", "wolf", "panda") else belly,
            volume=0.6,
        )
        layer.fill(pose, ellipse(side * 0.2 * wide, -0.025, 0.085, 0.04), paw, volume=0.6)
    turn = float(chance.uniform(-0.5, 0.5))
    head = pose.moved(0.05 * turn, -0.62 - coat.head * 0.72, float(chance.uniform(-0.16, 0.16)))
    draw_head(layer, head, coat, fur, chance, turn=turn, sleeps=sleeps)


def _coat_texture(layer: Layer, pose: Pose, fur: Floats, chance: Chance) -> None:
    """Tufts along the body; more of them the finer the picture."""
    for _ in range(int(46 * max(layer.detail - 0.3, 0))):
        x, y = chance.uniform(-0.2, 0.2), chance.uniform(-0.5, -0.08)
        if abs(x) < 0.1:
            continue
        tone = np.minimum(fur * chance.uniform(0.72, 1.3), 1).astype(np.float32)
        layer.fill(pose, limb([(x, y), (x * 1.06, y + 0.04)], [0.009, 0.002]), tone, volume=0, opacity=0.6)


def _stripes(layer: Layer, pose: Pose, dark: Floats, chance: Chance) -> None:
    for side in (-1, 1):
        for y in (-0.5, -0.4, -0.3, -0.2):
            shift = float(chance.normal(0, 0.01))
            edge = 0.115 + 0.3 * (y + 0.56)
            knots = [(side * edge, y + shift), (side * edge * 0.8, y + 0.03), (side * edge * 0.62, y + 0.02)]
            layer.fill(pose, limb(knots, [0.03, 0.022, 0.004]), dark, volume=0.2, opacity=0.75)


def _tail(layer: Layer, pose: Pose, coat: Coat, fur: Floats, belly: Floats, chance: Chance) -> None:
    lift = float(chance.uniform(-0.12, 0.16))
    knots = [(0.16, -0.08), (0.38, -0.08), (0.5, -0.26 - lift), (0.44, -0.46 - lift)]
    if coat.tail == "bushy":
        layer.fill(pose, limb(knots, [0.1, 0.2, 0.23, 0.05]), fur, volume=0.8)
        layer.fill(pose, limb(knots[2:], [0.16, 0.035]), belly, volume=0.5, softness=0.012)
    elif coat.tail == "long":
        layer.fill(pose, limb(knots, [0.07, 0.06, 0.055, 0.05]), fur, volume=0.7)
    elif coat.tail == "flat":
        layer.fill(
            pose, limb([(0.12, -0.06), (0.34, -0.05), (0.52, -0.09 - lift / 3)], [0.14, 0.1, 0.03]), fur * 0.9
        )
    else:
        layer.fill(pose, ellipse(0.22, -0.14, 0.08, 0.08), belly, volume=0.8)


def draw_head(
    layer: Layer,
    pose: Pose,
    coat: Coat,
    fur: Floats,
    chance: Chance,
    *,
    turn: float = 0.0,
    sleeps: bool = False,
) -> None:
    """Draw a head around the pose's origin, looking ``turn`` (-1 to 1) aside.

    Args:
        layer: What is painted on.
        pose: Where it stands and how large it is.
        coat: Its proportions and marks.
        fur: Colour of the fur, shape (3,) in [0, 1].
        chance: Source of chance: equal seeds draw equal pictures.
        turn: How far it looks aside, -1 to 1.
        sleeps: Whether its eyes are closed.
    """
    size, belly = coat.head, colour(coat.belly)
    ink = BLACK if coat.marks == "patches" else fur * 0.6
    if coat.marks == "mane":
        for angle in np.linspace(0, 2 * np.pi, 22, endpoint=False):
            reach = size * chance.uniform(0.85, 1.1)
            tuft = ellipse(
                reach * np.cos(angle), reach * np.sin(angle) + 0.02, size * 0.5, size * 0.26, float(angle)
            )
            layer.fill(pose, tuft, colour("8f5424") * chance.uniform(0.8, 1.15), volume=0.6)
    _ears(layer, pose, coat, fur, ink)
    layer.fill(pose, blob(
        (-size * 0.98, 0.02), (-size * 0.72, -size * 0.72), (0, -size * 0.92), (size * 0.72, -size * 0.72),
        (size * 0.98, 0.02), (size * 0.55, size * 0.68), (0, size * 0.86), (-size * 0.55, size * 0.68),
    ), fur, volume=0.75)  # fmt: skip
    shift = turn * size * 0.22
    for side in (-1, 1):
        cheek = ellipse(side * size * 0.5 + shift, size * 0.36, size * 0.42, size * 0.33)
        layer.fill(pose, cheek, belly, volume=0.3, softness=0.014, opacity=0.9)
    if coat.marks == "stripes":
        for x in (-0.35, 0.0, 0.35):
            layer.fill(
                pose,
                limb([(x * size, -size * 0.86), (x * size * 0.8, -size * 0.45)], [0.03, 0.006]),
                ink,
                volume=0,
                opacity=0.7,
            )
    muzzle_y = size * 0.38
    layer.fill(pose, ellipse(shift, muzzle_y, size * 0.42, size * (0.26 + coat.muzzle)), belly, volume=0.7)
    _eyes(layer, pose, coat, shift, sleeps)
    nose_y = muzzle_y - size * 0.16
    layer.fill(
        pose,
        blob(
            (shift - 0.036, nose_y - 0.012),
            (shift, nose_y - 0.024),
            (shift + 0.036, nose_y - 0.012),
            (shift, nose_y + 0.026),
        ),
        BLACK,
        volume=0.7,
        gloss=0.9,
    )
    mouth = nose_y + 0.028
    for side in (-1, 1):
        knots = [(shift, mouth), (shift + side * 0.022, mouth + 0.028), (shift + side * 0.055, mouth + 0.018)]
        layer.fill(pose, limb(knots, [0.008, 0.008, 0.004]), BLACK, volume=0, opacity=0.8)
        for index in range(3):
            y = muzzle_y + 0.012 + 0.018 * index
            far = (shift + side * (0.25 + 0.01 * index), y - 0.03 + 0.035 * index)
            layer.fill(
                pose, limb([(shift + side * 0.07, y), far], [0.005, 0.0015]), WHITE, volume=0, opacity=0.7
            )


def _ears(layer: Layer, pose: Pose, coat: Coat, fur: Floats, ink: Floats) -> None:
    size, pink = coat.head, blend(fur, colour("f0b3a6"), 0.6)
    for side in (-1, 1):
        if coat.ears == "pointed":
            layer.fill(
                pose,
                blob(
                    (side * size * 0.86, -size * 0.35),
                    (side * size * 0.98, -size * 1.5),
                    (side * size * 0.18, -size * 0.8),
                ),
                fur,
            )
            layer.fill(
                pose,
                blob(
                    (side * size * 0.76, -size * 0.55),
                    (side * size * 0.86, -size * 1.25),
                    (side * size * 0.36, -size * 0.78),
                ),
                ink if coat.fur == "d9702e" else pink,
                volume=0.4,
            )
        elif coat.ears == "long":
            layer.fill(
                pose, ellipse(side * size * 0.5, -size * 1.55, size * 0.26, size * 0.95, side * 0.18), fur
            )
            layer.fill(
                pose,
                ellipse(side * size * 0.5, -size * 1.5, size * 0.13, size * 0.75, side * 0.18),
                pink,
                volume=0.4,
            )
        elif coat.ears == "floppy":
            layer.fill(
                pose,
                blob(
                    (side * size * 0.6, -size * 0.8),
                    (side * size * 1.15, -size * 0.5),
                    (side * size * 1.2, size * 0.45),
                    (side * size * 0.85, size * 0.3),
                ),
                fur * 0.75,
            )
        else:
            reach = {"round": 0.4, "small": 0.24}[coat.ears]
            x, y = side * size * (0.72 if reach > 0.3 else 0.84), -size * (0.74 if reach > 0.3 else 0.5)
            layer.fill(
                pose, ellipse(x, y, size * reach, size * reach), ink if coat.marks == "patches" else fur
            )
            layer.fill(
                pose,
                ellipse(x, y, size * reach * 0.55, size * reach * 0.55),
                ink if coat.marks == "patches" else pink * 0.8,
                volume=0.3,
            )


def _eyes(layer: Layer, pose: Pose, coat: Coat, shift: float, sleeps: bool) -> None:
    size = coat.head
    for side in (-1, 1):
        x, y = side * size * 0.44 + shift * 0.8, -size * 0.1
        if coat.marks == "patches":
            layer.fill(pose, ellipse(x, y + 0.005, size * 0.3, size * 0.24, side * 0.7), BLACK, volume=0.3)
        if sleeps:
            knots = [(x - 0.035, y), (x, y + 0.02), (x + 0.035, y)]
            layer.fill(pose, limb(knots, [0.006, 0.012, 0.006]), BLACK, volume=0)
            continue
        layer.fill(pose, ellipse(x, y, 0.039, 0.042), BLACK, volume=0)
        layer.fill(pose, ellipse(x, y, 0.031, 0.034), colour(coat.eye), volume=0.3)
        layer.fill(pose, ellipse(x, y, 0.02, 0.025), BLACK, volume=0)
        layer.fill(pose, ellipse(x - 0.012, y - 0.015, 0.011, 0.011), WHITE, volume=0)
        layer.fill(pose, ellipse(x + 0.012, y + 0.014, 0.005, 0.005), WHITE, volume=0, opacity=0.7)
