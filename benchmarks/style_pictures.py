"""Undamaged pictures of many styles, photographs and art, to see which style a score holds for a fault.

Photographs are scikit-image's own and, where given, those of ``stock_photographs.py``. Objects are colour
emoji, which Debian packages as fonts-noto-color-emoji. Art is the emulator's, and washes, posters and lines
drawn here. Nothing is blurred as a whole, compressed or clipped by accident: what is soft, bright, dark or
grainy is so on purpose.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from scipy.ndimage import gaussian_filter

from benchmarks.dedup_pictures import emoji
from tasks.emulator.painting.retouch import as_image
from tasks.emulator.painting.scene import paint_scene

EDGE_PX = 768
FIRST_EMOJI, LAST_EMOJI = 0x1F300, 0x1FAFF
SUBJECTS = (
    "a fox in a forest", "a lighthouse at sunset", "a red mug on a table", "a castle in the snow",
    "a sailing boat at night", "a cat in a meadow", "a vase of flowers", "a mountain hut at dawn",
)  # fmt: skip
PAPER_LEVELS = 3.0
GAMMAS = np.geomspace(0.25, 4, 60)

Levels = NDArray[np.float64]
Style = Callable[[random.Random, "Sources"], Image.Image]


class Sources:
    """What styles are made from.

    Args:
        photographs: By name.
        font_file: The font of colour emoji.
    """

    def __init__(self, photographs: Mapping[str, Image.Image], font_file: Path) -> None:
        """Keep them; emoji are drawn when they are needed."""
        self._photographs = [photographs[name] for name in sorted(photographs)]
        self._font_file = font_file

    def photograph(self, chance: random.Random) -> Image.Image:
        """Choose a photograph, cut to a square."""
        one = chance.choice(self._photographs)
        edge = min(one.size)
        left, top = (one.width - edge) // 2, (one.height - edge) // 2
        square = one.crop((left, top, left + edge, top + edge))
        return square.resize((EDGE_PX, EDGE_PX), Image.Resampling.LANCZOS) if edge > EDGE_PX else square

    def an_object(self, chance: random.Random) -> Image.Image:
        """Draw an emoji, RGBA, as large as the font has it."""
        while True:
            found = emoji(chance.randrange(FIRST_EMOJI, LAST_EMOJI), self._font_file)
            if found is not None and min(found.size) > 60:
                return found

    def cut_out(self, chance: random.Random) -> Image.Image:
        """Cut an object out of its ground, RGBA: a round photograph, or a product of the emulator."""
        if chance.random() < 0.5:
            picture = self.photograph(chance).convert("RGBA")
            disc = Image.new("L", picture.size)
            ImageDraw.Draw(disc).ellipse((1, 1, picture.width - 2, picture.height - 2), fill=255)
            picture.putalpha(disc)
            return picture
        product = chance.choice(("bottle", "sneaker", "mug", "armchair", "watch", "lamp", "vase"))
        scene = paint_scene(
            f"a {product}, photograph", chance.randrange(10**6), (EDGE_PX,) * 2, "medium", bare=True
        )
        picture = as_image(scene.pixels).convert("RGBA")
        picture.putalpha(Image.fromarray((scene.cover * 255).astype(np.uint8)).resize(picture.size))
        return picture.crop(picture.getchannel("A").point(lambda alpha: 255 * (alpha > 32)).getbbox())


def plain(chance: random.Random, sources: Sources) -> Image.Image:
    """A photograph as it is."""
    return sources.photograph(chance)


def high_key(chance: random.Random, sources: Sources) -> Image.Image:
    """A bright photograph: blacks lifted a little, the mean at three quarters, nothing clipped."""
    return _image(0.1 + 0.88 * _with_mean(chance, sources, (0.7, 0.82)))


def low_key(chance: random.Random, sources: Sources) -> Image.Image:
    """A dark photograph, the mean at a sixth, with its lights."""
    return _image(_with_mean(chance, sources, (0.12, 0.2)))


def on_white(chance: random.Random, sources: Sources) -> Image.Image:
    """A product on pure white, as a shop wants it."""
    return _on_ground(sources.cut_out(chance), (255, 255, 255), chance)


def on_light_grey(chance: random.Random, sources: Sources) -> Image.Image:
    """A product on a light sweep with a soft shadow."""
    level = chance.randint(215, 240)
    return _on_ground(sources.cut_out(chance), (level,) * 3, chance, shadow=60)


def object_on_white(chance: random.Random, sources: Sources) -> Image.Image:
    """A drawn object on pure white; not enlarged, which would make it soft."""
    drawn = sources.an_object(chance)
    edge_px = round(max(drawn.size) / chance.uniform(0.35, 0.75))
    picture = Image.new("RGB", (edge_px, edge_px), "white")
    picture.paste(drawn, ((edge_px - drawn.width) // 2, (edge_px - drawn.height) // 2), drawn)
    return picture


def silhouette(chance: random.Random, sources: Sources) -> Image.Image:
    """A black shape before the light."""
    warm, fall = np.array([chance.uniform(200, 255), chance.uniform(110, 200), chance.uniform(40, 120)]), 0.5
    sky = np.linspace(fall, 1, EDGE_PX)[:, None, None] * np.tile(warm, (1, EDGE_PX, 1))
    picture = Image.fromarray(sky.astype(np.uint8))
    ImageDraw.Draw(picture).rectangle((0, round(EDGE_PX * 0.82), EDGE_PX, EDGE_PX), fill=(6, 5, 8))
    shape = sources.an_object(chance)
    shape = shape.resize((round(EDGE_PX * chance.uniform(0.35, 0.6)),) * 2, Image.Resampling.BICUBIC)
    place = (chance.randint(60, EDGE_PX - shape.width - 60), round(EDGE_PX * 0.84) - shape.height)
    picture.paste((6, 5, 8), place, shape.getchannel("A"))
    return picture


def bokeh(chance: random.Random, sources: Sources) -> Image.Image:
    """A sharp subject before a ground far out of focus."""
    ground = sources.photograph(chance).resize((EDGE_PX, EDGE_PX))
    ground = ground.filter(ImageFilter.GaussianBlur(chance.uniform(14, 28)))
    subject = sources.cut_out(chance)
    share = chance.uniform(0.3, 0.5)
    scale = share * EDGE_PX / max(subject.size)
    subject = subject.resize((round(subject.width * scale), round(subject.height * scale)))
    ground.paste(subject, (chance.randint(60, EDGE_PX // 2), EDGE_PX // 3), subject)
    return ground


def film_grain(chance: random.Random, sources: Sources) -> Image.Image:
    """A photograph on fast film: grain a little coarser than a pixel, strongest in the mid-tones."""
    levels = _levels(sources.photograph(chance))
    rng = np.random.default_rng(chance.randrange(10**6))
    coarse = gaussian_filter(rng.normal(0, 1, levels.shape[:2]), 0.8)
    tone = levels.mean(axis=2)
    strength = chance.uniform(9, 18) / 255 * (0.5 + 2 * tone * (1 - tone)) / float(coarse.std())
    return _image(levels + (coarse * strength)[..., None])


def pale_wash(chance: random.Random, _: Sources) -> Image.Image:
    """Pale washes on rough paper; as paint dries, their rims are soft by a pixel or two."""
    return _washes(chance, ink=(120, 235), rim_px=1)


def watercolour(chance: random.Random, _: Sources) -> Image.Image:
    """A watercolour, the emulator's or of forty washes."""
    if chance.random() < 0.5:
        return _washes(chance, ink=(20, 220), rim_px=1)
    return _painted("watercolour", chance)


