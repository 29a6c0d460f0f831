"""What the technical score says of undamaged pictures of many styles, and of the same pictures damaged.

A score that is fair to styles gives undamaged ones 0.7 at least, whatever their style, and heavily damaged
ones less than any of them: then "B beats A" does not mean that B asked for another style. Given are, for each
style (``style_pictures.py``): the median, the lowest tenth and the share from 0.7 of undamaged pictures; the
medians through JPEG 10, blurred by 0.8 % of the edge (6 px of 768), and with noise of 32 levels; and how
often a picture scores more than itself damaged so.

The curves were fitted to the even half: ``--half fitted``. Photographs are scikit-image's, with ``--stock``
also those of ``stock_photographs.py``, whose sets are one for each half.

    python -m benchmarks.technical_styles --stock held-out
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.dedup_photographs import FRAMES_OF_A_FILM, ONE_PLACE, find_photographs
from benchmarks.stock_photographs import find_stock_photographs
from benchmarks.style_pictures import STYLES, Sources, make
from benchmarks.technical_ladders import LADDERS, judge

FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
HEAVY = {"JPEG (quality)": 10, "blur (share of the edge)": 0.008, "noise (levels)": 32}
GOOD = 0.7
FIRST = {"fitted": 0, "held-out": 1000}
NO_PICTURES = {"cell.png", "hubble_deep_field.jpg", "moon.png", "ihc.png", "retina.jpg"}
"""From microscopes and telescopes: nothing to make a style of."""


def find_half(half: str, stock: Path | None) -> dict[str, Image.Image]:
    """Find the photographs of a half: every other one of scikit-image's, and those of a folder."""
    left_out = {*ONE_PLACE, *FRAMES_OF_A_FILM, *NO_PICTURES}
    own = {name: one for name, one in sorted(find_photographs(None).items()) if name not in left_out}
    chosen = {name: own[name] for place, name in enumerate(own) if place % 2 == list(FIRST).index(half)}
    return chosen | (find_stock_photographs(stock) if stock else {})


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stock", type=Path, help="where npm packages of templates were unpacked")
    parser.add_argument("--half", choices=list(FIRST), default="held-out")
    parser.add_argument("--count", type=int, default=16, help="pictures of each style")
    parser.add_argument("--font", type=Path, default=FONT, help="colour emoji")
    options = parser.parse_args()
    photographs = find_half(options.half, options.stock)
    sources = Sources(photographs, options.font)
    print(f"{len(photographs)} photographs, {options.count} pictures of each style\n")
    names = " | ".join(f"{ladder.partition(' ')[0]} {grade:g}" for ladder, grade in HEAVY.items())
    print(f"| style | median | lowest tenth | from {GOOD} | {names} | above its damaged selves |")
    print("|---|---|---|---|" + "---|" * (len(HEAVY) + 1))
    for style in STYLES:
        whole, damaged = [], []
        for picture in make(style, sources, options.count, FIRST[options.half]):
            whole.append(judge(picture))
            damaged.append([judge(LADDERS[ladder][0](picture, grade)) for ladder, grade in HEAVY.items()])
        values, worse = np.array(whole), np.array(damaged)
        figures = [np.median(values), np.quantile(values, 0.1), *np.median(worse, axis=0)]
        middle, tenth, *medians = (f"{figure:.2f}" for figure in figures)
        good, above = (
            f"{share:.0%}" for share in (np.mean(values >= GOOD), np.mean(values[:, None] > worse))
        )
        print(f"| {' | '.join([style, middle, tenth, good, *medians, above])} |", flush=True)


if __name__ == "__main__":
    main()
