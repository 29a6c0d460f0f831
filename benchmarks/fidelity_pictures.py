"""Pictures for the benchmark of fidelity: photographs, objects on plain grounds and art, in two halves.

Photographs come from scikit-image's wheel and, where their folder is given, from web templates (see
``benchmarks/stock_photographs.py``). Objects are drawn from a colour-emoji font, which Debian packages as
``fonts-noto-color-emoji``. Art is the emulator's. A few of each carry a line of text.

``lost`` lists what makes each of them another picture. What an editing model does to one that it redraws
faithfully is in ``benchmarks/fidelity_changes.py``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from tasks.emulator.painting.retouch import as_image
from tasks.emulator.painting.scene import paint_scene
from tasks.pictures.decoding import decode, flatten

EDGE_PX = 640
HALVES = ("fitted", "held out")
KINDS = ("photograph", "object", "art")

_PHOTOGRAPHS = (
    "astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png", "coins.png", "grass.png",
    "gravel.png", "hubble_deep_field.jpg", "ihc.png", "moon.png", "motorcycle_left.png", "page.png",
    "retina.jpg", "rocket.jpg", "text.png",
)  # fmt: skip
_EMOJI_FONT = "NotoColorEmoji.ttf"
_EMOJI_PX = 109
_OBJECTS = {
    "fitted": "👟🎒🧸🪑🚲📷🍎🥐🧦🎸🪴⌚🧴🍷🐶🦊",
    "held out": "👠👜🚗🛋️⏰🎧🍋🍩🧢🎻🌵💍🕯️🍺🐱🐸",
}
_FACES = {"fitted": "🐼🐨🐵🐯🦁🐮😀🤖🏠🎃💀🦉", "held out": "🐻🐰🐷🐔😎👽🏯🪆👑🐙🐭🦝"}
"""What is nearly its own mirror image."""

_PROMPTS = {
    "fitted": (
        "A baby sea otter swimming on its back, watercolour",
        "A red mug on a table, flat poster",
        "A cat asleep in a garden at night",
        "A perfume bottle on marble, product photograph",
    ),
    "held out": (
        "A lighthouse at dusk, studio photograph",
        "A mountain village in snow, oil painting",
        "A wristwatch on dark slate, product photograph",
        "A fox in a meadow, ink drawing",
    ),
}
_LINES = (
    ("FRESH COFFEE DAILY", "FRESH COCOA DAILY"),
    ("SUMMER SALE -20%", "SUMMER SALE -50%"),
    ("Handmade in Lyon", "Handmade in Bonn"),
    ("OPEN UNTIL NINE", "OPEN UNTIL FIVE"),
    ("Organic oat drink", "Organic rice drink"),
    ("NORTH PIER 7", "SOUTH PIER 7"),
)

Change = Callable[[Image.Image, np.random.Generator], Image.Image]


@dataclass(frozen=True)
class Sample:
    """One picture, and ways to draw what is another picture of the same prompt.

    Args:
        half: ``fitted`` or ``held out``.
        kind: ``photograph``, ``object`` or ``art``.
        name: A name for people.
        picture: RGB, `EDGE_PX` on the longest edge.
        others: The same with one difference that matters, by what differs.
        prompt: What an edit is asked for.
    """

    half: str
    kind: str
    name: str
    picture: Image.Image
    others: dict[str, Image.Image]
    prompt: str = "the same picture in fine detail"


def samples(stock: Path | None = None, most_photographs: int = 24) -> Iterator[Sample]:
    """Draw every sample of both halves.

    Args:
        stock: A folder with photographs in ``fitted`` and ``held-out``.
        most_photographs: From that folder, for each half.
    """
    photographs = {half: list(_of_skimage())[index::2] for index, half in enumerate(HALVES)}
    for half in HALVES:
        more = _of_stock(stock / half.replace(" ", "-"), most_photographs) if stock else []
        yield from _photographs(half, photographs[half] + more)
        yield from _objects(half)
        yield from _faces(half)
        yield from _art(half)


def _of_skimage() -> Iterator[tuple[str, Image.Image]]:
    folder = Path(skimage.data.__file__).parent
    for name in _PHOTOGRAPHS:
        if (folder / name).exists():
            yield name, _sized(decode(folder / name))


def _of_stock(folder: Path, most: int) -> list[tuple[str, Image.Image]]:
    from benchmarks.stock_photographs import find_stock_photographs

    found = sorted(find_stock_photographs(folder).items())
    step = max(1, len(found) // most)
    return [(name, _sized(picture)) for name, picture in found[::step][:most]]


def _sized(picture: Image.Image) -> Image.Image:
    plain = flatten(picture)
    scale = EDGE_PX / max(plain.size)
    return plain.resize((round(plain.width * scale), round(plain.height * scale)), Image.Resampling.LANCZOS)


def _photographs(half: str, found: list[tuple[str, Image.Image]]) -> Iterator[Sample]:
    for index, (name, picture) in enumerate(found):
        chance = np.random.default_rng(index)
        others = {"another picture": found[index - 1][1].resize(picture.size)}
        if _is_colourful(picture):
            others["recoloured"] = recoloured(picture, chance)
        others["an object more"] = _with_object(half, picture, chance)
        yield Sample(half, "photograph", name, picture, others)
        if index % 2 == 0:
            yield from _with_text(Sample(half, "photograph", f"{name} with text", picture, {}), index)


def _is_colourful(picture: Image.Image) -> bool:
    return float(np.asarray(picture, float).std(axis=2).mean()) > 10


def _with_object(half: str, picture: Image.Image, chance: np.random.Generator) -> Image.Image:
    glyphs = _glyphs(half)[: len(_split(_OBJECTS[half]))]
    found = picture.copy()
    edge = round(max(picture.size) * chance.uniform(0.12, 0.22))
    left, top = (int(chance.integers(room - edge)) for room in picture.size)
    glyph = glyphs[int(chance.integers(len(glyphs)))].resize((edge, edge), Image.Resampling.LANCZOS)
    found.paste(glyph, (left, top), glyph)
    return found


@cache
def _glyphs(half: str) -> list[Image.Image]:
    font = ImageFont.truetype(_EMOJI_FONT, _EMOJI_PX)
    found = []
    for text in _split(_OBJECTS[half] + _FACES[half]):
        glyph = Image.new("RGBA", (136, 128), (0, 0, 0, 0))
        ImageDraw.Draw(glyph).text((0, 0), text, font=font, embedded_color=True)
        found.append(glyph.crop(glyph.getbbox()).resize((384, 384), Image.Resampling.BICUBIC))
    return found


def _split(text: str) -> list[str]:
    return [character for character in text if ord(character) != 0xFE0F]


def _objects(half: str) -> Iterator[Sample]:
    for index in range(20):
        chance = np.random.default_rng((7, index, HALVES.index(half)))
        chosen = [int(each) for each in chance.choice(len(_split(_OBJECTS[half])), 4, replace=False)]
        count = 1 + index % 3
        scene = _Still(half, chosen[:count], _places(count, chance), _ground(chance))
        others = {
            "another picture": _Still(
                half, chosen[:count], _places(count, chance, far=True), scene.ground
            ).draw(),
            "another object": _Still(
                half, [*chosen[: count - 1], chosen[3]], scene.places, scene.ground
            ).draw(),
            "an object more": _Still(
                half, [*scene.glyphs, chosen[0]], [*scene.places, (0.78, 0.2, 0.2)], scene.ground
            ).draw(),
            "recoloured": recoloured(scene.draw(), chance),
        }
        if count > 1:
            others["an object less"] = _Still(half, scene.glyphs[:-1], scene.places[:-1], scene.ground).draw()
        sample = Sample(half, "object", f"still life {index}", scene.draw(), others)
        yield sample
        if index % 3 == 0:
            yield from _with_text(
                Sample(half, "object", f"{sample.name} with text", sample.picture, {}), index
            )


def _faces(half: str) -> Iterator[Sample]:
    """Draw one nearly symmetrical thing in the middle, and the next one at its place."""
    first = len(_split(_OBJECTS[half]))
    for index in range(len(_FACES[half])):
        chance = np.random.default_rng((13, index, HALVES.index(half)))
        place = (0.5 + float(chance.uniform(-0.02, 0.02)), 0.5, float(chance.uniform(0.35, 0.6)))
        ground = _ground(chance)
        face, other = (
            _Still(half, [first + each % len(_FACES[half])], [place], ground) for each in (index, index + 1)
        )
        yield Sample(half, "object", f"face {index}", face.draw(), {"another object": other.draw()})


@dataclass(frozen=True)
class _Still:
    """Objects on a plain ground: glyphs, their places (middle x, middle y, size in shares), the ground."""

    half: str
    glyphs: list[int]
    places: list[tuple[float, float, float]]
    ground: NDArray[np.uint8]

    def draw(self) -> Image.Image:
        picture = Image.fromarray(self.ground)
        for glyph, (x, y, size) in zip(self.glyphs, self.places, strict=True):
            edge = round(size * EDGE_PX)
            drawn = _glyphs(self.half)[glyph].resize((edge, edge), Image.Resampling.LANCZOS)
            left, top = round(x * EDGE_PX - edge / 2), round(y * EDGE_PX - edge / 2)
            shade = Image.new("L", picture.size, 0)
            shade.paste(drawn.getchannel("A").point(lambda level: level * 0.35), (left + 8, top + 14))
            shade = shade.filter(ImageFilter.GaussianBlur(10))
            picture.paste((40, 36, 34), (0, 0), shade)
            picture.paste(drawn, (left, top), drawn)
        return picture


def _places(
    count: int, chance: np.random.Generator, *, far: bool = False
) -> list[tuple[float, float, float]]:
    spread = [[(0.5, 0.5)], [(0.3, 0.55), (0.68, 0.5)], [(0.25, 0.6), (0.55, 0.45), (0.78, 0.65)]][count - 1]
    size = (0.5, 0.32, 0.24)[count - 1]
    jitter = chance.uniform(-0.02, 0.02, (count, 2))
    if far:
        turn = chance.uniform(0.1, 0.16, (count, 2)) * chance.choice([-1, 1], (count, 2))
        jitter = jitter + turn
        size *= float(chance.uniform(0.75, 0.85))
    return [(x + dx, y + dy, size) for (x, y), (dx, dy) in zip(spread, jitter, strict=True)]


def _ground(chance: np.random.Generator) -> NDArray[np.uint8]:
    low, high = chance.integers(120, 235, 3), chance.integers(190, 250, 3)
    ramp = np.linspace(0, 1, EDGE_PX)[:, None, None]
    ground = low + (high - low) * np.broadcast_to(ramp, (EDGE_PX, EDGE_PX, 1))
    return (ground + chance.normal(0, 1, ground.shape)).clip(0, 255).astype(np.uint8)


def _art(half: str) -> Iterator[Sample]:
    for prompt_index, prompt in enumerate(_PROMPTS[half]):
        drafts = [_painted(prompt, seed) for seed in range(4)]
        for index, draft in enumerate(drafts):
            chance = np.random.default_rng((11, prompt_index, index))
            others = {
                "another picture": drafts[index - 1],
                "an object more": _with_object(half, draft, chance),
            }
            if _is_colourful(draft):
                others["recoloured"] = recoloured(draft, chance)
            name = f"{prompt.split(',')[0]} {index}"
            yield Sample(half, "art", name, draft, others, prompt)
            if index == 0:
                yield from _with_text(
                    Sample(half, "art", f"{name} with text", draft, {}, prompt), prompt_index
                )


@cache
def _painted(prompt: str, seed: int) -> Image.Image:
    scene = paint_scene(prompt, seed, (EDGE_PX, EDGE_PX), "low", bare=False)
    return as_image(scene.pixels).convert("RGB").resize((EDGE_PX, EDGE_PX))


def _with_text(sample: Sample, index: int) -> Iterator[Sample]:
    line, changed = _LINES[index % len(_LINES)]
    pictures = [_lettered(sample.picture, text, index) for text in (line, changed)]
    others = {"one changed word": pictures[1]}
    yield Sample(sample.half, sample.kind, sample.name, pictures[0], others, sample.prompt)


def _lettered(picture: Image.Image, text: str, index: int) -> Image.Image:
    found = picture.copy()
    pen = ImageDraw.Draw(found)
    size = round(max(picture.size) * (0.055, 0.07, 0.09)[index % 3])
    font = ImageFont.load_default(size)
    at = (picture.width // 12, (picture.height // 12, picture.height * 4 // 5)[index % 2])
    fill, edge = (("white", "black"), ("#1c2430", "white"))[index // 2 % 2]
    pen.text(at, text, fill=fill, font=font, stroke_width=max(1, size // 18), stroke_fill=edge)
    return found


def recoloured(picture: Image.Image, chance: np.random.Generator) -> Image.Image:
    """Turn all hues by a third of the circle or more."""
    hue, saturation, value = picture.convert("HSV").split()
    turn = int(chance.integers(80, 176))
    turned = hue.point(lambda level: (level + turn) % 256)
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")


def lost(sample: Sample) -> dict[str, Image.Image]:
    """List what is another picture than the sample, each as it is."""
    mirrored = sample.picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return {**sample.others, "mirrored": mirrored}