def flat_illustration(chance: random.Random, _: Sources) -> Image.Image:
    """A poster of a few plain colours."""
    if chance.random() < 0.5:
        return _painted("flat poster", chance)
    picture = Image.new("RGB", (EDGE_PX,) * 2, _colour(chance, 150, 250))
    draw, unit = ImageDraw.Draw(picture), EDGE_PX / 10
    for _number in range(chance.randint(4, 9)):
        x, y, reach = chance.uniform(0, 9), chance.uniform(0, 9), chance.uniform(1, 4)
        corners = tuple(round(edge * unit) for edge in (x, y, x + reach, y + reach))
        shape = chance.choice((draw.ellipse, draw.rectangle))
        shape(corners, fill=_colour(chance, 10, 245))
    return picture


def line_art(chance: random.Random, _: Sources) -> Image.Image:
    """Black lines on white or cream."""
    picture = Image.new("RGB", (EDGE_PX,) * 2, chance.choice(["white", "#f6f0e2"]))
    draw = ImageDraw.Draw(picture)
    for _number in range(chance.randint(15, 50)):
        corner = [chance.uniform(0, 0.5) * EDGE_PX for _axis in range(2)]
        far = [chance.uniform(0.5, 1) * EDGE_PX for _axis in range(2)]
        draw.arc((*corner, *far), 0, chance.uniform(60, 360), fill="#15151a", width=chance.randint(2, 5))
    return picture


