"""ICC profiles of cameras, phones and presses, written by the specification, and their colours by arithmetic.

Source: ICC.1:2022 and ICC.1:2001; Adobe RGB (1998) Color Image Encoding, version 2005-05; SMPTE EG 432-1 for
P3. The primaries are adapted to D50 by Bradford's matrix.
"""

import struct
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ADOBE_RGB = ((0.60974, 0.20528, 0.14919), (0.31111, 0.62567, 0.06322), (0.01947, 0.06087, 0.74457))
_DISPLAY_P3 = ((0.51512, 0.29198, 0.15710), (0.24120, 0.69225, 0.06657), (-0.00105, 0.04189, 0.78407))
_SRGB = ((0.43607, 0.38515, 0.14307), (0.22249, 0.71687, 0.06061), (0.01392, 0.09708, 0.71410))
_D50 = (0.96420, 1.0, 0.82491)
_ADOBE_GAMMA = 563 / 256


def _srgb_to_light(levels: Floats) -> Floats:
    """IEC 61966-2-1."""
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)


def _light_to_srgb(light: Floats) -> Floats:
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def in_srgb(space: str, colour: Sequence[int]) -> list[int]:
    """Compute what a colour of ``Adobe RGB`` or ``Display P3`` is in sRGB, 0-255, cut off outside of it."""
    levels = np.array(colour) / 255
    light = levels**_ADOBE_GAMMA if space == "Adobe RGB" else _srgb_to_light(levels)
    matrix = np.array(_ADOBE_RGB if space == "Adobe RGB" else _DISPLAY_P3)
    return [round(255 * level) for level in _light_to_srgb(np.linalg.inv(np.array(_SRGB)) @ matrix @ light)]


def _fixed(numbers: Sequence[float]) -> bytes:
    return b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)


def _curve(points: Floats | None, gamma: float = 1) -> bytes:
    if points is None:
        return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    levels = (points * 65535).round().astype(">u2")
    return b"curv" + bytes(4) + struct.pack(">I", len(levels)) + levels.tobytes()


def profile(kind: bytes, space: bytes, pcs: bytes, tags: Mapping[bytes, bytes], version: int = 2) -> bytes:
    """Write a profile.

    Args:
        kind: Its class, such as ``mntr``.
        space: Its colour space, such as ``RGB ``.
        pcs: ``XYZ `` or ``Lab ``.
        tags: Their content by signature.
        version: 2 or 4.
    """
    at = 132 + 12 * len(tags)
    table, content = struct.pack(">I", len(tags)), b""
    for name, tag in tags.items():
        table += name + struct.pack(">II", at + len(content), len(tag))
        content += tag + bytes(-len(tag) % 4)
    head = struct.pack(
        ">I4sI4s4s4s12s4s", at + len(content), b"", version << 24, kind, space, pcs, b"", b"acsp"
    )
    head = head.ljust(68, b"\0") + _fixed(_D50)
    return head.ljust(128, b"\0") + table + content


def _of_matrix(matrix: Sequence[Sequence[float]], curve: bytes, **more: bytes) -> bytes:
    tags = {b"wtpt": b"XYZ " + bytes(4) + _fixed(_D50)}
    for index, name in enumerate(b"rgb"):
        tags[bytes([name]) + b"XYZ"] = b"XYZ " + bytes(4) + _fixed([row[index] for row in matrix])
        tags[bytes([name]) + b"TRC"] = curve
    return profile(b"mntr", b"RGB ", b"XYZ ", tags | {name.encode(): tag for name, tag in more.items()})


_STEPS = np.linspace(0, 1, 1024)
ADOBE_RGB = _of_matrix(_ADOBE_RGB, _curve(None, _ADOBE_GAMMA))
DISPLAY_P3 = _of_matrix(_DISPLAY_P3, _curve(_srgb_to_light(_STEPS)))
SRGB = _of_matrix(_SRGB, _curve(_srgb_to_light(_STEPS)))
LINEAR_GREY = profile(
    b"mntr", b"GRAY", b"XYZ ", {b"wtpt": b"XYZ " + bytes(4) + _fixed(_D50), b"kTRC": _curve(None)}
)


def _press() -> bytes:
    """Write the profile of a press whose cyan is pure green on paper: no guess comes near it."""
    corners = []
    for corner in range(16):
        cyan, *_ = inks = [corner >> shift & 1 for shift in (3, 2, 1, 0)]
        light = 100 * (1 - sum(inks) / 4)
        corners += [round(light * 2.55), 128 - 100 * cyan, 128 + 60 * cyan]
    identity = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + _fixed(np.eye(3).ravel().tolist())
    table += identity * 4 + bytes(corners) + identity * 3
    return profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table, b"wtpt": b"XYZ " + bytes(4) + _fixed(_D50)})


PRESS = _press()


def endless(count: int) -> bytes:
    """Write Display P3 with an alternative of many operations on each colour, all stored once."""
    operation = (
        b"matf"
        + bytes(4)
        + struct.pack(">HH", 3, 3)
        + np.append(np.eye(3).ravel(), [0] * 3).astype(">f4").tobytes()
    )
    start = 16 + 8 * count
    positions = struct.pack(">II", start, len(operation)) * count
    chain = b"mpet" + bytes(4) + struct.pack(">HHI", 3, 3, count) + positions + operation
    return _of_matrix(_DISPLAY_P3, _curve(_srgb_to_light(_STEPS)), D2B0=chain)
