"""Whether a glance dismisses a pair of pictures that a close comparison finds to be the same.

Photographs, objects on plain grounds, lettering, the emulator's art, and dark and pale pictures, each edited
in every way of ``benchmarks/dedup_pictures.py``, turned and framed too; and pairs that differ in a detail or
in everything. Each pair is compared both ways round, closely and, beside it, after a glance. The limit of
`tasks.pictures.glances` was fitted on the even pictures; the odd ones were held out.

    python -m benchmarks.glances --folder unpacked [--every 1]
"""

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from PIL import Image

from benchmarks import dedup_pictures as made
from benchmarks.dedup_photographs import EDGE_PX, FRAMES_OF_A_FILM, ONE_PLACE, find_photographs, turn_hue
from benchmarks.figures import write_figures
from tasks.duplicates.comparison import Comparison, compare_looks, compare_seen
from tasks.duplicates.rule import SIMILAR_SIMILARITY
from tasks.pictures.likeness import NEAR_SIMILARITY
from tests.support.seen_pictures import Seen

PER_PROMPT = 50
SIZE = (EDGE_PX, EDGE_PX)
HALVES = ("fitted", "held out")
Decided = Counter[tuple[str, str, str, str]]
"""Kind, half, what a close comparison says, and what it says after a glance."""


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


def main() -> None:
    """Measure, print and write down."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="where the Debian packages were unpacked")
    parser.add_argument(
        "--count", type=int, default=20, help="drawn pictures of words; of objects three times as many"
    )
    parser.add_argument("--every", type=int, default=1, help="only every so-many-th picture")
    options = parser.parse_args()
    table = decisions(options.folder, options.count, options.every)
    print(table)
    write_figures("benchmarks.glances", f"Every picture in {options.every}.\n\n{table}")


if __name__ == "__main__":
    main()
