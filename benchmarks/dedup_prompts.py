"""How long finding duplicates takes among 1,000 drafts: 50 of each of 20 prompts, one in ten of them a copy.

As a run does it, from thumbnails on the disk: the emulator's mosaics and scenes, photographs, and objects on
plain grounds. The first prompt is also compared pair by pair without glances, side by side. Seconds are of
processor time. Targets: 3 s for mosaics, 4 s for photographs.

    python -m benchmarks.dedup_prompts --folder unpacked [--prompts 20] [--kinds mosaics photographs]
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from PIL import Image

from benchmarks import dedup_pictures as made
from benchmarks.dedup_photographs import EDGE_PX, find_photographs
from benchmarks.figures import write_figures
from flows.evaluation.looks import Looks
from tasks.candidate import Candidate, HashName, Inspection
from tasks.deduplicate import deduplicate
from tasks.duplicates.comparison import compare_looks
from tasks.duplicates.rule import Level, Within
from tasks.emulator.mosaic import mosaic
from tasks.emulator.painting.retouch import as_image, shaken
from tasks.emulator.painting.scene import paint_scene
from tasks.pictures.decoding import decode, make_thumbnail
from tasks.pictures.fingerprint import fingerprint
from tasks.pictures.glances import glance_at, what_is_left
from tasks.pictures.looks import look_of_thumbnail

PER_PROMPT = 50
SIZE = (EDGE_PX, EDGE_PX)
KINDS = ("mosaics", "photographs", "objects", "scenes")


@dataclass(frozen=True)
class Rule:
    """The rule of a campaign that says nothing about duplicates."""

    hash: HashName = "phash"
    radius_bits: int | None = None
    within: Within = "prompt"
    history_runs: int = 0
    level: Level = "near"
    min_similarity: float | None = None
    fold_mirrored: bool = False
    fold_framed: bool = False


def drafts_of(kind: str, folder: Path) -> Callable[[int], Iterator[Image.Image]]:
    """Give what makes the drafts of a prompt, of which every tenth is a copy of the one before."""
    photographs = list(find_photographs(folder).values()) if kind == "photographs" else []
    edits = list(made.EDITS.values())
    font_file = next(folder.rglob("NotoColorEmoji.ttf"))

    def pictures(prompt: int) -> Iterator[Image.Image]:
        chance = random.Random(prompt)
        chosen = chance.sample(photographs, 46) if photographs else []
        before: Image.Image | None = None
        for number in range(PER_PROMPT):
            if number % 10 == 9 and before is not None:
                if kind == "mosaics":
                    seed = prompt * 1000 + number - 1
                    yield decode(mosaic(seed, number, SIZE, "png", 90, False))
                elif kind == "scenes":
                    yield shaken(before, number).convert("RGB")
                else:
                    yield chance.choice(edits)(before)
                continue
            if kind == "mosaics":
                before = decode(mosaic(prompt * 1000 + number, None, SIZE, "png", 90, False))
            elif kind == "scenes":
                words = f"{made.SCENES[prompt % len(made.SCENES)]}, number {prompt}"
                before = as_image(paint_scene(words, number, SIZE, "low").pixels).convert("RGB")
            elif kind == "objects":
                before = an_object(font_file, chance)
            else:
                before = square(chosen[number % len(chosen)], chance)
            yield before

    return pictures


def an_object(font_file: Path, chance: random.Random) -> Image.Image:
    """Put an emoji on a plain ground."""
    drawn = None
    while drawn is None:
        drawn = made.emoji(chance.randrange(made.FIRST_EMOJI, made.LAST_EMOJI), font_file)
    return made.on_ground([drawn], chance, 0.5)


def square(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Cut a square out of a photograph."""
    edge = int(min(picture.size) * chance.uniform(0.8, 1))
    left, top = (chance.randint(0, side - edge) for side in picture.size)
    return picture.crop((left, top, left + edge, top + edge)).resize(SIZE, Image.Resampling.BICUBIC)


def put(folder: Path, prompt: int, number: int, picture: Image.Image) -> Candidate:
    """Write a draft's thumbnail, and describe the draft as its inspection would."""
    name = f"{prompt}-{number}"
    (folder / f"{name}.webp").write_bytes(make_thumbnail(picture))
    prints = fingerprint(picture)
    inspection = Inspection(
        phash=prints.phash, dhash=prints.dhash, measurements=prints.colours, thumbnail=f"{name}.webp"
    )
    return Candidate(
        candidate_id=f"{folder.name}-{name}", order_id=name, stage="draft", arm="A", row=prompt,
        replicate=number, attempt=0, prompt=f"prompt {prompt}", file=f"{name}.png",
        sha256=f"{folder.name}-{name}", n_bytes=1, is_pruned=True, inspection=inspection,
    )  # fmt: skip


def timed(kind: str, folder: Path, n_prompts: int) -> str:
    """Find the duplicates among the drafts; returns a line of the table."""
    make = drafts_of(kind, folder)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        drafts = [
            put(place, prompt, number, one)
            for prompt in range(n_prompts)
            for number, one in enumerate(make(prompt))
        ]
        began = time.process_time()
        standings = deduplicate(drafts, Rule(), compare=Looks({place: drafts}).compare)
        whole_s = time.process_time() - began
        n_duplicates = sum(one.status == "duplicate" for one in standings.values())
        looks = [look_of_thumbnail(place / f"0-{number}.webp") for number in range(PER_PROMPT)]
        glances = [glance_at(look) for look in looks]
        n_close = sum(
            left.is_anything
            for index, one in enumerate(glances)
            for left in what_is_left(one, glances[:index])
        )
        began = time.process_time()
        for one, other in combinations(looks, 2):
            compare_looks(other, one)
        pair_ms = (time.process_time() - began) / (PER_PROMPT * (PER_PROMPT - 1) / 2) * 1000
    n_pairs = n_prompts * PER_PROMPT * (PER_PROMPT - 1) // 2
    share = n_close / (PER_PROMPT * (PER_PROMPT - 1) / 2)
    return (
        f"| {kind} | {whole_s:.1f} s | {whole_s / n_pairs * 1000:.2f} ms | {pair_ms:.2f} ms | {share:.1%} "
        f"| {n_duplicates} |"
    )


def main() -> None:
    """Measure, print and write down."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="where the Debian packages were unpacked")
    parser.add_argument("--prompts", type=int, default=20)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    options = parser.parse_args()
    lines = [
        f"| {options.prompts * PER_PROMPT:,} drafts, {PER_PROMPT} of each prompt | all of it | for each pair "
        "| a pair without glances | compared closely | duplicates |",
        "|---|---|---|---|---|---|",
    ]
    for kind in options.kinds:
        lines.append(timed(kind, options.folder, options.prompts))
        print(lines[-1], flush=True)
    write_figures("benchmarks.dedup_prompts", "\n".join(lines))


if __name__ == "__main__":
    main()
