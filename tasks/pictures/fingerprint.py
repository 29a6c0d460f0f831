"""Perceptual hashes: short numbers that stay nearly the same when a picture is re-encoded or resized.

A hash is stored as hex digits, as imagehash writes it, and compared as one unsigned 64-bit integer. The
distance of two hashes is the number of bits in which they differ (Hamming). Pairs within a radius are found
exactly, by comparing all pairs while that is cheap, and otherwise by the pigeonhole principle: cut into
radius + 1 slices, two hashes that differ in at most ``radius`` bits agree entirely in at least one slice, so
only hashes that share a slice need to be compared.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.candidate import Candidate, HashName
from tasks.own_process import load_scipy
from tasks.pictures.decoding import flatten

HASH_BITS = 64
COLOUR_BITS_PER_BIN = 3
"""imagehash stores the shares of 14 kinds of colour, three bits each."""

Hashes = NDArray[np.uint64]
Pairs = NDArray[np.int64]

COLOUR_CELLS = 4
COLOUR_NAMES = tuple(
    f"{name}_{row}{column}"
    for name in ("cb", "cr")
    for row in range(COLOUR_CELLS)
    for column in range(COLOUR_CELLS)
)

_HASHED_EDGE_PX = 256
_ALL_PAIRS_UP_TO = 20_000
_TILE = 192  # fits in the CPU cache: with 2,048 it takes twice as long


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The hashes and colours that pictures are compared by.

    Args:
        phash: 16 hex digits. Signs of the 8 x 8 lowest frequencies of the picture in 32 x 32 grey pixels,
            relative to their median: robust to brightness, contrast, noise and size.
        dhash: 16 hex digits. Whether each of 8 x 8 grey cells is darker than its right neighbour.
        colorhash: 11 hex digits. Shares of black, grey, and six hues each of faint and bright colour.
        colours: ``cb_<row><column>`` and ``cr_<row><column>``, the mean blueness and redness of each cell of
            a grid over the picture, -128 to 127; 0 is grey. `COLOUR_CELLS` rows and columns.
    """

    phash: str
    dhash: str
    colorhash: str
    colours: dict[str, float]


def fingerprint(picture: Image.Image) -> Fingerprint:
    """Compute a picture's fingerprint; transparency is first laid over middle grey.

    Large pictures are first reduced by whole-number averaging to about `_HASHED_EDGE_PX`; that is part of
    the hash's definition here and changes a hash by two bits at most.

    Args:
        picture: ``RGB`` or ``RGBA``, any size.

    Source: J. Buchner, imagehash 4.3.2, https://github.com/JohannesBuchner/imagehash, checked 2026-11-22.
    """
    load_scipy()  # which imagehash loads
    import imagehash

    small = flatten(picture.reduce(max(1, min(picture.size) // _HASHED_EDGE_PX)))
    grey = small.convert("L")
    return Fingerprint(
        phash=str(imagehash.phash(grey)),
        dhash=str(imagehash.dhash(grey)),
        colorhash=str(imagehash.colorhash(small.reduce(2), binbits=COLOUR_BITS_PER_BIN)),
        colours=_colours(small),
    )


def _colours(picture: Image.Image) -> dict[str, float]:
    cells = picture.resize((COLOUR_CELLS, COLOUR_CELLS), Image.Resampling.BOX).convert("YCbCr")
    levels = np.asarray(cells).astype(float) - 128
    return {
        f"{name}_{row}{column}": float(levels[row, column, channel])
        for channel, name in ((1, "cb"), (2, "cr"))
        for row in range(COLOUR_CELLS)
        for column in range(COLOUR_CELLS)
    }


def to_hashes(hex_digits: Sequence[str]) -> Hashes:
    """Turn hashes of 16 hex digits into unsigned 64-bit integers, in order.

    Raises:
        ValueError: One of them is not a hexadecimal number of at most 64 bits.
    """
    numbers = [int(digits, 16) for digits in hex_digits]
    if any(number >> HASH_BITS for number in numbers):
        message = f"a hash has more than {HASH_BITS} bits"
        raise ValueError(message)
    return np.array(numbers, dtype=np.uint64)


def distances_bits(some: Hashes, others: Hashes) -> NDArray[np.uint8]:
    """Count the bits in which hashes differ, 0-64; the arrays are broadcast against each other."""
    return np.bitwise_count(np.bitwise_xor(some, others))


def distance_bits(some: str, other: str) -> int:
    """Count the bits in which two hashes of equally many hex digits differ.

    Example:
        >>> distance_bits("00000000000000ff", "000000000000000f")
        4
    """
    return (int(some, 16) ^ int(other, 16)).bit_count()


def hash_distance_bits(one: Candidate, other: Candidate, hash_name: HashName) -> int | None:
    """Count the bits, 0-64, in which a hash of two pictures differs; ``None`` where one has none.

    Args:
        one: A picture.
        other: Another picture.
        hash_name: The hash to compare.
    """
    digits, others = one.hash_digits(hash_name), other.hash_digits(hash_name)
    return None if digits is None or others is None else distance_bits(digits, others)


def near_pairs(hashes: Hashes, radius_bits: int) -> Pairs:
    """Find all pairs of hashes that differ in at most ``radius_bits`` bits; none is missed.

    Args:
        hashes: uint64, shape (n,). Equal hashes are pairs too, so collapse them first if there may be
            many: m equal hashes alone give m (m - 1) / 2 pairs.
        radius_bits: 0-64.

    Returns:
        int64, shape (pairs, 2): positions in ``hashes``, the smaller one first, sorted, each pair once.
        Memory grows with the number of pairs found and with n, never with n squared.
    """
    if len(hashes) <= _ALL_PAIRS_UP_TO or radius_bits >= HASH_BITS:
        found = list(_pairs_in_block(hashes, np.arange(len(hashes)), radius_bits))
    else:
        found = [
            pairs for mask in _slices(radius_bits + 1) for pairs in _pairs_in_slice(hashes, mask, radius_bits)
        ]
    if not found:
        return np.empty((0, 2), dtype=np.int64)
    return np.unique(np.concatenate(found), axis=0)


def _slices(count: int) -> list[np.uint64]:
    """Cut 64 bits into masks of nearly equal width.

    Bits are assigned in turn: neighbouring bits of a hash correlate, and would give few, large buckets.
    """
    masks = [0] * count
    for bit in range(HASH_BITS):
        masks[bit % count] |= 1 << bit
    return [np.uint64(mask) for mask in masks]


def _pairs_in_slice(hashes: Hashes, mask: np.uint64, radius_bits: int) -> Iterator[Pairs]:
    keys = hashes & mask
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order])) + 1
    for bucket in np.split(order, starts):
        if len(bucket) > 1:
            yield from _pairs_in_block(hashes[bucket], bucket, radius_bits)


def _pairs_in_block(hashes: Hashes, positions: NDArray[np.int64], radius_bits: int) -> Iterator[Pairs]:
    """Compare all pairs, tile by tile, and yield positions of near pairs."""
    for top in range(0, len(hashes), _TILE):
        for left in range(top, len(hashes), _TILE):
            near = (
                distances_bits(hashes[top : top + _TILE, None], hashes[None, left : left + _TILE])
                <= radius_bits
            )
            rows, columns = np.nonzero(np.triu(near, 1) if left == top else near)
            if len(rows):
                pairs = np.stack([positions[rows + top], positions[columns + left]], axis=1)
                yield np.sort(pairs, axis=1)
