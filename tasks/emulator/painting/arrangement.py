"""Arranges what one subject cannot show: several things side by side or one above another, and lettering."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tasks.emulator.painting.brush import Pose
from tasks.emulator.painting.contents import MOST_THINGS, SIDES, Contents, Thing
from tasks.emulator.painting.reading import COLOURS, SUBJECTS, Brief
from tasks.emulator.painting.texture import Floats, luminance

Figure = tuple[Brief, Pose]


def arrange(brief: Brief, contents: Contents, pose: Pose, width_px: int) -> Iterator[Figure]:
    """Yield each figure to draw: what it is, and where it stands.

    Args:
        brief: The prompt's brief; each figure has its own subject and colours.
        contents: What the picture shows.
        pose: Where a single subject would stand.
        width_px: The picture's width.
    """
    shown = [thing for thing in _ordered(contents) for _ in range(thing.count)][:MOST_THINGS]
    slot_px = width_px / max(1, len(shown))
    scale = min(pose.scale, slot_px * 0.85)
    for index, thing in enumerate(shown):
        x = slot_px * (index + 0.5) if len(shown) > 1 else pose.x
        yield (
            _brief_of(brief, thing),
            replace(pose, x=x, y=pose.y - _raised(contents, thing) * pose.scale, scale=scale),
        )


def _drawable(contents: Contents) -> list[Thing]:
    """List the things that the painter can draw, or the first where it knows none: grounds are no figures."""
    known = [thing for thing in contents.things if _subject_of(thing)]
    return known or list(contents.things[:1])


def _ordered(contents: Contents) -> list[Thing]:
    """Put things from left to right, as their places say."""
    found = _drawable(contents)
    for one, side, other in contents.places:
        names = [thing.name for thing in found]
        if side in ("left", "right") and one in names and other in names:
            first, second = (one, other) if side == "left" else (other, one)
            if names.index(first) > names.index(second):
                moved = found.pop(names.index(first))
                found.insert(names.index(second), moved)
    return found


def _raised(contents: Contents, thing: Thing) -> float:
    """By how much a thing stands higher, in units of the subject."""
    above = any(
        (side == "above" and one == thing.name) or (SIDES[side] == "above" and other == thing.name)
        for one, side, other in contents.places
    )
    return 0.45 if above else 0.0


def _subject_of(thing: Thing) -> str | None:
    return next((SUBJECTS[word] for word in reversed(thing.name.split()) if word in SUBJECTS), None)


def _brief_of(brief: Brief, thing: Thing) -> Brief:
    own = COLOURS.get(thing.colour or "") or None
    colours = (own,) if own else () if thing.colour else brief.colours
    return replace(brief, subject=_subject_of(thing) or "still_life", colours=colours, floats=False)


def with_lettering(pixels: Floats, texts: tuple[str, ...]) -> Floats:
    """Write texts across the top of a picture, one below another, dark on light or light on dark.

    Args:
        pixels: Colours in [0, 1], shape (height, width, 3).
        texts: The texts; what the built-in font lacks is drawn as a box.
    """
    if not texts:
        return pixels
    picture = Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))
    brush = ImageDraw.Draw(picture)
    width, height = picture.size
    is_light = float(luminance(pixels[: height // 3]).mean()) > 0.5
    top = height * 0.04
    for text in texts:
        size_px = min(height * 0.14, 1.6 * width * 0.9 / max(4, len(text)))
        font = ImageFont.load_default(max(6.0, size_px))
        brush.text((width / 2, top), text, fill=_INKS[is_light], font=font, anchor="ma")
        top += size_px * 1.25
    return np.asarray(picture, dtype=np.float32) / 255


_INKS = {True: "#151515", False: "#fafafa"}
