"""Paints one picture for a request and its replicate, and encodes it with a note of what it shows."""

import io
from functools import reduce
from typing import Literal

import numpy as np
from PIL import Image

from tasks.emulator.images_request import ImagesRequest
from tasks.emulator.mosaic import mosaic
from tasks.emulator.painting.contents import Contents, plant, read_contents
from tasks.emulator.painting.liberties import take_liberties
from tasks.emulator.painting.retouch import as_image, repaint, shaken, within_mask
from tasks.emulator.painting.scene import paint_scene, softened_edge
from tasks.emulator.picture_note import note_for, read_note
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
    contents = contents_of(request, replicate)
    if manner == "plain":
        return mosaic(
            replicate.scene_seed,
            replicate.shake_seed,
            request.size,
            request.format,
            request.compression,
            request.transparent,
            contents.as_json(),
        )
    picture = (
        _edited(request, replicate, contents)
        if request.references
        else _painted(request, replicate, contents)
    )
    if replicate.shake_seed is not None:
        picture = shaken(picture, replicate.shake_seed)
    return encode(picture, request.format, request.compression, contents.as_json())


def contents_of(request: ImagesRequest, replicate: Replicate) -> Contents:
    """Return what a picture shows: what is asked for, or what its reference shows, with errors planted.

    An edit keeps what its first reference shows, unless it drifts or that is not known.
    """
    kept = None
    if request.references and (request.mask is not None or not replicate.drifts):
        kept = read_note(request.references[0].data)
    return reduce(
        lambda contents, kind: plant(contents, kind, replicate.scene_seed),
        replicate.planted,
        kept or read_contents(request.prompt),
    )


def _painted(request: ImagesRequest, replicate: Replicate, contents: Contents) -> Image.Image:
    scene = paint_scene(
        request.prompt,
        replicate.scene_seed,
        request.size,
        request.tier,
        bare=request.transparent,
        contents=contents,
    )
    picture = as_image(scene.pixels)
    if request.transparent:
        alpha = np.clip(softened_edge(scene.cover) * 255, 0, 255).astype(np.uint8)
        picture.putalpha(Image.fromarray(alpha))
    if picture.size == request.size:
        return picture
    return picture.resize(request.size, Image.Resampling.BICUBIC)


def _edited(request: ImagesRequest, replicate: Replicate, contents: Contents) -> Image.Image:
    first = request.references[0].data
    if request.mask is not None:
        fresh = _painted(request, replicate, contents).convert("RGB")
        return within_mask(first, request.mask.data, fresh)
    if replicate.drifts:
        return _painted(request, replicate, contents)
    picture = repaint(first, request.prompt, replicate.scene_seed, request.size, request.tier)
    if request.transparent:
        picture.putalpha(decode_as_sent(first).convert("RGBA").getchannel("A").resize(picture.size))
    return take_liberties(picture, replicate.scene_seed) if replicate.is_redrawn else picture


def encode(picture: Image.Image, format: str, compression: int, note: str = "") -> bytes:
    """Encode a picture quickly.

    Args:
        picture: RGB, or RGBA where the format has transparency.
        format: ``png``, ``jpeg`` or ``webp``.
        compression: For jpeg and webp: from 0, the smallest, to 100, the best.
        note: Text for its metadata; empty for none.
    """
    more = note_for(format, note)
    stream = io.BytesIO()
    if format == "png":
        picture.save(stream, "PNG", compress_level=1, **more)
    elif format == "jpeg":
        picture.convert("RGB").save(stream, "JPEG", quality=max(1, min(compression, 95)), **more)
    else:
        picture.save(stream, "WEBP", quality=compression, method=1, **more)
    return stream.getvalue()
