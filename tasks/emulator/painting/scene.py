"""One scene, from a prompt and a seed: read, compose, paint, render, grade."""

from dataclasses import dataclass

import numpy as np

from tasks.emulator.painting import animals, buildings, creatures, products
from tasks.emulator.painting.arrangement import arrange, with_lettering
from tasks.emulator.painting.brush import Layer, Pose, ellipse
from tasks.emulator.painting.contents import Contents
from tasks.emulator.painting.interiors import paint_diorama, paint_nothing, paint_studio
from tasks.emulator.painting.palettes import accents, choose_light, grade
from tasks.emulator.painting.reading import PRODUCTS, Brief, read_prompt
from tasks.emulator.painting.scenery import Stage, paint_place
from tasks.emulator.painting.still_life import draw_still_life
from tasks.emulator.painting.styles import render_in_style
from tasks.emulator.painting.texture import Chance, Floats, blend, blurred, colour, smoothstep

# How many pixels of the longest edge are really painted, and how finely.
FINENESS = {
    "low": (448, 0.35),
    "medium": (720, 0.65),
    "high": (1152, 1.0),
    "xhigh": (1344, 1.3),
    "max": (1536, 1.6),
}
REACH = {"whale": 0.3, "fish": 0.34, "bird": 0.42, "boat": 0.42, "lighthouse": 0.52, "castle": 0.42,
    "house": 0.36,
         "tree": 0.56, "shoe": 0.36, "watch": 0.46, "chair": 0.48, "mug": 0.46, "bottle": 0.52,
         "still_life": 0.42,
         "vase": 0.44}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scene:
    """A rendered scene.

    Args:
        pixels: Colours, float32 in [0, 1], shape (height, width, 3).
        cover: What is not background, in [0, 1], shape (height, width).
    """

    pixels: Floats
    cover: Floats


def paint_scene(
    prompt: str,
    seed: int,
    size: tuple[int, int],
    tier: str,
    *,
    bare: bool = False,
    contents: Contents | None = None,
) -> Scene:
    """Paint a prompt.

    Args:
        prompt: The text.
        seed: Decides everything the prompt leaves open.
        size: Width and height of the picture wanted; fewer or more pixels may be painted, in proportion.
        tier: Quality tier.
        bare: Leave the background out.
        contents: What it shows, where that is more than its subject, or not what the prompt asks for.
    """
    brief = read_prompt(prompt)
    longest, detail = FINENESS[tier]
    most = 1.4 if tier in ("xhigh", "max") else 1.0
    shrink = min(most, longest / max(size))
    width, height = (max(16, round(edge * shrink)) for edge in size)
    chance = np.random.default_rng(seed)
    light = choose_light(brief, chance)
    colours = accents(brief, chance)
    back = Layer(width, height, light, detail)
    stage = _place(brief, back, chance, colours, bare)
    front = Layer(width, height, light, detail)
    pose = _compose(brief, stage, chance)
    arranged = contents is not None and contents.is_arranged
    if contents is not None and arranged:
        for each, place in arrange(brief, contents, pose, front.width):
            _subject(each, front, place, chance, [*map(colour, each.colours), *colours][:3])
    else:
        _subject(brief, front, pose, chance, colours)
    _ground_it(brief, stage, front, pose)
    if brief.style == "photograph" and not bare:
        back.pixels = blurred(back.pixels, height / 130)
    picture = front if bare else back
    if bare:
        front.pixels = _bled(front)
    else:
        back.lay(front)
    pixels = grade(render_in_style(brief.style, picture.pixels, chance, detail), brief)
    if contents is not None and arranged:
        pixels = with_lettering(pixels, contents.lettering)
    return Scene(np.clip(pixels, 0, 1).astype(np.float32), np.clip(front.cover, 0, 1))


def _place(brief: Brief, layer: Layer, chance: Chance, colours: list[Floats], bare: bool) -> Stage:
    if bare:
        return paint_nothing(layer)
    if brief.style == "diorama":
        return paint_diorama(layer, chance, colours, brief.place)
    if brief.place == "studio":
        return paint_studio(layer, chance, colours)
    return paint_place(brief.place, layer, chance)


