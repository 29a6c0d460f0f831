"""Pictures for the benchmark of deduplication, the edits that leave them the same, and those that do not.

Photographs are those of ``benchmarks/dedup_photographs.py``. Objects on plain grounds are drawn from a font
of colour emoji, which Debian packages as fonts-noto-color-emoji; lettering is set in DejaVu.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

from benchmarks.dedup_photographs import EDGE_PX, cut, encode_as_jpeg
from tasks.emulator.painting.retouch import as_image
from tasks.emulator.painting.scene import paint_scene
from tasks.pictures.decoding import shrink
from tests.support.edited_pictures import Edit, grainy

FIRST_EMOJI, LAST_EMOJI = 0x1F300, 0x1FAFF
FACES = range(0x1F600, 0x1F630)
EMOJI_PX = 109
"""The only size at which the font has its bitmaps."""

WORDS = (
    "quiet", "river", "amber", "lantern", "garden", "velvet", "copper", "winter",
    "silver", "morning", "harbour", "island", "orchard", "thunder", "marble",
    "saffron", "meadow", "canyon", "feather", "compass",
)  # fmt: skip
FONTS = ("DejaVuSans.ttf", "DejaVuSerif-Bold.ttf", "DejaVuSansMono.ttf")
LETTERS_PX = (56, 120)
SCENES = (
    "A baby sea otter swimming on its back, watercolour", "A sailing boat at sunset", "A red mug on a table",
    "A mountain hut under the stars at night", "A lighthouse on a rocky coast",
)  # fmt: skip


def scaled(factor: float) -> Edit:
    """Resize both edges."""
    return lambda one: one.resize(
        (round(one.width * factor), round(one.height * factor)), Image.Resampling.LANCZOS
    )


def brighter(factor: float) -> Edit:
    """Multiply every level."""
    return lambda one: ImageEnhance.Brightness(one).enhance(factor)


def contrasting(factor: float) -> Edit:
    """Spread the levels around their mean."""
    return lambda one: ImageEnhance.Contrast(one).enhance(factor)


def compressed(quality: int) -> Edit:
    """Compress as JPEG."""
    return lambda one: encode_as_jpeg(one, quality)


def cropped(left: float = 0, top: float = 0, right: float = 0, bottom: float = 0) -> Edit:
    """Cut shares of the edges off."""
    return lambda one: cut(one, left, top, 1 - right, 1 - bottom)


def moved(share: float) -> Edit:
    """Move what is shown to the right and down; the ground is continued."""

    def edit(one: Image.Image) -> Image.Image:
        by_px = round(share * max(one.size))
        levels = np.asarray(one)
        padded = np.pad(levels, ((by_px, 0), (by_px, 0), (0, 0)), mode="edge")
        return Image.fromarray(padded[: one.height, : one.width])

    return edit


def with_profile(one: Image.Image) -> Image.Image:
    """Convert a picture to L*a*b* by their profiles, and back, 8 bits."""
    there = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    back = ImageCms.buildTransform(
        ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
    )
    between = ImageCms.applyTransform(one, there)
    assert between is not None
    found = ImageCms.applyTransform(between, back)
    assert found is not None
    return found


def in_turn(*edits: Edit) -> Edit:
    """Make several edits."""

    def edit(one: Image.Image) -> Image.Image:
        for each in edits:
            one = each(one)
        return one

    return edit


EDITS: dict[str, Edit] = {
    "JPEG 50": compressed(50),
    "JPEG 95": compressed(95),
    "half the size": scaled(0.5),
    "1.5 times the size": scaled(1.5),
    "15 % brighter": brighter(1.15),
    "15 % darker": brighter(0.85),
    "10 % more contrast": contrasting(1.1),
    "10 % less contrast": contrasting(0.9),
    "5 % off the left": cropped(left=0.05),
    "5 % off the top": cropped(top=0.05),
    "5 % off one corner": cropped(left=0.05, top=0.05),
    "5 % off the other": cropped(right=0.05, bottom=0.05),
    "5 % off every side": cropped(0.05, 0.05, 0.05, 0.05),
    "noise of 6 levels": grainy(6),
    "colour profile": with_profile,
    "moved by 0.4 %": moved(0.004),
    "mixed": in_turn(cropped(0.02, 0.03, 0, 0.01), scaled(0.7), brighter(1.1), compressed(60)),
    "mixed, clipped": in_turn(
        cropped(0, 0.05, 0.05, 0), contrasting(1.1), brighter(0.9), grainy(4), scaled(1.2), compressed(60)
    ),
}
"""What a picture stays the same under."""

OF_OTHERS: tuple[Edit, ...] = (compressed(80), EDITS["15 % brighter"], EDITS["mixed"])
"""What is done to the second of two pictures that differ."""

TURNED: dict[str, Edit] = {
    "mirrored": lambda one: encode_as_jpeg(one.transpose(Image.Transpose.FLIP_LEFT_RIGHT), 80),
    "turned by 90°": lambda one: encode_as_jpeg(one.transpose(Image.Transpose.ROTATE_90), 80),
    "turned by 180°": lambda one: encode_as_jpeg(one.transpose(Image.Transpose.ROTATE_180), 80),
    "mirrored, 3 % off one corner": lambda one: cropped(0.03, 0.03)(
        one.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    ),
}


def framed(colour: str, left: float, top: float, right: float, bottom: float, line: float = 0) -> Edit:
    """Put a border round a picture, reduced to the size it had and compressed.

    Args:
        colour: Of the border.
        left: Its width in shares of the longest edge; so the others.
        top: Above.
        right: Of the right one.
        bottom: Below.
        line: The width of a dark line between picture and border.
    """

    def edit(one: Image.Image) -> Image.Image:
        edge = max(one.size)
        lined = ImageOps.expand(one, round(line * edge), "#202020")
        widths = tuple(round(share * edge) for share in (left, top, right, bottom))
        whole = ImageOps.expand(lined, widths, colour)
        return encode_as_jpeg(shrink(whole, edge), 80)

    return edit


FRAMED: dict[str, Edit] = {
    "white margin of 10 %": framed("#ffffff", 0.1, 0.1, 0.1, 0.1),
    "black margin of 15 %": framed("#000000", 0.15, 0.15, 0.15, 0.15),
    "bars above and below": framed("#000000", 0, 0.16, 0, 0.16),
    "instant picture": framed("#f4f1ea", 0.06, 0.06, 0.06, 0.24),
    "mount with a line": framed("#e9e2d0", 0.12, 0.12, 0.12, 0.12, 0.012),
}


def night(one: Image.Image) -> Image.Image:
    """Make a night of a picture: a sixth of its levels."""
    return brighter(1 / 6)(one)


def snow(one: Image.Image) -> Image.Image:
    """Make snow of a picture: nearly white, with a sixth of its contrast."""
    return Image.blend(one, Image.new("RGB", one.size, "#f4f6fa"), 5 / 6)


def emoji(code: int, font_file: Path) -> Image.Image | None:
    """Draw one, cropped; ``None`` if the font has none or one without colour."""
    font = ImageFont.truetype(str(font_file), EMOJI_PX)
    drawn = Image.new("RGBA", (136, 128))
    ImageDraw.Draw(drawn).text((0, 0), chr(code), font=font, embedded_color=True)
    levels = np.asarray(drawn)
    seen = levels[..., 3] > 0
    return drawn.crop(drawn.getbbox()) if seen.any() and levels[seen][:, :3].std() > 5 else None


def on_ground(objects: list[Image.Image], chance: random.Random, share: float) -> Image.Image:
    """Put objects in a row on a plain sweep, with soft shadows.

    Args:
        objects: RGBA.
        chance: Chooses the ground and the place.
        share: The size of one, in shares of the edge.
    """
    lightness = chance.uniform(150, 240)
    base = np.array([lightness + chance.uniform(-8, 8) for _ in range(3)])
    fall = np.linspace(0, chance.uniform(5, 30), EDGE_PX)[:, None, None]
    levels = np.tile(base - fall, (1, EDGE_PX, 1))
    ground = Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))
    middle, below = EDGE_PX // 2 + chance.randint(-60, 60), EDGE_PX // 2 + chance.randint(20, 160)
    width = round(EDGE_PX * share)
    for place, one in enumerate(objects):
        scale = width / max(one.size)
        drawn = one.resize((round(one.width * scale), round(one.height * scale)), Image.Resampling.BICUBIC)
        left = middle + round((place - len(objects) / 2) * width * 1.05)
        shadow = Image.new("L", ground.size)
        ellipse = (left, below - 25, left + drawn.width, below + 25)
        ImageDraw.Draw(shadow).ellipse(ellipse, fill=90)
        ground.paste((60, 60, 60), (0, 0), shadow.filter(ImageFilter.GaussianBlur(16)))
        ground.paste(drawn, (left, below - drawn.height), drawn)
    return ground


def objects(font_file: Path, count: int) -> dict[str, Image.Image]:
    """Draw objects on plain grounds."""
    chance = random.Random(1)
    codes = chance.sample(range(FIRST_EMOJI, LAST_EMOJI), LAST_EMOJI - FIRST_EMOJI)
    found: dict[str, Image.Image] = {}
    for code in codes:
        if len(found) < count and (one := emoji(code, font_file)):
            found[f"U+{code:X}"] = on_ground([one], chance, chance.uniform(0.3, 0.6))
    return found


def other_objects(font_file: Path, count: int) -> Iterator[tuple[str, Image.Image, Image.Image]]:
    """Yield pairs that differ in what stands on the same ground at the same place."""
    faces = [face for code in FACES if (face := emoji(code, font_file))]
    for number in range(count):
        chance = random.Random(number)
        one, other = chance.sample(faces, 2)
        for kind, some, others in (
            ("another face", [one], [other]),
            ("one more", [one] * (2 + number % 2), [one] * (3 + number % 2)),
            ("another colour", [one], [_turned_hue(one)]),
        ):
            share = 0.5 if len(others) == 1 else 0.2
            first, second = (on_ground(each, random.Random(number), share) for each in (some, others))
            yield kind, first, second


def _turned_hue(one: Image.Image) -> Image.Image:
    hue, saturation, value = one.convert("RGB").convert("HSV").split()
    turned = Image.merge("HSV", (hue.point(lambda level: (level + 85) % 256), saturation, value)).convert(
        "RGB"
    )
    turned.putalpha(one.getchannel("A"))
    return turned


def lettering(count: int) -> Iterator[tuple[str, Image.Image, Image.Image]]:
    """Yield pairs of pictures of words that differ in one letter, one word or one digit."""
    for number in range(count):
        chance = random.Random(100 + number)
        words = chance.sample(WORDS, chance.randint(2, 4))
        kind = ("one letter", "one word", "one digit")[number % 3]
        place = chance.randrange(len(words))
        if kind == "one digit":
            words[place] = f"{chance.randint(10, 99)}.{chance.randint(10, 99)}"
        others = list(words)
        others[place] = _changed(words, place, kind, chance)
        look = random.Random(number).random()
        first, second = (_written(each, look, random.Random(number)) for each in (words, others))
        yield kind, first, second


def _changed(words: list[str], place: int, kind: str, chance: random.Random) -> str:
    word = words[place]
    if kind == "one word":
        return chance.choice([each for each in WORDS if each not in words])
    letters = "0123456789" if kind == "one digit" else "abcdeghnosuxz"
    at = chance.choice([index for index, letter in enumerate(word) if letter != "."])
    new = chance.choice([letter for letter in letters if letter != word[at]])
    return word[:at] + new + word[at + 1 :]


def _written(words: list[str], darkness: float, chance: random.Random) -> Image.Image:
    light, dark = ([chance.randint(low, low + 70) for _ in range(3)] for low in (180, 5))
    ground, ink = (light, dark) if darkness < 0.7 else (dark, light)
    font = ImageFont.truetype(chance.choice(FONTS), chance.randint(*LETTERS_PX))
    picture = Image.new("RGB", (EDGE_PX, EDGE_PX), tuple(ground))
    ImageDraw.Draw(picture).multiline_text(
        (chance.randint(60, 160), EDGE_PX // 2),
        "\n".join(words),
        font=font,
        fill=tuple(ink),
        anchor="lm",
        spacing=24,
    )
    return picture


def flats(count: int) -> Iterator[tuple[str, Image.Image, Image.Image]]:
    """Yield pairs of plain colours, 8 levels or more apart, and of gradients that run otherwise."""
    for number in range(count):
        chance = random.Random(number)
        colour = [chance.randint(10, 240) for _ in range(3)]
        other = list(colour)
        other[number % 3] += 8 if number % 2 else -8
        size = (EDGE_PX, EDGE_PX)
        yield (
            "another plain colour",
            Image.new("RGB", size, tuple(colour)),
            Image.new("RGB", size, tuple(other)),
        )
        ends = np.array([colour, [chance.randint(10, 240) for _ in range(3)]], float)
        ramp = np.linspace(0, 1, EDGE_PX)[:, None] * (ends[1] - ends[0]) + ends[0]
        down = np.repeat(ramp[:, None, :], EDGE_PX, axis=1).astype(np.uint8)
        yield "another gradient", Image.fromarray(down), Image.fromarray(down[::-1].copy())


def art(count: int) -> dict[str, Image.Image]:
    """Paint scenes as the emulator does."""
    return {
        f"scene {number}": as_image(
            paint_scene(SCENES[number % len(SCENES)], number, (EDGE_PX, EDGE_PX), "low").pixels
        ).convert("RGB")
        for number in range(count)
    }
