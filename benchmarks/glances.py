"""What glances dismiss: how many pairs, in what time, and whether any that a close comparison finds the same.

Decisions: photographs, objects on plain grounds, lettering, the emulator's art, and dark and pale pictures,
each edited in every way of ``benchmarks/dedup_pictures.py``, turned and framed too, laid both ways; and pairs
that differ in a detail or in everything. Each pair is compared closely and, beside it, after a glance. The
limit of `tasks.pictures.glances` was fitted on the even pictures; the odd ones were held out.

Time: finding the duplicates of 1,000 drafts, 50 of each of 20 prompts, one in ten of them a copy, as a run
does, from thumbnails on the disk: the emulator's mosaics and scenes, photographs, and objects. The first
prompt is compared pair by pair without glances too. Seconds are of processor time. Targets: at most 3 s for
mosaics, 4 s for photographs.

    python -m benchmarks.glances --folder unpacked [--prompts 20] [--every 1] [--only time]
"""

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path

from PIL import Image

from benchmarks import dedup_pictures as made
from benchmarks.dedup_photographs import EDGE_PX, FRAMES_OF_A_FILM, ONE_PLACE, find_photographs, turn_hue
from benchmarks.figures import write_figures
from flows.evaluation.looks import Looks
from tasks.candidate import Candidate, Inspection
from tasks.deduplicate import deduplicate
from tasks.duplicates.comparison import Comparison, compare_looks, compare_seen
from tasks.duplicates.rule import SIMILAR_SIMILARITY, Level, Within
from tasks.emulator.mosaic import mosaic
from tasks.emulator.painting.retouch import as_image, shaken
from tasks.emulator.painting.scene import paint_scene
from tasks.pictures.decoding import decode, make_thumbnail
from tasks.pictures.fingerprint import fingerprint
from tasks.pictures.glances import Glance, glance_at, what_is_left
from tasks.pictures.likeness import NEAR_SIMILARITY
from tasks.pictures.looks import look_at, look_of_thumbnail

PER_PROMPT = 50
SIZE = (EDGE_PX, EDGE_PX)
HALVES = ("fitted", "held out")
Decided = Counter[tuple[str, str, str, str]]
"""Kind, half, what a close comparison says, and what it says after a glance."""


@dataclass(frozen=True)
class Rule:
    """The rule of a campaign that says nothing about duplicates."""

    hash: str = "phash"
    radius_bits: int | None = None
    within: Within = "prompt"
    history_runs: int = 0
    level: Level = "near"
    min_similarity: float | None = None
    fold_mirrored: bool = False
    fold_framed: bool = False


class Seen:
    """A picture that is compared."""

    def __init__(self, picture: Image.Image) -> None:
        self.look = look_at(picture)

    @cached_property
    def glance(self) -> Glance:
        """What is kept of it."""
        return glance_at(self.look)


def decision(found: Comparison) -> str:
    """What follows from a comparison."""
    similarity = found.similarity or 0
    if found.altered:
        return found.altered
    return (
        "near"
        if similarity >= NEAR_SIMILARITY
        else "similar"
        if similarity >= SIMILAR_SIMILARITY
        else "other"
    )


def both_ways(kind: str, number: int, pairs: Sequence[tuple[Seen, Seen]]) -> Decided:
    """Compare pairs, either laid on the other, closely and after a glance."""
    found: Decided = Counter()
    for one, other in [*pairs, *((other, one) for one, other in pairs)]:
        closely, (after_glance,) = compare_looks(one.look, other.look), compare_seen(one, [other])
        found[kind, HALVES[number % 2], decision(closely), decision(after_glance)] += 1
    return found


def of_one(item: tuple[str, int, Image.Image]) -> Decided:
    """Edit one picture in every way, and compare."""
    kind, number, picture = item
    edits = dict(made.EDITS)
    if kind in ("photographs", "objects on plain grounds"):
        edits |= made.TURNED | made.FRAMED
    original = Seen(picture)
    return both_ways(kind, number, [(original, Seen(edit(picture))) for edit in edits.values()])


def of_two(item: tuple[str, int, Image.Image, Image.Image]) -> Decided:
    """Compare two pictures that differ, the second one edited."""
    kind, number, one, other = item
    first = Seen(one)
    return both_ways(kind, number, [(first, Seen(edit(other))) for edit in made.OF_OTHERS])


