"""Whether the score ``framing`` tells a subject that the frame cuts from a whole one.

Subjects are cut-outs that the emulator paints; they stand on five grounds, whole or moved beyond one of the
four sides by a share of their own size. Each also stands alone, transparent. Nothing should be said of
photographs without a plain ground.

Run: python -m benchmarks.framing
"""

import numpy as np
from PIL import Image, ImageFilter

from benchmarks.dedup_photographs import find_photographs
from benchmarks.figures import write_figures
from tasks.emulator.images_request import ImagesRequest
from tasks.emulator.models import MODELS
from tasks.emulator.painter import paint
from tasks.emulator.replicates import Replicate
from tasks.pictures.decoding import decode
from tasks.scorers.framing import look_along_rim

EDGE_PX = 640
SUBJECTS = ("lamp", "vase", "fox", "owl", "cat", "rabbit", "boat", "house", "bear", "panda")
"""Other ones than those that the limits were chosen by: bottle, shoe, mug, chair and watch."""
FIRST_SEED = 100
SIDES = ((-1, 0), (1, 0), (0, -1), (0, 1))
BEYOND = (0.0, 0.05, 0.15, 0.3, 0.5)
GROUNDS = ("white", "grey gradient", "wall and floor", "soft light", "paper", "transparent")


def main() -> None:
    """Print the table and write it into the README."""
    subjects = [_cut_out(name, seed) for seed, name in enumerate(SUBJECTS, FIRST_SEED)]
    lines = [
        f"`python -m benchmarks.framing`: {len(subjects)} painted subjects, each moved beyond each side.",
        "",
        "| ground | whole, and said so | "
        + " | ".join(f"{share:.0%} beyond, found" for share in BEYOND[1:])
        + " | nothing said |",
        "|---|" + "---|" * (len(BEYOND) + 1),
    ]
    for ground in GROUNDS:
        lines.append(_row(ground, subjects))
    told = [look_along_rim(picture).cut_share for picture in find_photographs(None).values()]
    silent = np.mean([share is None for share in told])
    lines += ["", f"Of {len(told)} photographs, nothing is said of {silent:.1%}."]
    text = "\n".join(lines)
    print(text)
    write_figures("benchmarks.framing", text)


def _row(ground: str, subjects: list[Image.Image]) -> str:
    ladders = [
        [look_along_rim(_placed(subject, ground, side, beyond)) for beyond in BEYOND]
        for subject in subjects
        for side in SIDES
    ]
    whole = np.mean([ladder[0].cut_share == 0 for ladder in ladders])
    found = [np.mean([bool(ladder[step].cut_share) for ladder in ladders]) for step in range(1, len(BEYOND))]
    silent = np.mean([one.cut_share is None for ladder in ladders for one in ladder])
    cells = [whole, *found, silent]
    return f"| {ground} | " + " | ".join(f"{cell:.1%}" for cell in cells) + " |"


def _cut_out(name: str, seed: int) -> Image.Image:
    size = (EDGE_PX, EDGE_PX)
    request = ImagesRequest(
        "generations", MODELS["gpt-image-1-mini"], f"a {name}", tier="low", size=size, transparent=True
    )
    picture = decode(paint(request, Replicate(seed, None, False), "scene")).convert("RGBA")
    box = picture.getchannel("A").point(lambda level: 255 * (level > 127)).getbbox()
    subject = picture.crop(box)
    scale = 0.55 * EDGE_PX / max(subject.size)
    return subject.resize((max(1, round(subject.width * scale)), max(1, round(subject.height * scale))))


def _placed(subject: Image.Image, ground: str, side: tuple[int, int], beyond: float) -> Image.Image:
    canvas = _ground(ground)
    middle = [(EDGE_PX - subject.width) / 2, (EDGE_PX - subject.height) / 2]
    if beyond:
        for axis, size in enumerate(subject.size):
            if side[axis] < 0:
                middle[axis] = -beyond * size
            elif side[axis] > 0:
                middle[axis] = EDGE_PX - (1 - beyond) * size
    canvas.alpha_composite(Image.new("RGBA", canvas.size))
    layer = Image.new("RGBA", canvas.size)
    layer.paste(subject, (round(middle[0]), round(middle[1])))
    return Image.alpha_composite(canvas, layer)


def _ground(name: str) -> Image.Image:
    down = np.linspace(0, 1, EDGE_PX)[:, None, None] * np.ones((1, EDGE_PX, 3))
    across = down.swapaxes(0, 1)
    if name == "transparent":
        return Image.new("RGBA", (EDGE_PX, EDGE_PX))
    fields = {
        "white": np.full(down.shape, 250.0),
        "grey gradient": 225 - 90 * down,
        "wall and floor": np.where(down < 0.68, [214, 205, 192], [150, 120, 96]),
        "soft light": 235 - 120 * np.hypot(across - 0.4, down - 0.3),
        "paper": 236 + np.random.default_rng(1).normal(0, 9, down.shape),
    }
    picture = Image.fromarray(np.clip(fields[name], 0, 255).astype(np.uint8)).filter(
        ImageFilter.GaussianBlur(1)
    )
    return picture.convert("RGBA")


if __name__ == "__main__":
    main()
