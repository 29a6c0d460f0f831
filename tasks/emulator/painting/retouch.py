"""Working on a picture that exists: an edit of a reference, and the small differences of a near-copy."""

import numpy as np
from PIL import Image, ImageFilter

from tasks.emulator.painting.palettes import grade
from tasks.emulator.painting.reading import read_prompt
from tasks.emulator.painting.scene import FINENESS
from tasks.emulator.painting.texture import Floats, blend, blurred, clouds
from tasks.pictures.sendable import decode_as_sent


def repaint(reference: bytes, prompt: str, seed: int, size: tuple[int, int], tier: str) -> Image.Image:
    """Paint a reference again, finer, in its own composition.

    A size of other proportions keeps the whole reference in the middle and continues it to the sides.

    Args:
        reference: A readable picture.
        prompt: Its colour words tint the result a little.
        seed: Decides the fine texture.
        size: Width and height wanted, pixels.
        tier: Quality tier: how much finer.
    """
    base = _continued(decode_as_sent(reference).convert("RGB"), size)
    detail = FINENESS[tier][1]
    calm = base.filter(ImageFilter.MedianFilter(3)).filter(ImageFilter.GaussianBlur(0.5 + max(size) / 2400))
    crisp = calm.filter(
        ImageFilter.UnsharpMask(radius=max(size) / 420, percent=int(70 * detail + 25), threshold=2)
    )
    pixels: Floats = np.asarray(crisp, np.float32) / 255
    wide = blurred(pixels, max(size) / 40)
    pixels = pixels + (pixels - wide) * 0.09 * detail
    chance = np.random.default_rng(seed)
    tooth = clouds(chance, size[0], size[1], (70, 70), 3) - 0.5
    pixels = pixels * (1 + 0.035 * detail * tooth[..., None])
    pixels = blend(pixels, grade(pixels, read_prompt(prompt)), 0.15)
    return as_image(pixels)


def _continued(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    width, height = size
    scale = min(width / picture.width, height / picture.height)
    inner = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    fitted = picture.resize(inner, Image.Resampling.LANCZOS)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    if inner == size:
        return fitted
    rows, columns = _folded(height, top, inner[1]), _folded(width, left, inner[0])
    around = Image.fromarray(np.asarray(fitted)[rows][:, columns])
    around = around.filter(ImageFilter.GaussianBlur(max(size) / 140))
    around.paste(fitted, (left, top))
    return around


def _folded(length: int, start: int, inner: int) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
    """Where each row or column outside the middle takes its pixels: mirrored at the edge, and drawn out."""
    place = np.arange(length) - start
    before, after = -place * 0.25, inner - 1 - (place - inner + 1) * 0.25
    folded = np.where(place < 0, before, np.where(place >= inner, after, place))
    return np.clip(folded, 0, inner - 1).astype(np.intp)


def within_mask(reference: bytes, mask: bytes, fresh: Image.Image) -> Image.Image:
    """Keep the reference and take the fresh painting only where the mask's alpha is low.

    Args:
        reference: The picture edited.
        mask: A PNG of its size; alpha 0 may change, alpha 255 stays as it is.
        fresh: What to put there; its size is the result's.
    """
    kept = decode_as_sent(reference).convert("RGB").resize(fresh.size, Image.Resampling.LANCZOS)
    stays = decode_as_sent(mask).convert("RGBA").getchannel("A").resize(fresh.size, Image.Resampling.BILINEAR)
    return Image.composite(kept, fresh, stays)


def shaken(picture: Image.Image, seed: int) -> Image.Image:
    """Nearly the same picture: a little brighter or darker, moved by a hair, its grain anew."""
    chance = np.random.default_rng(seed)
    width, height = picture.size
    reach = 0.006
    left, top = chance.uniform(0, reach, 2) * (width, height)
    right, bottom = np.array([width, height]) - chance.uniform(0, reach, 2) * (width, height)
    moved = picture.resize((width, height), Image.Resampling.BICUBIC, (left, top, right, bottom))
    gain, lift = float(chance.uniform(0.965, 1.035)), float(chance.uniform(-4, 4))
    channels = [
        band.point([int(np.clip(level * gain + lift, 0, 255)) for level in range(256)])
        for band in moved.convert("RGB").split()
    ]
    result = Image.merge("RGB", channels)
    if picture.mode == "RGBA":
        result.putalpha(moved.getchannel("A"))
    return result


def as_image(pixels: Floats) -> Image.Image:
    """Turn colours in [0, 1] into an 8-bit picture."""
    return Image.fromarray((np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8))
