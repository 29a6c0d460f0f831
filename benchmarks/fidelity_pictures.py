"""Pictures for the benchmark of fidelity: photographs, objects on plain grounds and art, in two halves.

Photographs come from scikit-image's wheel and, where their folder is given, from web templates (see
``benchmarks/stock_photographs.py``). Objects are drawn from a colour-emoji font, which Debian packages as
``fonts-noto-color-emoji``. Art is the emulator's. A few of each carry a line of text.

Changes are of two kinds. ``KEPT`` are what an editing model does to a picture that it redraws faithfully;
``lost`` lists what makes it another picture, and ``slightly`` redraws that too, as such a model would.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from tasks.emulator.painting.retouch import as_image, repaint
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
_EMOJI_FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
_EMOJI_PX = 109
_OBJECTS = {
    "fitted": "👟🎒🧸🪑🚲📷🍎🥐🧦🎸🪴⌚🧴🍷🐶🦊",
    "held out": "👠👜🚗🛋️⏰🎧🍋🍩🧢🎻🌵💍🕯️🍺🐱🐸",
}
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
    glyphs = _glyphs(half)
    found = picture.copy()
    edge = round(max(picture.size) * chance.uniform(0.12, 0.22))
    left, top = (int(chance.integers(room - edge)) for room in picture.size)
    glyph = glyphs[int(chance.integers(len(glyphs)))].resize((edge, edge), Image.Resampling.LANCZOS)
    found.paste(glyph, (left, top), glyph)
    return found


@cache
def _glyphs(half: str) -> list[Image.Image]:
    font = ImageFont.truetype(str(_EMOJI_FONT), _EMOJI_PX)
    found = []
    for text in _split(_OBJECTS[half]):
        glyph = Image.new("RGBA", (136, 128), (0, 0, 0, 0))
        ImageDraw.Draw(glyph).text((0, 0), text, font=font, embedded_color=True)
        found.append(glyph.crop(glyph.getbbox()).resize((384, 384), Image.Resampling.BICUBIC))
    return found


def _split(text: str) -> list[str]:
    return [character for character in text if ord(character) != 0xFE0F]


def _objects(half: str) -> Iterator[Sample]:
    for index in range(20):
        chance = np.random.default_rng((7, index, HALVES.index(half)))
        chosen = [int(each) for each in chance.choice(len(_glyphs(half)), 4, replace=False)]
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


def zoomed(picture: Image.Image, factor: float, shift: tuple[float, float] = (0, 0)) -> Image.Image:
    """Enlarge around the middle and move; shares of each edge. What lies outside is continued by a mirror."""
    width, height = picture.size
    x, y = (1 - factor) * width / 2 + shift[0] * width, (1 - factor) * height / 2 + shift[1] * height
    matrix = np.array([[factor, 0, x], [0, factor, y]])
    pixels = cv2.warpAffine(
        np.asarray(picture), matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return Image.fromarray(np.asarray(pixels, np.uint8))


def redrawn(picture: Image.Image, amount: float, chance: np.random.Generator) -> Image.Image:
    """Move every part by up to a share of the edge, on its own, and draw its fine texture anew."""
    edge = max(picture.size)
    pixels = np.asarray(picture)
    flow = _field(pixels.shape[:2], 0.04 * edge, amount * edge, chance)
    flow += _field(pixels.shape[:2], 0.012 * edge, amount * edge / 4, chance)
    across, down = np.meshgrid(np.arange(picture.width), np.arange(picture.height))
    x, y = ((grid + flow[..., axis]).astype(np.float32) for axis, grid in enumerate((across, down)))
    moved = cv2.remap(pixels, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    finer = Image.fromarray(np.asarray(moved, np.uint8)).filter(ImageFilter.MedianFilter(3))
    finer = finer.filter(ImageFilter.UnsharpMask(2, 90, 2))
    grain = chance.normal(0, 3, (*pixels.shape[:2], 1))
    return Image.fromarray(np.clip(np.asarray(finer) + grain, 0, 255).astype(np.uint8))


def _field(
    shape: tuple[int, ...], smooth_px: float, most_px: float, chance: np.random.Generator
) -> NDArray[np.float64]:
    noise = chance.normal(0, 1, (*shape[:2], 2))
    field = cv2.GaussianBlur(noise, (0, 0), smooth_px)
    length = float(np.hypot(field[..., 0], field[..., 1]).max())
    return np.asarray(field * (most_px / length), np.float64)


def toned(picture: Image.Image, brightness: float, contrast: float, warmth: float) -> Image.Image:
    """Change brightness and contrast by factors, and red and blue by opposite shares."""
    changed = ImageEnhance.Contrast(ImageEnhance.Brightness(picture).enhance(brightness)).enhance(contrast)
    pixels = np.asarray(changed, float) * [1 + warmth, 1, 1 - warmth]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def recoloured(picture: Image.Image, chance: np.random.Generator) -> Image.Image:
    """Turn all hues by a third of the circle or more."""
    hue, saturation, value = picture.convert("HSV").split()
    turn = int(chance.integers(80, 176))
    turned = hue.point(lambda level: (level + turn) % 256)
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")


def _sign(chance: np.random.Generator) -> int:
    return 1 if chance.random() < 0.5 else -1


def _finer(picture: Image.Image, _chance: np.random.Generator) -> Image.Image:
    larger = picture.resize((picture.width * 3 // 2, picture.height * 3 // 2), Image.Resampling.LANCZOS)
    return larger.filter(ImageFilter.UnsharpMask(3, 120, 2))


def _shift(chance: np.random.Generator, most: float) -> tuple[float, float]:
    angle = chance.uniform(0, 2 * np.pi)
    return most * float(np.cos(angle)), most * float(np.sin(angle))


def _edited(picture: Image.Image, chance: np.random.Generator) -> Image.Image:
    stream = io.BytesIO()
    picture.save(stream, "PNG", compress_level=1)
    size = picture.width * 3 // 2, picture.height * 3 // 2
    return repaint(stream.getvalue(), "the same in fine detail", int(chance.integers(99)), size, "high")


def _mixed(picture: Image.Image, chance: np.random.Generator) -> Image.Image:
    moved = zoomed(picture, 1 + 0.04 * _sign(chance), _shift(chance, 0.01))
    return toned(redrawn(moved, 0.007, chance), 1.0, 1.0, 0.05)


def _everything(picture: Image.Image, chance: np.random.Generator) -> Image.Image:
    moved = zoomed(picture, 1 + 0.06 * _sign(chance), _shift(chance, 0.03))
    tone = 1 + 0.07 * _sign(chance), 1 + 0.06 * _sign(chance), 0.06 * _sign(chance)
    return toned(redrawn(moved, 0.008, chance), *tone)


KEPT: dict[str, Change] = {
    "drawn finer": _finer,
    "the emulator's edit": _edited,
    "zoom 8 %": lambda picture, _chance: zoomed(picture, 1.08),
    "zoom -8 %": lambda picture, _chance: zoomed(picture, 1 / 1.08),
    "shift 4 %": lambda picture, chance: zoomed(picture, 1, _shift(chance, 0.04)),
    "brightness 10 %": lambda picture, chance: toned(picture, 1 + 0.1 * _sign(chance), 1, 0),
    "contrast 10 %": lambda picture, chance: toned(picture, 1, 1 + 0.1 * _sign(chance), 0),
    "white balance 10 %": lambda picture, chance: toned(picture, 1, 1, 0.1 * _sign(chance)),
    "redrawn 0.5 %": lambda picture, chance: redrawn(picture, 0.005, chance),
    "redrawn 1 %": lambda picture, chance: redrawn(picture, 0.01, chance),
    "zoom 4 %, shift 1 %, warmer, redrawn 0.7 %": _mixed,
    "zoom 6 %, shift 3 %, tone 7 %, redrawn 0.8 %": _everything,
}


def slightly(picture: Image.Image, chance: np.random.Generator) -> Image.Image:
    """Redraw as an editing model does at least."""
    moved = zoomed(picture, 1 + 0.02 * _sign(chance), _shift(chance, 0.01))
    return toned(redrawn(moved, 0.004, chance), 1.02, 1, 0.03)


def lost(sample: Sample) -> dict[str, Image.Image]:
    """List what is another picture than the sample, each as it is."""
    mirrored = sample.picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return {**sample.others, "mirrored": mirrored}
