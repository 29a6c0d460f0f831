"""Places under the sky: sky, hills, water, meadow, forest, city, seen at a chosen hour."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from tasks.emulator.painting.brush import Layer, Pose, box, ellipse
from tasks.emulator.painting.texture import Chance, Floats, blend, clouds, colour, resized, ridge, smoothstep


@dataclass(frozen=True, slots=True)
class Stage:
    """A painted place.

    Args:
        layer: The picture so far.
        horizon_px: Row of the horizon.
        floor_px: Row where the subject stands.
        is_water: Whether the subject stands in water.
        is_studio: Whether the floor mirrors the subject.
    """

    layer: Layer
    horizon_px: int
    floor_px: int
    is_water: bool = False
    is_studio: bool = False


GRASS = {"dawn": "7f9a6a", "noon": "6ea64f", "golden": "93a04e", "dusk": "565f4c", "night": "22384a"}
FAR = {"dawn": "8a93b5", "noon": "6c93b0", "golden": "a08a86", "dusk": "6a4f7c", "night": "223a66"}
SEA = {"dawn": "7d9fb0", "noon": "2c84a8", "golden": "5f8f96", "dusk": "4a4a7c", "night": "132c52"}


def paint_place(place: str, layer: Layer, chance: Chance) -> Stage:
    """Paint a place over the whole layer.

    Args:
        place: ``sea``, ``beach``, ``lake``, ``mountain``, ``snow``, ``city``, ``forest``, ``desert`` or
            ``meadow``.
        layer: Painted over completely.
        chance: Decides the composition.
    """
    height = layer.height
    horizon = int(height * chance.uniform(0.4, 0.66))
    layer.cover[:] = 1
    _sky(layer, horizon, chance)
    if place == "forest":
        return _forest(layer, horizon, chance)
    if place == "city":
        return _city(layer, chance)
    _hills(layer, horizon, chance, place)
    if place in ("sea", "lake", "beach"):
        _water(layer, horizon, chance)
        if place == "beach":
            _shore(layer, chance)
        return Stage(layer, horizon, int(height * chance.uniform(0.74, 0.82)), is_water=place != "beach")
    _ground(layer, horizon, chance, place)
    return Stage(layer, horizon, int(height * chance.uniform(0.8, 0.88)))


def _sky(layer: Layer, horizon: int, chance: Chance) -> None:
    light, width, height = layer.light, layer.width, layer.height
    down = np.linspace(0, height / max(horizon, 1), height, dtype=np.float32)[:, None, None]
    sky = blend(
        blend(light.zenith, light.middle, smoothstep(0, 0.62, down)),
        light.horizon,
        smoothstep(0.4, 1.05, down),
    )
    pixels = np.repeat(sky, width, axis=1)
    sun_x = width * (0.5 + 0.5 * light.direction[0] * chance.uniform(0.5, 1.0))
    sun_y = horizon * (1 - light.sun_height)
    across = (np.arange(width, dtype=np.float32) - sun_x)[None, :] / height
    away = np.sqrt(across**2 + ((np.arange(height, dtype=np.float32) - sun_y)[:, None] / height) ** 2)
    glow = 0.75 * np.exp(-away * 9) + 0.45 * np.exp(-away * 2.6)
    pixels = blend(pixels, light.sun, np.clip(glow * (0.55 if light.is_dark else 1.0), 0, 1)[..., None])
    if light.is_dark:
        _stars(pixels, horizon, chance)
    pixels = _clouds(pixels, layer, horizon, chance, away)
    radius = float(chance.uniform(0.03, 0.05))
    disc = smoothstep(radius, radius - 3 / height, away)[..., None]
    layer.pixels = blend(pixels, np.minimum(light.sun * 1.04, 1), disc * 0.95)


def _stars(pixels: Floats, horizon: int, chance: Chance) -> None:
    height, width = pixels.shape[:2]
    count = 260
    rows = (chance.random(count) ** 1.4 * min(horizon, height - 2)).astype(int)
    columns = (chance.random(count) * (width - 2)).astype(int)
    strength = (chance.random(count) ** 3)[:, None]
    pixels[rows, columns] += strength * 0.9
    pixels[rows + 1, columns] += strength * 0.35
    pixels[rows, columns + 1] += strength * 0.35
    np.clip(pixels, 0, 1, out=pixels)


def _clouds(pixels: Floats, layer: Layer, horizon: int, chance: Chance, away: Floats) -> Floats:
    light = layer.light
    amount = float(chance.uniform(0.42, 0.66))
    field = clouds(chance, layer.width, horizon, (chance.uniform(2, 4.5), chance.uniform(4, 8)), 5)
    soft = smoothstep(amount, amount + 0.3, field)
    lit = np.clip((field - np.roll(field, max(2, layer.height // 90), axis=0)) * 7 + 0.55, 0, 1)
    shaded = blend(light.middle * 0.86, light.shade, 0.25)
    body = blend(shaded, np.minimum(light.key * 1.02, 1), lit[..., None])
    body = blend(body, light.sun, np.clip(0.6 * np.exp(-away[:horizon] * 4), 0, 1)[..., None])
    strength = 0.45 if light.is_dark else 0.85
    pixels[:horizon] = blend(pixels[:horizon], body, soft[..., None] * strength)
    return pixels


def _hills(layer: Layer, horizon: int, chance: Chance, place: str) -> None:
    light = layer.light
    peaks = place in ("mountain", "snow")
    count = int(chance.integers(3, 5)) if peaks else int(chance.integers(1, 4))
    if place == "sea" and chance.random() < 0.45:
        return
    for index in range(count):
        nearness = (index + 1) / (count + 0.6)
        tall = (0.44 if peaks else 0.2) * (1 - 0.62 * nearness) * layer.height * chance.uniform(0.7, 1.15)
        line = ridge(chance, layer.width, 3 if peaks else 2, 7 if peaks else 4)
        if peaks:
            line = line**1.25
        top = horizon - tall * line - (0.01 if place != "sea" else 0.0) * layer.height
        near = colour({"desert": "b98a5e"}.get(place, FAR[light.hour]))
        base = blend(light.haze, near * (0.72 if index == count - 1 else 0.9), 0.3 + 0.6 * nearness)
        _hill(layer, top, horizon, base, has_snow=peaks and index < count - 1, chance=chance)


def _hill(layer: Layer, top: Floats, bottom: int, base: Floats, *, has_snow: bool, chance: Chance) -> None:
    first = max(0, int(top.min()) - 2)
    if bottom - first < 3:
        return
    rows = np.arange(first, bottom, dtype=np.float32)[:, None]
    inside = np.clip(rows - top[None, :] + 0.5, 0, 1)
    depth = (rows - top[None, :]) / max(float(bottom - top.min()), 1.0)
    slope = np.convolve(np.gradient(top), np.ones(15) / 15, "same").astype(np.float32)
    rough = clouds(chance, layer.width, bottom - first, (14, 8), 4) - 0.5
    # A slope's light runs down the flank aslant: the ridge's steepness is looked up aside of each point.
    side = float(np.sign(layer.light.direction[0]))
    aside = np.arange(layer.width) + (rows - top[None, :]) * (0.75 * side) + rough * layer.width * 0.05
    flank = slope[np.clip(aside, 0, layer.width - 1).astype(np.int32)]
    facing = np.clip(0.5 + side * flank * 0.3 + rough * 1.1, 0, 1)
    paint = blend(base * 0.82, np.minimum(base * 1.05 + layer.light.key * 0.12, 1), facing[..., None])
    if has_snow:
        cap = smoothstep(0.42, 0.2, depth + rough * 0.5)
        snow = blend(layer.light.shade * 0.5 + base * 0.5, layer.light.key, facing[..., None])
        paint = blend(paint, snow, cap[..., None] * 0.9)
    paint = blend(paint, layer.light.haze, np.clip(depth, 0, 1)[..., None] ** 1.5 * 0.55)
    layer.pixels[first:bottom] = blend(layer.pixels[first:bottom], paint, inside[..., None])


def _water(layer: Layer, horizon: int, chance: Chance) -> None:
    light, width, height = layer.light, layer.width, layer.height
    deep = height - horizon
    rows = np.arange(deep, dtype=np.float32)[:, None]
    near = rows / max(deep, 1)
    waves = clouds(chance, width, deep, (9, 42), 3) - 0.5
    fine = clouds(chance, width, deep, (34, 120), 2) - 0.5
    ripple = (waves * 0.65 + fine * 0.5) * (0.25 + near)
    source = np.clip(horizon - 1 - rows * 0.95 + ripple * height * 0.16, 0, horizon - 1).astype(np.int32)
    columns = np.arange(width, dtype=np.int32)[None, :]
    aside = np.clip(columns + (ripple * height * 0.05).astype(np.int32), 0, width - 1)
    mirrored = layer.pixels[source, aside]
    body = colour(SEA[light.hour])
    depth = blend(body * 1.1, body * 0.55, near[..., None])
    pixels = blend(mirrored, depth, (0.3 + 0.38 * near)[..., None])
    crest = np.clip(ripple * 2.1, -1, 1)[..., None]
    pixels = (
        pixels + np.clip(crest, 0, 1) * (light.key - pixels) * 0.34 + np.clip(crest, -1, 0) * pixels * 0.3
    )
    sun_x = width * (0.5 + 0.37 * light.direction[0])
    spread = (0.025 + 0.16 * near) * width
    path = np.exp(-(((columns - sun_x) / spread) ** 2))
    glint = smoothstep(0.05, 0.22, ripple + 0.06) * path
    layer.pixels[horizon:] = np.clip(blend(pixels, light.sun, glint[..., None] * 0.75), 0, 1)
    mist = np.exp(-rows / (0.02 * height))[..., None] * 0.5
    layer.pixels[horizon:] = blend(layer.pixels[horizon:], light.haze, mist)


def _shore(layer: Layer, chance: Chance) -> None:
    light, width, height = layer.light, layer.width, layer.height
    line = height * (
        0.7 + 0.08 * ridge(chance, width, 2, 4) + np.linspace(0, chance.uniform(-0.1, 0.1), width)
    )
    first = int(line.min()) - height // 30
    rows = np.arange(first, height, dtype=np.float32)[:, None]
    grain = clouds(chance, width, height - first, (8, 5), 6) - 0.5
    sand = blend(colour("e2c79c"), colour("e2c79c") * light.shade, 0.55 if light.is_dark else 0.12)
    paint = np.clip(blend(sand, light.key, 0.15) * (1 + 0.22 * grain[..., None]), 0, 1)
    into = (rows - line[None, :]) / height
    paint = blend(paint * 0.72, paint, smoothstep(0.0, 0.06, into)[..., None])
    part = layer.pixels[first:]
    part[:] = blend(part, paint, smoothstep(-0.004, 0.004, into + grain * 0.01)[..., None])
    foam = np.exp(-(((into + grain * 0.02) / 0.007) ** 2))
    part[:] = blend(part, np.minimum(light.key * 1.03, 1), foam[..., None] * 0.8)


def _ground(layer: Layer, horizon: int, chance: Chance, place: str) -> None:
    light, width, height = layer.light, layer.width, layer.height
    tone = {"snow": "eef2f7", "desert": "d9a56c", "mountain": GRASS[light.hour]}.get(place, GRASS[light.hour])
    base = colour(tone)
    if place in ("snow", "desert") and light.hour != "noon":
        base = blend(base, base * light.shade, 0.75 if light.is_dark else 0.3)
    folds = int(chance.integers(2, 4))
    for index in range(folds):
        near = (index + 1) / folds
        line = horizon + (height - horizon) * index * 0.3 - ridge(chance, width, 1.6, 3) * height * 0.07
        first = max(0, int(line.min()) - 2)
        rows = np.arange(first, height, dtype=np.float32)[:, None]
        bumps = (2.5, 11) if place in ("desert", "snow") else (7, 9)
        patches = (clouds(chance, width, height - first, bumps, 6) - 0.5) * {"snow": 0.3, "desert": 0.6}.get(
            place, 1.0
        )
        shade = 1 + 0.6 * patches - 0.22 * smoothstep(0.25, 1, (rows - line[None, :]) / height)
        paint = blend(blend(light.haze, base, 0.45 + 0.5 * near), light.key, 0.14) * shade[..., None]
        crest = np.exp(-(rows - line[None, :]) / (0.03 * height))[..., None]
        paint = blend(paint, light.key, np.clip(crest, 0, 1) * 0.3)
        cover = np.clip(rows - line[None, :] + 0.5, 0, 1)[..., None]
        layer.pixels[first:] = blend(layer.pixels[first:], np.clip(paint, 0, 1), cover)
    if place in ("meadow", "mountain"):
        _grass(layer, horizon, base, chance)
    if place in ("snow", "mountain"):
        _treeline(layer, horizon, chance)


def _treeline(layer: Layer, horizon: int, chance: Chance) -> None:
    """Groups of firs where the ground rises, small and hazy."""
    light, width, height = layer.light, layer.width, layer.height
    for near in np.sort(chance.random(int(chance.integers(9, 26)))):
        foot = horizon + (height - horizon) * (0.06 + 0.26 * near)
        x = width * (
            chance.random() if near < 0.6 else (0.5 + chance.choice([-1, 1]) * chance.uniform(0.3, 0.5))
        )
        needles = blend(
            light.haze, colour("2f4a41") * (0.6 if light.is_dark else 1), 0.45 + 0.45 * float(near)
        )
        pose = Pose(float(x), float(foot), height * float(0.035 + 0.13 * near * chance.uniform(0.7, 1.2)))
        layer.shadow(pose, ellipse(-light.direction[0] * 0.2, 0.0, 0.3, 0.05), 0.4, 0.05)
        _fir(layer, pose, needles, chance)


def _grass(layer: Layer, horizon: int, base: Floats, chance: Chance) -> None:
    """Blades and flowers, thicker towards the viewer."""
    light, width, height = layer.light, layer.width, layer.height
    picture = Image.fromarray((np.clip(layer.pixels, 0, 1) * 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    count = int(2600 * layer.detail)
    depth = np.sort(chance.random(count) ** 0.6)
    spots, leans, tones = chance.random(count), chance.normal(0, 0.35, count), chance.random(count)
    first = horizon + 0.2 * (height - horizon)
    for index in range(count):
        y = first + depth[index] * (height - first)
        length = height * (0.006 + 0.05 * depth[index] ** 2) * (0.6 + 0.7 * tones[index])
        x = spots[index] * width
        mixed = blend(base * (0.5 + 0.35 * tones[index]), light.key * 0.9, 0.34 * tones[index] ** 2)
        ink = tuple(int(255 * min(float(part), 1.0)) for part in mixed)
        thick = max(1, round(height / 420 * (0.4 + depth[index])))
        draw.line([(x, y), (x + leans[index] * length, y - length)], fill=ink, width=thick)
    petals = (light.key, colour("e8788a"), colour("f3cf5b"), colour("8f7fd0"))
    for _ in range(int(70 + 90 * layer.detail)):
        near = float(chance.random())
        x, y = chance.random() * width, first + near * (height - first)
        petal = petals[int(chance.integers(4))] * (0.5 if light.is_dark else 0.95)
        size = height * (0.0018 + 0.0055 * near)
        draw.ellipse(
            [x - size, y - size * 0.8, x + size, y + size * 0.8],
            fill=tuple(int(255 * part) for part in petal),
        )
    layer.pixels = np.asarray(picture, np.float32) / 255


def _forest(layer: Layer, horizon: int, chance: Chance) -> Stage:
    light, width, height = layer.light, layer.width, layer.height
    mist = blend(light.haze, light.horizon, 0.4)
    layer.pixels = blend(layer.pixels, mist, 0.55)
    _ground(layer, horizon, chance, "meadow" if chance.random() < 0.8 else "snow")
    planes = 5
    floor = horizon + 0.1 * (height - horizon)
    for plane in range(planes):
        near = (plane + 1) / planes
        bark = blend(mist * 0.95, colour("2b3a35") * (0.7 if light.is_dark else 1), 0.16 + 0.72 * near)
        for _ in range(int(chance.integers(6, 9)) - plane):
            x = float(chance.random()) * width
            if plane >= 3 and abs(x / width - 0.5) < 0.3:
                continue
            foot = floor + (height - floor) * 0.55 * near**2
            _fir(
                layer, Pose(x, foot, height * (0.16 + 0.46 * near) * chance.uniform(0.75, 1.15)), bark, chance
            )
        fade = 0.22 * (1 - near)
        layer.pixels = blend(layer.pixels, mist, fade) if fade > 0.05 else layer.pixels
    _rays(layer, chance)
    return Stage(layer, horizon, int(height * chance.uniform(0.84, 0.9)))


def _fir(layer: Layer, pose: Pose, paint: Floats, chance: Chance) -> None:
    tiers = 5 + int(4 * min(layer.detail, 1.2))
    layer.fill(pose, box(-0.022, -0.3, 0.022, 0.0), paint * 0.8, volume=0.0)
    left, right = [], []
    for tier in range(tiers):
        y = -1.25 + 1.1 * tier / tiers
        reach = 0.05 + 0.27 * ((tier + 1) / tiers) * chance.uniform(0.8, 1.15)
        left += [(-reach * 0.42, y), (-reach, y + 1.25 / tiers)]
        right += [(reach * 0.42, y), (reach, y + 1.2 / tiers)]
    outline = np.array([(0.0, -1.36), *right, *left[::-1]])
    layer.fill(pose, outline, paint, volume=0.35)


def _rays(layer: Layer, chance: Chance) -> None:
    light, width, height = layer.light, layer.width, layer.height
    small_width, small_height = max(8, width // 6), max(8, height // 6)
    down, across = np.mgrid[0 : 1 : small_height * 1j, 0 : 1 : small_width * 1j].astype(np.float32)
    source = 0.5 + light.direction[0] * 0.9
    angle = np.arctan2(across - source, down + 0.35)
    fan = np.interp(angle, np.linspace(-1.6, 1.6, 90), chance.random(90)).astype(np.float32)
    beam = smoothstep(0.55, 0.95, fan) * np.clip(1.05 - down, 0, 1) * (0.22 if light.is_dark else 0.5)
    layer.pixels = blend(
        layer.pixels, light.key, resized(np.asarray(beam, np.float32), width, height)[..., None]
    )


def _city(layer: Layer, chance: Chance) -> Stage:
    light, width, height = layer.light, layer.width, layer.height
    street = int(height * chance.uniform(0.7, 0.8))
    for plane in range(4):
        near = (plane + 1) / 4
        wall = blend(light.haze, colour("3c4257") * (0.55 if light.is_dark else 1.0), 0.25 + 0.6 * near)
        x = -0.05 * width
        while x < width:
            wide = width * chance.uniform(0.05, 0.11) * (0.7 + 0.6 * near)
            tall = height * chance.uniform(0.16, 0.5) * (1.15 - 0.35 * near)
            _tower(
                layer, (x, street - tall, x + wide, street), wall * chance.uniform(0.88, 1.12), near, chance
            )
            x += wide * chance.uniform(0.9, 1.25 + 0.5 * near)
    if height - street > 4:
        _water(layer, street, chance)
        layer.pixels[street:] *= 0.9
    return Stage(layer, street, int(height * 0.88))


def _tower(
    layer: Layer, edges: tuple[float, float, float, float], wall: Floats, near: float, chance: Chance
) -> None:
    left, top, right, bottom = edges
    light, pose = layer.light, Pose(0, 0, 1)
    layer.fill(pose, box(left, top, right, bottom), np.minimum(wall, 1), volume=0)
    side = right - (right - left) * 0.22 if light.direction[0] < 0 else left + (right - left) * 0.22
    outer = right if light.direction[0] < 0 else left
    layer.fill(
        pose, box(min(side, outer), top, max(side, outer), bottom), wall * light.shade, volume=0, opacity=0.7
    )
    step = max(5.0, layer.height * (0.012 + 0.012 * near))
    glow = colour("ffd98a") if light.hour in ("dusk", "night", "dawn") else np.minimum(wall * 1.35, 1)
    share = {"night": 0.5, "dusk": 0.4, "dawn": 0.15}.get(light.hour, 0.75)
    rows, columns = (
        np.arange(top + step, bottom - step, step * 1.5),
        np.arange(left + step, right - step, step),
    )
    first_x, last_x = max(0, int(left)), min(layer.width, int(right))
    lit = chance.random((len(rows), len(columns))) < share
    for row, row_lit in zip(rows.astype(int), lit, strict=True):
        for column, is_lit in zip(columns.astype(int), row_lit, strict=True):
            if is_lit and column >= first_x and column < last_x:
                pane = layer.pixels[
                    max(row, 0) : row + int(step * 0.75), column : column + max(1, int(step * 0.5))
                ]
                pane[:] = blend(pane, glow, 0.35 + 0.5 * near)
    if near > 0.9 and chance.random() < 0.3:
        middle = (left + right) / 2
        layer.fill(pose, box(middle - 1, top - layer.height * 0.06, middle + 1, top), wall * 0.8, volume=0)
        layer.fill(pose, ellipse(middle, top - layer.height * 0.06, 2, 2), colour("ff7a5c"), volume=0)
