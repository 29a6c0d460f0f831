"""Light: the colours of sky, sun and shade at each hour, bent by the prompt's colours and mood."""

from dataclasses import dataclass, replace

import numpy as np

from tasks.emulator.painting.reading import Brief
from tasks.emulator.painting.texture import Chance, Floats, blend, colour, luminance


@dataclass(frozen=True, slots=True)
class Light:
    """The colours of an hour.

    Args:
        hour: Its name.
        zenith: Sky at the top.
        middle: Sky halfway down.
        horizon: Sky at the horizon.
        sun: The sun, or the moon.
        key: What lit sides turn towards.
        shade: What sides in shadow are multiplied by.
        haze: What distance fades into.
        sun_height: 0 on the horizon, 1 at the top.
        is_dark: Whether there are stars and lit windows.
        direction: Unit vector towards the light, x to the right, y down.
    """

    hour: str
    zenith: Floats
    middle: Floats
    horizon: Floats
    sun: Floats
    key: Floats
    shade: Floats
    haze: Floats
    sun_height: float
    is_dark: bool
    direction: tuple[float, float] = (-0.6, -0.8)


def _light(hour: str, colours: str, sun_height: float, is_dark: bool = False) -> Light:
    zenith, middle, horizon, sun, key, shade, haze = (colour(text) for text in colours.split())
    return Light(hour, zenith, middle, horizon, sun, key, shade, haze, sun_height, is_dark)


LIGHTS = {
    light.hour: light
    for light in (
        _light("dawn", "5f86b8 c9b7cf fbd9bd fff0d2 ffe6cf 8f8ab0 e9d3d3", 0.16),
        _light("noon", "2f7fc9 7fb8e6 d6ecf5 fffbe8 fff6df 7f93bd cfe3ee", 0.72),
        _light("golden", "4f86b5 e3b98f ffd79a fff1c4 ffdc9c 8a6f8c f3cfa0", 0.26),
        _light("dusk", "2b2f66 a4577f ff9a6b ffd29a ffb58a 5a4a86 d68a8c", 0.08),
        _light("night", "0a1230 182a57 3b5a8c f2f3e2 b9cdf2 3c4778 2b426f", 0.66, is_dark=True),
    )
}
OPEN_HOURS = ("dawn", "noon", "golden", "golden", "noon", "dusk")


def choose_light(brief: Brief, chance: Chance) -> Light:
    """The prompt's hour, or one that the replicate chooses; the sun stands left or right."""
    hour = brief.hour or OPEN_HOURS[int(chance.integers(len(OPEN_HOURS)))]
    light = LIGHTS[hour]
    side = -1.0 if chance.random() < 0.5 else 1.0
    lean = float(chance.uniform(0.35, 0.8))
    lift = float(np.clip(light.sun_height + chance.uniform(-0.06, 0.1), 0.03, 0.9))
    return replace(light, direction=(side * lean, -float(np.sqrt(1 - lean**2))), sun_height=lift)


def accents(brief: Brief, chance: Chance) -> list[Floats]:
    """Three colours for things: the prompt's own first, then ones that its words suggest."""
    own = [colour(text) for text in brief.colours[:3]]
    fallback = np.random.default_rng(brief.words_seed)
    sets = ("c8553d f2c57c 3d6b73", "2f6f73 f0b67f d65f4c", "6d597a e8a598 ffcdb2", "355070 e56b6f eaac8b",
            "3a5a40 dad7cd a3b18a", "1d5c73 f4d35e ee964b", "8c4a4a e0b589 4e7d74",
            "4a4e69 c9ada7 f2e9e4")  # fmt: skip
    chosen = [colour(text) for text in sets[int(fallback.integers(len(sets)))].split()]
    if chance.random() < 0.35 and not own:
        chosen = chosen[1:] + chosen[:1]
    return (own + chosen)[:3]


def grade(pixels: Floats, brief: Brief) -> Floats:
    """Bend a finished picture towards the prompt's colours and mood."""
    if brief.colours and brief.subject not in ("bottle", "shoe", "mug", "chair", "watch", "lamp", "vase"):
        tint = colour(brief.colours[0])
        tint = tint / max(float(luminance(tint)), 0.15)
        pixels = blend(pixels, luminance(pixels)[..., None] * tint, 0.06)
    if brief.mood is None:
        return pixels
    grey = luminance(pixels)[..., None]
    if brief.mood == "pastel":
        return blend(blend(grey, pixels, 0.72), np.ones(3, np.float32), 0.3)
    keep = {"muted": 0.55, "monochrome": 0.06, "vibrant": 1.35}[brief.mood]
    return np.asarray(grey + (pixels - grey) * keep, np.float32)
