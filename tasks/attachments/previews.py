"""Draws a preview of what a campaign's masks will change, before anything is bought.

Each tile is a reference; the part to be inpainted is striped and outlined, the rest should stay. A few tiles
are enough to spot a misplaced box.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from tasks.attachments.drawings import picture_bytes
from tasks.order import Order, Reference
from tasks.pictures.lettering import write
from tasks.pictures.sendable import decode_as_sent
from tasks.pictures.transparency import lay_on_chequerboard
from tasks.storage.atomic import write_atomically

TILES_SHOWN = 6
_COLUMNS = 3
_TILE_PX, _GAP_PX, _MARGIN_PX, _TITLE_PX, _LABEL_PX = 420, 32, 56, 148, 62
_STRIPE_PX, _OUTLINE_PX, _CHEQUER_PX = 14, 4, 14
_GROUND, _INK, _MUTED, _EMPTY = "#ffffff", "#15171c", "#5a6170", "#eceef1"
_CHANGE = (219, 39, 119)
_STRIPE_SHARE, _BETWEEN_SHARE = 0.62, 0.34


@dataclass(frozen=True, slots=True)
class Masked:
    """A reference and its mask, with the first prompt that uses them."""

    reference: Reference
    mask: Reference
    prompt: str
    n_orders: int


def masked_pictures(orders: Iterable[Order]) -> list[Masked]:
    """List the distinct pairs of a first reference and a mask, in the orders' sequence."""
    found: dict[tuple[str, str], Masked] = {}
    for order in orders:
        if order.mask is None:
            continue
        key = (order.references[0].sha256, order.mask.sha256)
        known = found.get(key)
        n_orders = 1 if known is None else known.n_orders + 1
        prompt = order.prompt if known is None else known.prompt
        found[key] = Masked(order.references[0], order.mask, prompt, n_orders)
    return list(found.values())


def write_preview(campaign: str, masked: Sequence[Masked], file: Path) -> Path:
    """Draw the preview as a png file.

    Args:
        campaign: The campaign's name, for the title.
        masked: From ``masked_pictures``, one or more; the first six are drawn.
        file: The file; replaced if it exists.

    Raises:
        SettingError: The folder cannot be written.
        OSError: A picture is missing since it was read.
    """
    shown = masked[:TILES_SHOWN]
    columns = min(_COLUMNS, len(shown))
    lines = -(-len(shown) // columns)
    width = max(2 * _MARGIN_PX + columns * (_TILE_PX + _GAP_PX) - _GAP_PX, 760)
    height = _TITLE_PX + lines * (_TILE_PX + _LABEL_PX + _GAP_PX) - _GAP_PX + _MARGIN_PX
    sheet = Image.new("RGB", (width, height), _GROUND)
    pen = ImageDraw.Draw(sheet)
    _write_title(pen, campaign, len(masked), width)
    for index, pair in enumerate(shown):
        left = _MARGIN_PX + index % columns * (_TILE_PX + _GAP_PX)
        top = _TITLE_PX + index // columns * (_TILE_PX + _LABEL_PX + _GAP_PX)
        _draw_tile(sheet, pen, pair, left, top)
    stream = io.BytesIO()
    sheet.save(stream, "PNG", compress_level=6)
    write_atomically(file, stream.getvalue(), is_durable=False)
    return file


def _write_title(pen: ImageDraw.ImageDraw, campaign: str, count: int, width: int) -> None:
    room = width - 2 * _MARGIN_PX
    left_out = f"; the first {TILES_SHOWN} of {count:,}" if count > TILES_SHOWN else ""
    write(pen, (_MARGIN_PX, 32), f"{campaign}{left_out}", 18, _MUTED, room)
    write(pen, (_MARGIN_PX, 56), "What the masks will change", 28, _INK, room)
    key = (_MARGIN_PX, 100, _MARGIN_PX + 34, 118)
    sample = Image.new("RGB", (34, 18), "#c9ced6")
    stripes = _with_change(sample, Image.new("L", sample.size, 255))
    pen._image.paste(stripes, key[:2])
    write(pen, (key[2] + 10, 99), "inpainted by the prompt; the rest should stay", 16, _MUTED, room)


def _draw_tile(sheet: Image.Image, pen: ImageDraw.ImageDraw, pair: Masked, left: int, top: int) -> None:
    kept = decode_as_sent(picture_bytes(pair.mask)).convert("RGBA").getchannel("A")
    whole = decode_as_sent(picture_bytes(pair.reference))
    share = 1 - float(np.asarray(kept).mean()) / 255
    scale = _TILE_PX / max(whole.size)
    size = (max(1, round(whole.width * scale)), max(1, round(whole.height * scale)))
    picture = lay_on_chequerboard(whole.resize(size, Image.Resampling.LANCZOS), _CHEQUER_PX)
    clear = ImageChops.invert(kept).resize(size, Image.Resampling.BILINEAR)
    pen.rectangle((left, top, left + _TILE_PX - 1, top + _TILE_PX - 1), fill=_EMPTY)
    at = (left + (_TILE_PX - size[0]) // 2, top + (_TILE_PX - size[1]) // 2)
    sheet.paste(_with_change(picture, clear), at)
    name = f"{Path(pair.reference.file).name} · {share:.0%} inpainted"
    write(pen, (left, top + _TILE_PX + 10), " ".join(name.split()), 18, _INK, _TILE_PX)
    write(pen, (left, top + _TILE_PX + 36), " ".join(pair.prompt.split()), 16, _MUTED, _TILE_PX)


def _with_change(picture: Image.Image, clear: Image.Image) -> Image.Image:
    """Draw stripes over what is inpainted, and an outline around it."""
    across = np.arange(picture.width)[None, :] + np.arange(picture.height)[:, None]
    is_stripe = across // _STRIPE_PX % 2 == 0
    strength = np.where(is_stripe, _STRIPE_SHARE, _BETWEEN_SHARE) * (np.asarray(clear) / 255)
    colours = np.asarray(picture.convert("RGB"), dtype=float)
    striped = colours + (np.array(_CHANGE) - colours) * strength[..., None]
    result = Image.fromarray(striped.round().astype(np.uint8))
    result.paste(_CHANGE, (0, 0), _outline(clear))
    return result


def _outline(clear: Image.Image) -> Image.Image:
    """Return the outline of what is inpainted, including where it touches the picture's edge."""
    hard = Image.new("L", (clear.width + 2 * _OUTLINE_PX, clear.height + 2 * _OUTLINE_PX), 0)
    hard.paste(clear.point(lambda value: 255 if value > 127 else 0), (_OUTLINE_PX, _OUTLINE_PX))
    inner = hard.filter(ImageFilter.MinFilter(2 * _OUTLINE_PX - 1))
    rim = ImageChops.subtract(hard, inner)
    return rim.crop((_OUTLINE_PX, _OUTLINE_PX, _OUTLINE_PX + clear.width, _OUTLINE_PX + clear.height))