def _compose(brief: Brief, stage: Stage, chance: Chance) -> Pose:
    """Where the subject stands, how large, and which way it looks."""
    layer = stage.layer
    edge = min(layer.height, layer.width * 1.15)
    scale = edge * REACH.get(brief.subject, 0.5) * float(chance.uniform(0.78, 1.16))
    aside = float(chance.uniform(-0.17, 0.17))
    if brief.style == "diorama":
        scale, aside = scale * 0.82, aside * 0.3
    if brief.floats:
        aside *= 0.45
    x = layer.width * (0.5 + aside)
    mirror = 1.0 if chance.random() < 0.5 else -1.0
    return Pose(x, stage.floor_px, scale, mirror=mirror)


def _subject(brief: Brief, layer: Layer, pose: Pose, chance: Chance, colours: list[Floats]) -> None:
    named = bool(brief.colours)
    if brief.floats:
        creatures.draw_floating_otter(
            layer, pose, chance, colours, named=named, sleeps=brief.sleeps, has_kelp=brief.has_kelp
        )
    elif brief.subject in animals.COATS:
        animals.draw_seated(brief.subject, layer, pose, chance, colours, named=named, sleeps=brief.sleeps)
    elif brief.subject == "owl":
        creatures.draw_owl(layer, pose, chance, colours, sleeps=brief.sleeps)
    elif brief.subject == "still_life":
        draw_still_life(layer, pose, chance, colours, brief.words_seed)
    elif brief.subject != "view":
        _DRAWERS[brief.subject](layer, pose, chance, colours)


_DRAWERS = {
    "bird": creatures.draw_bird, "whale": creatures.draw_whale, "fish": creatures.draw_fish,
    "bottle": products.draw_bottle, "shoe": products.draw_shoe, "mug": products.draw_mug,
    "chair": products.draw_chair, "watch": products.draw_watch, "lamp": products.draw_lamp,
    "vase": products.draw_vase, "lighthouse": buildings.draw_lighthouse, "house": buildings.draw_house,
    "tree": buildings.draw_tree, "castle": buildings.draw_castle, "boat": buildings.draw_boat,
}  # fmt: skip


def _ground_it(brief: Brief, stage: Stage, front: Layer, pose: Pose) -> None:
    """Tie the subject to its floor: a shadow, and on a polished one or on water its mirror image."""
    layer = stage.layer
    if brief.subject == "view" or not layer.cover.any():
        return
    if stage.is_studio or stage.is_water:
        floor = int(min(pose.y, layer.height - 1))
        deep = min(layer.height - floor, floor)
        if deep > 4:
            fade = np.linspace(0.32, 0.0, deep, dtype=np.float32)[:, None] ** 1.1
            mirror = front.pixels[floor - deep : floor][::-1]
            cover = front.cover[floor - deep : floor][::-1] * fade
            part = layer.pixels[floor : floor + deep]
            part[:] = blend(part, mirror * 0.9, cover[..., None])
    lean = -layer.light.direction[0] * 0.16
    if not stage.is_water:
        half = 0.5 if brief.subject in PRODUCTS else 0.42
        layer.shadow(pose, ellipse(lean * pose.mirror, 0.01, half, 0.075), 0.62, 0.045)
        layer.shadow(pose, ellipse(lean * 2.4 * pose.mirror, 0.02, half * 1.25, 0.1), 0.3, 0.1)


def _bled(layer: Layer) -> Floats:
    """Let colours run over their edge, so that no style drags bare background into a cut-out."""
    reach = layer.height / 50
    cover = layer.cover[..., None]
    around = blurred(layer.pixels * cover, reach) / np.maximum(blurred(layer.cover, reach)[..., None], 1e-3)
    return blend(around, layer.pixels, smoothstep(0.05, 0.5, cover))


def softened_edge(cover: Floats) -> Floats:
    """Alpha of a subject cut out: clean inside, soft along its edge."""
    return smoothstep(0.04, 0.9, cover)
