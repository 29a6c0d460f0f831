"""How well fidelity separates a finer rendering of the same picture from another picture.

Photographs from scikit-image's wheel are changed as a better rendering would change them, and compared with
one another, with their mirror images and with themselves in other colours. Pictures of the emulator's
painter are compared with its finer edits of them, with edits that drift, and with other replicates of the
same prompt. The first group should stay above 0.75, the others below 0.6.

Run: python -m benchmarks.fidelity
"""

import io
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from statistics import median

import numpy as np
import skimage.data
from PIL import Image, ImageEnhance, ImageFilter

from tasks.candidate import Fidelity
from tasks.compare import measure_fidelity
from tasks.emulator.painting.retouch import as_image, repaint
from tasks.emulator.painting.scene import paint_scene

PHOTOGRAPHS = (
    "astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png", "coins.png",
    "grass.png", "gravel.png", "ihc.png", "motorcycle_left.png", "page.png", "rocket.jpg",
)  # fmt: skip
PROMPTS = (
    "A baby sea otter swimming on its back, watercolour",
    "A lighthouse at dusk, studio photograph",
    "A red mug on a table, flat poster",
    "A cat asleep in a garden at night",
    "A mountain village in snow, oil painting",
    "A perfume bottle on marble, product photograph",
)
Change = Callable[[Image.Image], Image.Image]


def finer(picture: Image.Image) -> Image.Image:
    """Draw it twice as large and sharper."""
    larger = picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.LANCZOS)
    return larger.filter(ImageFilter.UnsharpMask(3, 120, 2))


def warmer(picture: Image.Image) -> Image.Image:
    """Shift the colours a little towards red."""
    red, green, blue = picture.split()
    more, less = ([min(255, round(level * gain)) for level in range(256)] for gain in (1.06, 0.93))
    return Image.merge("RGB", (red.point(more), green, blue.point(less)))


def moved(picture: Image.Image) -> Image.Image:
    """Cut 1 % off the left and the top and stretch the rest."""
    cut = picture.width // 100
    return picture.crop((cut, cut, picture.width, picture.height)).resize(
        picture.size, Image.Resampling.BICUBIC
    )


def grainy(picture: Image.Image) -> Image.Image:
    """Add grain."""
    grain = np.random.default_rng(1).normal(0, 12, (picture.height, picture.width, 3))
    return Image.fromarray(np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8))


def widened(picture: Image.Image) -> Image.Image:
    """Extend both sides, to one and a half times the width."""
    width = picture.width * 3 // 2
    canvas = picture.resize((width, picture.height)).filter(ImageFilter.GaussianBlur(20))
    canvas.paste(picture, ((width - picture.width) // 2, 0))
    return canvas


def trimmed(picture: Image.Image) -> Image.Image:
    """Cut an eighth off above and below."""
    eighth = picture.height // 8
    return picture.crop((0, eighth, picture.width, picture.height - eighth))


def recoloured(picture: Image.Image) -> Image.Image:
    """Exchange red and blue."""
    return Image.merge("RGB", picture.split()[::-1])


def mirrored(picture: Image.Image) -> Image.Image:
    """Exchange left and right."""
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


SAME: dict[str, Change] = {
    "finer": finer,
    "warmer": warmer,
    "brighter 12 %": lambda picture: ImageEnhance.Brightness(picture).enhance(1.12),
    "more contrast": lambda picture: ImageEnhance.Contrast(picture).enhance(1.2),
    "moved 1 %": moved,
    "grainy": grainy,
    "brushed smooth": lambda picture: picture.filter(ImageFilter.MedianFilter(5)),
    "finer, warmer, moved": lambda picture: moved(warmer(finer(picture))),
    "continued to the sides": widened,
    "trimmed": trimmed,
}  # fmt: skip


def photographs() -> dict[str, Image.Image]:
    """Load the photographs from disk."""
    folder = Path(skimage.data.__file__).parent
    return {name: Image.open(folder / name).convert("RGB") for name in PHOTOGRAPHS}


def painted(prompt: str, seed: int, edge_px: int, tier: str) -> Image.Image:
    """Paint one replicate of a prompt."""
    scene = paint_scene(prompt, seed, (edge_px, edge_px), tier, bare=False)
    return as_image(scene.pixels).convert("RGB").resize((edge_px, edge_px))


def edited(draft: Image.Image, prompt: str, size: tuple[int, int]) -> Image.Image:
    """Let the emulator's painter draw a draft again at high quality."""
    stream = io.BytesIO()
    draft.save(stream, "PNG")
    return repaint(stream.getvalue(), prompt, 9, size, "high")


def couples() -> Iterator[tuple[str, Image.Image, Image.Image]]:
    """List what is compared: kind, draft and final."""
    loaded = photographs()
    for kind, change in SAME.items():
        yield from ((f"same: {kind}", photograph, change(photograph)) for photograph in loaded.values())
    for prompt in PROMPTS:
        drafts = [painted(prompt, seed, 512, "low") for seed in range(3)]
        for seed, draft in enumerate(drafts):
            yield "same: emulator's edit", draft, edited(draft, prompt, (1024, 1024))
            yield "same: emulator's wide edit", draft, edited(draft, prompt, (1536, 1024))
            yield "other: emulator's drifted edit", draft, painted(prompt, 100 + seed, 1024, "high")
        yield from (("other: replicate of the prompt", *couple) for couple in combinations(drafts, 2))
    yield from (("other: photograph", *couple) for couple in combinations(loaded.values(), 2))
    yield from (("other: mirrored", photograph, mirrored(photograph)) for photograph in loaded.values())
    coloured = [picture for picture in loaded.values() if np.asarray(picture).std(axis=2).mean() > 10]
    yield from (("other: red for blue", photograph, recoloured(photograph)) for photograph in coloured)


def main() -> None:
    """Print lowest, middle and highest fidelity of each kind, and the time one comparison takes."""
    found: dict[str, list[Fidelity]] = {}
    started, spent = time.perf_counter(), 0.0
    with tempfile.TemporaryDirectory() as folder:
        for kind, draft, final in couples():
            files = Path(folder, "draft.png"), Path(folder, "final.png")
            draft.save(files[0], compress_level=1)
            final.save(files[1], compress_level=1)
            started = time.perf_counter()
            found.setdefault(kind, []).append(measure_fidelity(*files))
            spent += time.perf_counter() - started
    print(f"{'kind':32} couples | fidelity: low middle high | structure | bits | palette")
    for kind, all_of_kind in found.items():
        values = [fidelity.value for fidelity in all_of_kind]
        ranges = [
            f"{min(figures):.2f}-{max(figures):.2f}"
            for figures in (
                [fidelity.ssim for fidelity in all_of_kind],
                [fidelity.hash_distance_bits for fidelity in all_of_kind],
                [fidelity.palette for fidelity in all_of_kind],
            )
        ]
        figures = f"{min(values):.2f} {median(values):.2f} {max(values):.2f}"
        print(f"{kind:32} {len(values):7} | {figures:>25} | {' | '.join(ranges)}")
    print(f"{1000 * spent / sum(map(len, found.values())):.0f} ms a comparison, reading both files included")


if __name__ == "__main__":
    main()
