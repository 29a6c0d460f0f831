"""Paints one picture for a request and its replicate, and encodes it."""

import io
from typing import Literal

import numpy as np
from PIL import Image

from tasks.emulator.images_request import ImagesRequest
from tasks.emulator.mosaic import mosaic
from tasks.emulator.painting.liberties import take_liberties
from tasks.emulator.painting.retouch import as_image, repaint, shaken, within_mask
from tasks.emulator.painting.scene import paint_scene, softened_edge
from tasks.emulator.replicates import Replicate
from tasks.pictures.sendable import decode_as_sent


def paint(request: ImagesRequest, replicate: Replicate, manner: Literal["scene", "plain"]) -> bytes:
    """Paint one picture.

    Args:
        request: The request.
        replicate: Which scene, and how it varies an earlier one.
        manner: ``scene`` for pictures worth looking at, ``plain`` for cheap mosaics; an edit is then a mosaic
            too, without its reference.

    Returns:
        The encoded picture, in the requested size and format; equal bytes for equal arguments.
    """
    if manner == "plain":
        return mosaic(
            replicate.scene_seed,
            replicate.shake_seed,
            request.size,
            request.format,
            request.compression,
            request.transparent,
        )
    picture = _edited(request, replicate) if request.references else _painted(request, replicate)
    if replicate.shake_seed is not None:
        picture = shaken(picture, replicate.shake_seed)
    return encode(picture, request.format, request.compression)


def _painted(request: ImagesRequest, replicate: Replicate) -> Image.Image:
    scene = paint_scene(
        request.prompt, replicate.scene_seed, request.size, request.tier, bare=request.transparent
    )
    picture = as_image(scene.pixels)
    if request.transparent:
        alpha = np.clip(softened_edge(scene.cover) * 255, 0, 255).astype(np.uint8)
        picture.putalpha(Image.fromarray(alpha))
    if picture.size == request.size:
        return picture
    return picture.resize(request.size, Image.Resampling.BICUBIC)


def _edited(request: ImagesRequest, replicate: Replicate) -> Image.Image:
    first = request.references[0].data
    if request.mask is not None:
        fresh = _painted(request, replicate).convert("RGB")
        return within_mask(first, request.mask.data, fresh)
    if replicate.drifts:
        return _painted(request, replicate)
    picture = repaint(first, request.prompt, replicate.scene_seed, request.size, request.tier)
    if request.transparent:
        picture.putalpha(decode_as_sent(first).convert("RGBA").getchannel("A").resize(picture.size))
    return take_liberties(picture, replicate.scene_seed) if replicate.is_redrawn else picture


def encode(picture: Image.Image, format: str, compression: int) -> bytes:
    """Encode a picture quickly.

    Args:
        picture: RGB, or RGBA where the format has transparency.
        format: ``png``, ``jpeg`` or ``webp``.
        compression: For jpeg and webp: from 0, the smallest, to 100, the best.
    """
    stream = io.BytesIO()
    if format == "png":
        picture.save(stream, "PNG", compress_level=1)
    elif format == "jpeg":
        picture.convert("RGB").save(stream, "JPEG", quality=max(1, min(compression, 95)))
    else:
        picture.save(stream, "WEBP", quality=compression, method=1)
    return stream.getvalue()
