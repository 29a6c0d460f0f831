"""The painter's door: a request and its replicate become the bytes of one picture."""

from typing import Literal

from tasks.emulator.images_request import ImagesRequest
from tasks.emulator.plain import plain_picture
from tasks.emulator.replicates import Replicate


def paint(request: ImagesRequest, replicate: Replicate, manner: Literal["scene", "plain"]) -> bytes:  # noqa: ARG001
    """Paint one picture.

    Args:
        request: What was asked for.
        replicate: Which scene, and how far it is a copy.
        manner: ``scene`` for pictures worth looking at, ``plain`` for cheap mosaics.

    Returns:
        The encoded picture, in the size and format asked for.
    """
    return plain_picture(
        replicate.scene_seed,
        replicate.shake_seed,
        request.size,
        request.format,
        request.compression,
        request.transparent,
    )
