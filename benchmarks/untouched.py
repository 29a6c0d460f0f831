"""Whether the score ``untouched`` falls with every step of damage outside a mask, and with none inside it.

On each of scikit-image's photographs; the mask is a box in the middle. Ladders: something else pasted outside
the box, larger and larger; and everything in another light, more and more. A step is right when it lowers
the value, a ladder when all its steps are. Kept: the box filled with another photograph, everything redrawn a
little (moved by half a percent, through JPEG 80): the value should stay near 1. Last, of how many photographs
the kept one is worth more than the least damaged one.

Run: python -m benchmarks.untouched
"""

import io
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance

from benchmarks.dedup_photographs import find_photographs
from benchmarks.figures import write_figures
from tasks.pictures.untouched import compare_outside

EDGE_PX = 640
PATCHES = (0.0, 0.05, 0.1, 0.15, 0.2)
"""Edges of what is pasted, of the picture's edges: 0.25 % to 4 % of its area."""
LIGHTS = (1.0, 1.08, 1.16, 1.3)
BOX = (0.35, 0.35, 0.65, 0.65)


def main() -> None:
    """Print the table and write it into the README."""
    pictures = [
        picture.convert("RGB").resize((EDGE_PX, EDGE_PX)) for picture in find_photographs(None).values()
    ]
    pairs = list(zip(pictures, [*pictures[1:], pictures[0]], strict=True))
    mask = _mask()
    ladders = {
        "pasted outside, " + ", ".join(f"{patch**2:.2%}" for patch in PATCHES) + " of the area": _pasted,
        "another light, x " + ", ".join(f"{light:g}" for light in LIGHTS): _lit,
    }
    lines = [
        f"`python -m benchmarks.untouched`: {len(pairs)} photographs of scikit-image, a box in the middle"
        " inpainted.",
        "",
        "| ladder | steps right | ladders right | value, first to last (median) |",
        "|---|---|---|---|",
    ]
    for name, ladder in ladders.items():
        values = [_values(one, ladder(one, other), mask) for one, other in pairs]
        steps = [before > after for each in values for before, after in pairwise(each)]
        whole = [all(before > after for before, after in pairwise(each)) for each in values]
        medians = " ".join(f"{value:.3f}" for value in np.median(values, axis=0))
        lines.append(f"| {name} | {np.mean(steps):.1%} | {np.mean(whole):.1%} | {medians} |")
    kept = [_values(one, [_redrawn(_inpainted(one, other))], mask)[0] for one, other in pairs]
    least = [_values(one, [list(_pasted(one, other))[1]], mask)[0] for one, other in pairs]
    apart = np.mean([best > worse for best, worse in zip(kept, least, strict=True)])
    lines += [
        "",
        f"Inpainted, moved by 0.5 % and through JPEG 80, nothing else changed: {np.median(kept):.3f}"
        f" (median), {min(kept):.3f} at least; worth more than with {PATCHES[1] ** 2:.2%} pasted outside:"
        f" {apart:.1%}.",
    ]
    text = "\n".join(lines)
    print(text)
    write_figures("benchmarks.untouched", text)


def _values(
    before: Image.Image, steps: Sequence[Image.Image] | Iterator[Image.Image], mask: Image.Image
) -> list[float]:
    found = [compare_outside(before, step, mask) for step in steps]
    return [0.0 if one is None else one.value for one in found]


def _box() -> tuple[int, int, int, int]:
    left, top, right, bottom = (round(share * EDGE_PX) for share in BOX)
    return left, top, right, bottom


def _mask() -> Image.Image:
    mask = Image.new("RGBA", (EDGE_PX, EDGE_PX), (0, 0, 0, 255))
    ImageDraw.Draw(mask).rectangle(_box(), fill=(0, 0, 0, 0))
    return mask


def _inpainted(one: Image.Image, other: Image.Image) -> Image.Image:
    changed = one.copy()
    left, top, right, bottom = _box()
    changed.paste(other.resize((right - left, bottom - top)), (left, top))
    return changed


def _pasted(one: Image.Image, other: Image.Image) -> Iterator[Image.Image]:
    for patch in PATCHES:
        changed, edge = _inpainted(one, other), round(patch * EDGE_PX)
        if edge:
            changed.paste(other.resize((edge, edge)), (EDGE_PX // 10, EDGE_PX // 10))
        yield changed


def _lit(one: Image.Image, other: Image.Image) -> Iterator[Image.Image]:
    return (ImageEnhance.Brightness(_inpainted(one, other)).enhance(light) for light in LIGHTS)


def _redrawn(picture: Image.Image) -> Image.Image:
    shift = round(0.005 * EDGE_PX)
    moved = picture.crop((shift, shift, EDGE_PX, EDGE_PX)).resize(picture.size, Image.Resampling.LANCZOS)
    data = io.BytesIO()
    moved.save(data, "JPEG", quality=80)
    return Image.open(data).convert("RGB")


if __name__ == "__main__":
    main()