def painted(chance: random.Random, _: Sources) -> Image.Image:
    """A scene of the emulator in one of its other styles."""
    return _painted(
        chance.choice(("oil painting", "gouache", "ink sketch", "3d render", "photograph")), chance
    )


STYLES: Mapping[str, Style] = {
    "photograph": plain,
    "high key": high_key,
    "low key": low_key,
    "packshot on white": on_white,
    "packshot on light grey": on_light_grey,
    "drawn object on white": object_on_white,
    "silhouette": silhouette,
    "bokeh": bokeh,
    "film grain": film_grain,
    "pale wash": pale_wash,
    "watercolour": watercolour,
    "flat illustration": flat_illustration,
    "line art": line_art,
    "painted scene": painted,
}


def make(style: str, sources: Sources, count: int, first: int = 0) -> Iterator[Image.Image]:
    """Make pictures of one style.

    Args:
        style: A key of ``STYLES``.
        sources: What they are made from.
        count: How many.
        first: Number of the first; the same number makes the same picture.
    """
    for number in range(first, first + count):
        yield STYLES[style](random.Random(f"{style} {number}"), sources)


def _levels(picture: Image.Image) -> Levels:
    return np.asarray(picture.convert("RGB")) / 255


def _image(levels: Levels) -> Image.Image:
    return Image.fromarray(np.round(np.clip(levels, 0, 1) * 255).astype(np.uint8))


def _with_mean(chance: random.Random, sources: Sources, means: tuple[float, float]) -> Levels:
    """Move a photograph's mid-tones by gamma; one on a white ground, which stays bright, is passed over."""
    while True:
        levels, mean = _levels(sources.photograph(chance)), chance.uniform(*means)
        small = levels[::8, ::8]
        gamma = min(GAMMAS, key=lambda power: abs(float((small**power).mean()) - mean))
        if abs(float((small**gamma).mean()) - mean) < 0.05:
            moved: Levels = levels**gamma
            return moved


def _on_ground(
    subject: Image.Image, ground: tuple[int, ...], chance: random.Random, shadow: int = 0
) -> Image.Image:
    picture = Image.new("RGB", (EDGE_PX,) * 2, ground)
    scale = chance.uniform(0.35, 0.75) * EDGE_PX / max(subject.size)
    size = (round(subject.width * scale), round(subject.height * scale))
    subject = subject.resize(size, Image.Resampling.LANCZOS)
    left, top = (EDGE_PX - size[0]) // 2, (EDGE_PX - size[1]) // 2
    if shadow:
        shade, foot = Image.new("L", picture.size), top + size[1]
        ImageDraw.Draw(shade).ellipse((left, foot - 24, left + size[0], foot + 24), fill=shadow)
        picture.paste((70, 70, 74), (0, 0), shade.filter(ImageFilter.GaussianBlur(14)))
    picture.paste(subject, (left, top), subject)
    return picture


def _washes(chance: random.Random, ink: tuple[int, int], rim_px: int) -> Image.Image:
    rng = np.random.default_rng(chance.randrange(10**6))
    picture = Image.new("RGB", (EDGE_PX,) * 2, (250, 247, 240))
    for _number in range(chance.randint(15, 40)):
        wash = Image.new("L", picture.size, 0)
        (x, y), reach = rng.uniform(0.1, 0.9, 2) * EDGE_PX, rng.uniform(0.05, 0.2) * EDGE_PX
        angles, radii = np.arange(12) * np.pi / 6, reach * rng.uniform(0.6, 1.3, 12)
        rim = np.stack([x + radii * np.cos(angles), y + radii * np.sin(angles)], axis=1)
        ImageDraw.Draw(wash).polygon([tuple(point) for point in rim.tolist()], fill=int(rng.uniform(60, 150)))
        picture.paste(_colour(chance, *ink), mask=wash.filter(ImageFilter.GaussianBlur(rim_px)))
    paper = gaussian_filter(rng.normal(0, 1, (EDGE_PX, EDGE_PX)), 1.5)
    return _image(_levels(picture) + (paper / paper.std() * PAPER_LEVELS / 255)[..., None])


def _painted(style: str, chance: random.Random) -> Image.Image:
    prompt = f"{chance.choice(SUBJECTS)}, {style}"
    return as_image(paint_scene(prompt, chance.randrange(10**6), (EDGE_PX,) * 2, "high").pixels)


def _colour(chance: random.Random, low: int, high: int) -> tuple[int, int, int]:
    red, green, blue = (chance.randint(low, high) for _channel in range(3))
    return red, green, blue
