"""How often the technical score falls with every step of damage, on real photographs.

Each photograph goes through ladders of graded damage; the first step is the photograph itself, or for
exposure the photograph well exposed, because brightening a dark one is no damage. A step is right when the
more damaged picture has the lower score; a ladder is right when all its steps are. Steps of a picture whose
score is already near zero (0.005, for instance all white) are not counted, nor are steps that change no
figure: a drawing that is all white and black cannot be brightened. Target: for each ladder, at least
95 % of the photographs are ranked right from the first step to the last.

The photographs are those of ``dedup_photographs.py``: scikit-image's own, and with ``--folder`` many more
from Debian packages, as described there; of several of one place only the first. Images from microscopes and
telescopes are among them, and calibration boards. With ``--stock``, the photographs of web page templates in
a folder, as described in ``stock_photographs.py``; only those of its second set were not used for fitting.

    python -m benchmarks.technical_ladders --folder photographs
    python -m benchmarks.technical_ladders --stock held-out
"""

import argparse
import io
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter, ImageOps
from scipy.optimize import brentq
from statsmodels.stats.proportion import proportion_confint

from benchmarks.dedup_photographs import FRAMES_OF_A_FILM, ONE_PLACE, find_photographs
from benchmarks.stock_photographs import find_stock_photographs
from tasks.scorers.technical import technical_score
from tasks.scorers.technical_figures import measure

TARGET = 0.95
WORTHLESS = 0.005
MEAN = 0.45
WHITE = 0.97
WHITE_GROUND = 0.3
"""Share of white from which it is the ground, and not a light."""
STRONGEST_GAMMA = 20.0

Damage = Callable[[Image.Image, float], Image.Image]


def blur(picture: Image.Image, share: float) -> Image.Image:
    """Make it softer by a Gaussian; its radius is a share of the longer edge."""
    return picture.filter(ImageFilter.GaussianBlur(share * max(picture.size)))


def add_noise(picture: Image.Image, levels: float) -> Image.Image:
    """Add white noise to each channel."""
    grain = np.random.default_rng(1).normal(0, levels, (picture.height, picture.width, 3))
    return Image.fromarray(np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8))


def squeeze(picture: Image.Image, quality: float) -> Image.Image:
    """Compress it as JPEG."""
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=round(quality))
    with Image.open(data) as decoded:
        return decoded.convert("RGB")


def meter(picture: Image.Image) -> Image.Image:
    """Expose as a camera's automatic would: the range stretched to white, the mean to 45 % by gamma.

    Of a picture on white the subject is metered, as by a spot meter: a black product on white would count as
    well exposed as a whole, and brightening it would be no damage. What stays brighter whatever the gamma is
    left as it is.
    """
    levels = np.asarray(ImageOps.autocontrast(picture, cutoff=0.5, preserve_tone=True)) / 255
    is_white = levels.min(axis=2) > WHITE
    subject = levels[~is_white] if is_white.mean() > WHITE_GROUND else levels
    if float((subject**STRONGEST_GAMMA).mean()) >= MEAN:
        return picture
    gamma = brentq(lambda power: float((subject**power).mean()) - MEAN, 0.05, STRONGEST_GAMMA)
    return Image.fromarray(np.round(levels**gamma * 255).astype(np.uint8))


def expose(picture: Image.Image, stops: float) -> Image.Image:
    """Multiply the light and clip, in linear light as a camera would."""
    linear = (np.asarray(picture) / 255) ** 2.2 * 2.0**stops
    return Image.fromarray(np.round(np.clip(linear, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8))


def fade(picture: Image.Image, share: float) -> Image.Image:
    """Mix it with grey."""
    return Image.blend(picture, Image.new("RGB", picture.size, (128, 128, 128)), share)


def frame(picture: Image.Image, share: float) -> Image.Image:
    """Paint bars over the upper and the lower part."""
    barred, bar = picture.copy(), round(picture.height * share / 2)
    barred.paste("black", (0, 0, picture.width, bar))
    barred.paste("black", (0, picture.height - bar, *picture.size))
    return barred


LADDERS: Mapping[str, tuple[Damage, tuple[float, ...]]] = {
    "blur (share of the edge)": (blur, (0.002, 0.004, 0.008, 0.016)),
    "noise (levels)": (add_noise, (8, 16, 32, 64)),
    "JPEG (quality)": (squeeze, (50, 20, 10, 5)),
    "too dark (stops)": (expose, (-1.5, -3, -4.5, -6)),
    "too bright (stops)": (expose, (1, 2, 3, 4)),
    "faded (share)": (fade, (0.3, 0.5, 0.7, 0.9)),
    "barred (share)": (frame, (0.1, 0.2, 0.4, 0.6)),
}


def judge(picture: Image.Image) -> float:
    """Measure and score in one go."""
    return _value(measure(picture))


def _value(figures: Mapping[str, float]) -> float:
    value = technical_score(figures).value
    assert value is not None
    return value


def climb(picture: Image.Image, ladder: str) -> list[float]:
    """Give the values of the photograph and of its rungs, without those that change no figure."""
    damage, grades = LADDERS[ladder]
    if damage is expose:
        picture = meter(picture)
    rungs = [measure(picture), *(measure(damage(picture, grade)) for grade in grades)]
    changed = [rung for place, rung in enumerate(rungs) if not place or rung != rungs[place - 1]]
    return [_value(rung) for rung in changed]


def steps_right(values: list[float]) -> list[bool]:
    """Return for each step that counts whether the score falls."""
    return [better > worse for better, worse in pairwise(values) if better >= WORTHLESS]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, help="where the Debian packages were unpacked")
    parser.add_argument("--stock", type=Path, help="where npm packages of templates were unpacked")
    options = parser.parse_args()
    photographs = find_stock_photographs(options.stock) if options.stock else _find_others(options.folder)
    print(f"{len(photographs)} photographs\n")
    print("| ladder | grades | ladders right | steps right | wrong |\n|---|---|---|---|---|")
    for ladder, (_, grades) in LADDERS.items():
        climbed = {name: climb(picture, ladder) for name, picture in photographs.items()}
        right = {name: steps_right(values) for name, values in climbed.items()}
        whole, steps = sum(map(all, right.values())), [step for some in right.values() for step in some]
        low, high = proportion_confint(whole, len(right), method="wilson")
        wrong = ", ".join(
            f"{name} {'>'.join(f'{value:.3f}' for value in climbed[name])}"
            for name, ok in right.items()
            if not all(ok)
        )
        print(
            f"| {ladder} | {', '.join(f'{grade:g}' for grade in grades)} | {whole / len(right):.1%}"
            f" ({low:.0%}-{high:.0%}) | {sum(steps) / len(steps):.1%} | {wrong} |",
            flush=True,
        )


def _find_others(folder: Path | None) -> dict[str, Image.Image]:
    if folder is None:
        print("Only the photographs that scikit-image ships: no --folder was given (see --help).")
    seconds = {*ONE_PLACE, *FRAMES_OF_A_FILM}
    return {name: one for name, one in find_photographs(folder).items() if name not in seconds}


if __name__ == "__main__":
    main()
