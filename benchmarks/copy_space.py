"""Whether the score for copy space falls with every step by which a box takes lettering less well.

Ladders on each of scikit-image's photographs, the box being the left half: the photograph itself laid over a
plain light ground, stronger and stronger; and the photograph itself, blurred less and less. A step is right
when it lowers the value, a ladder when all its steps are. Then, for all boxes: how often lettering of the
better ink really is as clear as said, by the contrast of drawn letters with the pixels around them.

Run: python -m benchmarks.copy_space
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from scipy.ndimage import binary_dilation
from scipy.stats import spearmanr

from benchmarks.dedup_photographs import find_photographs
from benchmarks.figures import write_figures
from tasks.scorers.copy_space import BoxFigures, measure_box, relative_luminance

OPACITIES = (0.0, 0.1, 0.2, 0.4, 0.8)
BLURS = (0.08, 0.04, 0.02, 0.01, 0.0)
"""Of the longer edge."""
GROUND = (238, 238, 234)


def main() -> None:
    """Print the tables and write them into the README."""
    boxes = [_left_half(picture) for picture in find_photographs(None).values()]
    ladders = {
        "laid over a plain ground, " + ", ".join(f"{opacity:.0%}" for opacity in OPACITIES): _laid_over,
        "blurred by " + ", ".join(f"{blur:.0%}" for blur in BLURS) + " of its edge": _blurred,
    }
    lines = [
        f"`python -m benchmarks.copy_space`: {len(boxes)} photographs of scikit-image, their left half"
        " being the box.",
        "",
        "| ladder | steps right | ladders right |",
        "|---|---|---|",
    ]
    for name, ladder in ladders.items():
        values = [[figures.value for figures in map(_measured, ladder(box))] for box in boxes]
        steps = [one > other for each in values for one, other in pairwise(each)]
        whole = [all(one > other for one, other in pairwise(each)) for each in values]
        lines.append(f"| {name} | {np.mean(steps):.1%} | {np.mean(whole):.1%} |")
    said, seen = zip(*(_agreement(step) for box in boxes for step in _laid_over(box)), strict=True)
    rank = spearmanr(said, seen).statistic
    lines += [
        "",
        f"Contrast as said and as drawn letters have it, {len(said)} boxes: rank correlation {rank:.2f}.",
    ]
    text = "\n".join(lines)
    print(text)
    write_figures("benchmarks.copy_space", text)


def _left_half(picture: Image.Image) -> Image.Image:
    return picture.convert("RGB").crop((0, 0, picture.width // 2, picture.height))


def _measured(box: Image.Image) -> BoxFigures:
    found = measure_box(box)
    assert found is not None
    return found


def _laid_over(box: Image.Image) -> Iterator[Image.Image]:
    ground = Image.new("RGB", box.size, GROUND)
    return (Image.blend(ground, box, opacity) for opacity in OPACITIES)


def _blurred(box: Image.Image) -> Iterator[Image.Image]:
    return (box.filter(ImageFilter.GaussianBlur(blur * max(box.size))) for blur in BLURS)


def _agreement(box: Image.Image) -> tuple[float, float]:
    """Return the contrast that is said, and that of drawn letters with what is around them."""
    figures = _measured(box)
    ink = "black" if figures.contrast_black >= figures.contrast_white else "white"
    size = max(8, min(box.size) // 8)
    drawn = Image.new("L", box.size, 0)
    brush, font = ImageDraw.Draw(drawn), ImageFont.load_default(size)
    for top in range(0, box.height - size, size * 2):
        brush.text((0, top), "HEADLINE " * 12, fill=255, font=font)
    letters = np.asarray(drawn) > 127
    around = binary_dilation(letters, iterations=max(1, size // 8)) & ~letters
    ground = relative_luminance(np.asarray(box, dtype=np.float64) / 255)[around]
    worst = np.quantile(ground, 0.05 if ink == "black" else 0.95)
    return figures.contrast, float((worst + 0.05) / 0.05 if ink == "black" else 1.05 / (worst + 0.05))


if __name__ == "__main__":
    main()
