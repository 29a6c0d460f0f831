"""Looks: small copies of pictures, by which two pictures are compared as an eye would.

A picture's look is made from its thumbnail, so that nothing more is kept for it: the thumbnail is some kB,
lies in the run's folder and its store, and can be drawn again from the picture. What a look is compared by,
its grey copies at several sizes, is computed once.
"""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.pictures.borders import within_borders
from tasks.pictures.decoding import decode, flatten, make_thumbnail, read_picture

LOOK_EDGE_PX = 340
"""The longest edge of a look; a thumbnail has 257 to 384 px unless the picture itself is smaller."""

COARSE_EDGE_PX = 128
FINE_EDGE_PX = 256
MIDDLE_EDGE_PX = 64
TINY_EDGE_PX = 32
CELL_PX = 4

_PLAIN_WEBP = b"WEBPVP8 "
"""How a WebP file begins that has neither transparency nor a profile, orientation or animation."""

Pixels = NDArray[np.uint8]
Grey = NDArray[np.float32]

Turn = Literal[
    "mirrored", "upside down", "turned by 90", "turned by 180", "turned by 270", "transposed", "transversed"
]
"""How one picture must be turned to become another; degrees anticlockwise."""

_TURNS: dict[Turn, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "mirrored": lambda pixels: pixels[:, ::-1],
    "upside down": lambda pixels: pixels[::-1],
    "turned by 90": lambda pixels: np.rot90(pixels, 1),
    "turned by 180": lambda pixels: np.rot90(pixels, 2),
    "turned by 270": lambda pixels: np.rot90(pixels, 3),
    "transposed": lambda pixels: pixels.swapaxes(0, 1),
    "transversed": lambda pixels: np.rot90(pixels, 2).swapaxes(0, 1),
}
TURNS: tuple[Turn, ...] = tuple(_TURNS)

INVERSE_TURNS: dict[Turn, Turn] = {turn: turn for turn in TURNS} | {
    "turned by 90": "turned by 270",
    "turned by 270": "turned by 90",
}
"""What undoes a turn."""


def turn_pixels(pixels: NDArray[Any], turn: Turn) -> NDArray[Any]:
    """Turn or mirror pixels, shape (height, width, ...); a view of them."""
    return _TURNS[turn](pixels)


def size_with_edge(width: int, height: int, edge_px: int) -> tuple[int, int]:
    """Return the width and height with the same proportions whose longer edge is ``edge_px``, pixels."""
    scale = edge_px / max(width, height)
    return max(8, round(width * scale)), max(8, round(height * scale))