def kinds(folder: Path, count: int) -> dict[str, list[Image.Image]]:
    """List the pictures of each kind."""
    font_file = next(folder.rglob("NotoColorEmoji.ttf"))
    photographs = [
        one
        for name, one in find_photographs(folder).items()
        if name not in ONE_PLACE and name not in FRAMES_OF_A_FILM
    ]
    dimmed = photographs[:: max(1, len(photographs) // 12)]
    return {
        "photographs": photographs,
        "objects on plain grounds": list(made.objects(font_file, 3 * count).values()),
        "lettering": [one for _, one, _ in made.lettering(count)],
        "the emulator's art": list(made.art(count).values()),
        "night and snow": [edit(one) for one in dimmed for edit in (made.night, made.snow)],
    }


def differing(folder: Path, count: int) -> Iterator[tuple[str, Image.Image, Image.Image]]:
    """Yield pairs that differ in a detail."""
    found = find_photographs(folder)
    font_file = next(folder.rglob("NotoColorEmoji.ttf"))
    for name, one in found.items():
        if ONE_PLACE.get(name) in found:
            yield "pairs that differ", found[ONE_PLACE[name]], one
        else:
            yield "pairs that differ", one, turn_hue(one)
    for pairs in (made.lettering(count), made.other_objects(font_file, count), made.flats(count)):
        for _, one, other in pairs:
            yield "pairs that differ", one, other


def decisions(folder: Path, count: int, every: int) -> str:
    """Compare all, and write a table."""
    total: Decided = Counter()
    with ProcessPoolExecutor(2) as pool:
        items = [
            (kind, n, one)
            for kind, some in kinds(folder, count).items()
            for n, one in enumerate(some)
            if n // 2 % every == 0
        ]
        for found in pool.map(of_one, items):
            total += found
        pairs = [
            (kind, n, one, other)
            for n, (kind, one, other) in enumerate(differing(folder, count))
            if n // 2 % every == 0
        ]
        for found in pool.map(of_two, pairs):
            total += found
    lines = [
        "| pictures | half | pairs | alike by a close comparison | of these decided otherwise after a glance "
        "| of the others |",
        "|---|---|---|---|---|---|",
    ]
    for kind, half in dict.fromkeys((kind, half) for kind, half, _, _ in total):
        some = {key[2:]: n for key, n in total.items() if key[:2] == (kind, half)}
        alike = {key: n for key, n in some.items() if key[0] != "other"}
        wrong = sum(n for (closely, glanced), n in alike.items() if closely != glanced)
        others = sum(n for (closely, glanced), n in some.items() if closely == "other" != glanced)
        lines.append(
            f"| {kind} | {half} | {sum(some.values()):,} | {sum(alike.values()):,} | {wrong} | {others} |"
        )
    for (kind, half, closely, glanced), n in total.items():
        if closely != glanced:
            print(f"{kind}, {half}: {closely} became {glanced}: {n}")
    return "\n".join(lines)


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
        standings = deduplicate(drafts, Rule(), compare=Looks({place: drafts}).compare)  # type: ignore[arg-type]
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


def times(folder: Path, n_prompts: int) -> str:
    """Time every kind of draft, and write a table."""
    head = (
        f"| {n_prompts * PER_PROMPT:,} drafts, {PER_PROMPT} of each prompt | all of it | for each pair | "
        "a pair without glances | compared closely | duplicates |\n|---|---|---|---|---|---|"
    )
    rows = [timed(kind, folder, n_prompts) for kind in ("mosaics", "photographs", "objects", "scenes")]
    return "\n".join([head, *rows])


def main() -> None:
    """Measure, print and write down."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="where the Debian packages were unpacked")
    parser.add_argument(
        "--count", type=int, default=20, help="drawn pictures of words; of objects three times as many"
    )
    parser.add_argument(
        "--every", type=int, default=1, help="decide about every so-many-th pair of pictures only"
    )
    parser.add_argument("--prompts", type=int, default=20)
    parser.add_argument("--only", choices=("time", "decisions"))
    options = parser.parse_args()
    tables = []
    if options.only != "decisions":
        tables.append(times(options.folder, options.prompts))
        print(tables[-1], flush=True)
    if options.only != "time":
        tables.append(decisions(options.folder, options.count, options.every))
        print(tables[-1], flush=True)
    if options.only is None:
        write_figures("benchmarks.glances", "\n\n".join(tables))


if __name__ == "__main__":
    main()