def cells_of(levels: NDArray[Any]) -> Grey:
    """Average cells of `CELL_PX` x `CELL_PX` pixels: float32, of any number of channels."""
    import cv2

    height, width = levels.shape[:2]
    size = max(1, width // CELL_PX), max(1, height // CELL_PX)
    return np.asarray(cv2.resize(levels.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32)


class Look:
    """A small copy of a picture; what it is compared by is computed when it is first needed."""

    def __init__(self, pixels: Pixels, drawn_edge_px: int = LOOK_EDGE_PX) -> None:
        """Take pixels.

        Args:
            pixels: uint8, shape (height, width, 3), RGB; the longest edge is `LOOK_EDGE_PX`.
            drawn_edge_px: The longest edge of what they were enlarged from.
        """
        self._given = pixels
        self.drawn_edge_px = drawn_edge_px

    @cached_property
    def pixels(self) -> Pixels:
        """The pixels: uint8, shape (height, width, 3), RGB."""
        return np.ascontiguousarray(self._given)

    @cached_property
    def coarse(self) -> Grey:
        """Grey levels 0-255, float32; the longest edge is `COARSE_EDGE_PX`."""
        return self._grey(COARSE_EDGE_PX)

    @cached_property
    def fine(self) -> Grey:
        """Grey levels 0-255, float32; the longest edge is `FINE_EDGE_PX`."""
        return self._grey(FINE_EDGE_PX)

    @cached_property
    def outlines(self) -> Grey:
        """What of ``coarse`` leaves its surroundings: a plain ground is 0 everywhere, whatever its level."""
        return _without_ground(self.coarse)

    @cached_property
    def middle_outlines(self) -> Grey:
        """The same at `MIDDLE_EDGE_PX`."""
        return self._outlines_at(MIDDLE_EDGE_PX)

    @cached_property
    def tiny_outlines(self) -> Grey:
        """The same at `TINY_EDGE_PX`."""
        return self._outlines_at(TINY_EDGE_PX)

    def _outlines_at(self, edge_px: int) -> Grey:
        import cv2

        grey: Any = cv2.cvtColor(self.cells_at(edge_px), cv2.COLOR_RGB2GRAY)
        return _without_ground(grey)

    @cached_property
    def cells(self) -> Grey:
        """Means of cells of `CELL_PX` x `CELL_PX` pixels: float32, shape (rows, columns, 3)."""
        return cells_of(self.pixels)

    def cells_at(self, edge_px: int) -> Grey:
        """Average larger parts: float32, RGB, the longest edge is ``edge_px``, at most that of ``cells``."""
        import cv2

        height, width = self.cells.shape[:2]
        size = size_with_edge(width, height, edge_px)
        return np.asarray(cv2.resize(self.cells, size, interpolation=cv2.INTER_AREA), np.float32)

    @cached_property
    def signature(self) -> Grey:
        """Outlines in 16 x 16 cells, whatever the proportions."""
        import cv2

        cells = cv2.resize(self.tiny_outlines, (16, 16), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.GaussianBlur(cells, (0, 0), 1), np.float32)

    @cached_property
    def within_borders(self) -> "list[Look]":
        """What it shows within one band along its edges, within two, and so on; empty without any."""
        return [
            Look(_at_edge(inner, LOOK_EDGE_PX), max(inner.shape[:2])) for inner in within_borders(self.pixels)
        ]

    def reduced_to(self, edge_px: int) -> "Look":
        """Show no more detail than a picture of so many pixels on its longest edge."""
        return Look(_at_edge(_at_edge(self.pixels, edge_px), LOOK_EDGE_PX), edge_px)

    def turned(self, turn: Turn) -> "Look":
        """Turn or mirror it."""
        turned = Look(_TURNS[turn](self.pixels))
        # Seven turns are looked at of every pair, and nearly all dismissed by this: it need not be made anew.
        turned.__dict__["tiny_outlines"] = np.ascontiguousarray(_TURNS[turn](self.tiny_outlines))
        return turned

    def agreement_if_turned(self, turn: Turn, one: "Look") -> float:
        """Correlate its signature, turned, with another's, within two cells of shift; -1 to 1."""
        import cv2

        found = cv2.matchTemplate(one.framed_signature, self.turned_signatures[turn], cv2.TM_CCORR_NORMED)
        return float(np.nan_to_num(found, nan=-1.0, posinf=-1.0, neginf=-1.0).max())

    @cached_property
    def framed_signature(self) -> Grey:
        """The signature with two cells of nothing round it."""
        import cv2

        return np.asarray(cv2.copyMakeBorder(self.signature, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=0))

    @cached_property
    def turned_signatures(self) -> dict[Turn, Grey]:
        """The signature in each turn: every pair is dismissed by all of them."""
        return {turn: np.ascontiguousarray(turned(self.signature)) for turn, turned in _TURNS.items()}

    def _grey(self, edge_px: int) -> Grey:
        import cv2

        height, width = self.pixels.shape[:2]
        grey = cv2.cvtColor(self.pixels, cv2.COLOR_RGB2GRAY)
        return cv2.resize(grey, size_with_edge(width, height, edge_px), interpolation=cv2.INTER_AREA).astype(
            np.float32
        )


def _at_edge(pixels: Pixels, edge_px: int) -> Pixels:
    import cv2

    height, width = pixels.shape[:2]
    size = size_with_edge(width, height, edge_px)
    method = cv2.INTER_AREA if edge_px < max(height, width) else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, size, interpolation=method), np.uint8)


def _without_ground(grey: Grey) -> Grey:
    import cv2

    return grey - cv2.GaussianBlur(grey, (0, 0), max(grey.shape) / 21)


def look_at(picture: Image.Image) -> Look:
    """Make the look of a decoded picture, by way of its thumbnail.

    Args:
        picture: ``RGB`` or ``RGBA``; transparency is laid over middle grey.
    """
    return look_of_thumbnail(make_thumbnail(picture))


def look_of_thumbnail(thumbnail: bytes | Path) -> Look:
    """Make a look from a thumbnail.

    Raises:
        PictureError: The thumbnail is missing or damaged.
    """
    return Look(_resized(_decoded(thumbnail)))


def _decoded(thumbnail: bytes | Path) -> Pixels:
    """Decode a thumbnail as `decode` does; plain WebP in half the time."""
    import cv2

    data = read_picture(thumbnail) if isinstance(thumbnail, Path) else thumbnail
    if data[8:16] == _PLAIN_WEBP:
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
        if found is not None:
            return np.asarray(found, np.uint8)
    return np.asarray(flatten(decode(data, str(thumbnail) if isinstance(thumbnail, Path) else None)))


def _resized(pixels: Pixels) -> Pixels:
    """Resize by cubic interpolation: it takes a tenth of the time of Pillow's filters."""
    import cv2

    scale = LOOK_EDGE_PX / max(pixels.shape[:2])
    height, width = (max(1, round(edge * scale)) for edge in pixels.shape[:2])
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
