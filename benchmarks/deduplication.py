"""Precision and recall of deduplication by kind of picture and kind of change, against hashes.

Every picture is edited in every way of ``benchmarks/dedup_pictures.py`` and compared with itself, and with
every other picture of its kind; of pairs that differ in a detail the second is edited too. Four rules decide
about the same pairs: the comparison of looks, as a run makes it; pHash and dHash with colours at 6 bits, the
rule of campaigns with ``radius_bits: 6``; and imagehash's pHash and dHash alone, each at the radius that is
best on the first half of the pictures (by its worst of precision and recall over all kinds). Limits of looks
are fitted on the first half too; all figures are of the second. imagededup is not compared: it needs torch,
and its hashes are the same algorithms. All kinds together are written into ``benchmarks/README.md``; one
kind, or with radii that are given, is printed.

    apt-get download mate-backgrounds lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 \
        plasma-workspace-wallpapers opencv-doc fonts-noto-color-emoji
    for package in *.deb; do dpkg-deb -x "$package" unpacked; done
    python -m benchmarks.deduplication --folder unpacked [--count 20]
    python -m benchmarks.deduplication --folder unpacked --kind "objects on plain grounds" --radii 12 11
"""

import argparse
import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from itertools import combinations, islice
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import dedup_pictures as made
from benchmarks.dedup_photographs import FRAMES_OF_A_FILM, ONE_PLACE, find_photographs, turn_hue
from benchmarks.dedup_tables import (
    Decision,
    Pair,
    print_altered,
    print_changes,
    print_kinds,
    print_limits,
    print_proposals,
)
from benchmarks.figures import write_figures
from tasks.duplicates.by_hash import COLOUR_TOLERANCE, CONFIRMING_SLACK_BITS
from tasks.duplicates.comparison import compare_looks
from tasks.pictures.fingerprint import COLOUR_NAMES, Fingerprint, distance_bits, fingerprint
from tasks.pictures.likeness import NEAR_SIMILARITY, compare, may_be_alike
from tasks.pictures.looks import Look, look_at

RADIUS_BITS = 6
RADII_BITS = range(25)
TODAY = f"hashes, {RADIUS_BITS} bits"


@dataclass(frozen=True)
class Seen:
    """What can be known of a picture."""

    look: Look
    prints: Fingerprint


def see(picture: Image.Image) -> Seen:
    """Look at a picture as the inspection would."""
    return Seen(look_at(picture), fingerprint(picture))


def measure(
    kind: str,
    change: str,
    one: Seen,
    other: Seen,
    *,
    is_copy: bool,
    is_fitted: bool,
    made_as: str | None = None,
) -> Pair:
    """Compare two pictures by everything."""
    found = compare_looks(other.look, one.look)
    # Limits are fitted on that half only.
    is_measured = is_fitted and not made_as and may_be_alike(other.look, one.look)
    likeness = compare(other.look, one.look) if is_measured else None
    mine, theirs = one.prints, other.prints
    return Pair(
        kind, change, is_copy, is_fitted,
        is_near=found.altered is None and (found.similarity or 0) >= NEAR_SIMILARITY,
        found_as=found.altered if (found.similarity or 0) >= NEAR_SIMILARITY else None,
        bits=(distance_bits(mine.phash, theirs.phash), distance_bits(mine.dhash, theirs.dhash)),
        colours=max(abs(mine.colours[name] - theirs.colours[name]) for name in COLOUR_NAMES),
        detail_levels=likeness.detail_levels if likeness else np.nan,
        ground_levels=likeness.ground_levels if likeness else np.nan,
        prints=(mine, theirs),
        made_as=made_as,
    )  # fmt: skip


def of_one(kind: str, item: tuple[int, str, Image.Image]) -> tuple[list[Pair], Seen]:
    """Edit one picture in every way, and compare."""
    number, _, picture = item
    original, is_fitted = see(picture), number % 2 == 0
    found = [
        measure(kind, change, original, see(edit(picture)), is_copy=True, is_fitted=is_fitted)
        for change, edit in made.EDITS.items()
    ]
    if kind in ("photographs", "objects on plain grounds") and not is_fitted:
        found += [
            measure(
                kind, change, original, see(edit(picture)), is_copy=True, is_fitted=is_fitted, made_as=made_as
            )
            for made_as, edits in (("mirrored", made.TURNED), ("framed", made.FRAMED))
            for change, edit in edits.items()
        ]
    return found, original


def of_two(kind: str, item: tuple[int, tuple[str, Image.Image, Image.Image]]) -> list[Pair]:
    """Compare two pictures that differ where it matters, the second one edited."""
    number, (change, one, other) = item
    first = see(one)
    return [
        measure(kind, change, first, see(edit(other)), is_copy=False, is_fitted=number % 2 == 0)
        for edit in made.OF_OTHERS
    ]


def all_pairs(
    folder: Path, count: int, pool: ProcessPoolExecutor, only: str | None = None, *, is_fitting: bool = True
) -> Iterator[Pair]:
    """Yield what is measured about every pair of every kind.

    Args:
        folder: Where the Debian packages were unpacked.
        count: Drawn pictures of words; of objects three times as many.
        pool: Does the work.
        only: One kind of picture only.
        is_fitting: Measure the half that is fitted on too.
    """
    left_out = set() if is_fitting else {0}
    font_file = next(folder.rglob("NotoColorEmoji.ttf"))
    found = find_photographs(folder)
    photographs = {
        name: one for name, one in found.items() if name not in ONE_PLACE and name not in FRAMES_OF_A_FILM
    }
    dimmed = dict(list(photographs.items())[:: max(1, len(photographs) // 12)])
    words = [(change, one, other) for change, one, other in made.lettering(count)]
    kinds = {
        "photographs": photographs,
        "objects on plain grounds": made.objects(font_file, 3 * count),
        "lettering": {str(number): one for number, (_, one, _) in enumerate(words)},
        "the emulator's art": made.art(count // 2),
        "night and snow": {
            f"{name} {edit.__name__}": edit(one)
            for name, one in dimmed.items()
            for edit in (made.night, made.snow)
        },
    }
    for kind, pictures in kinds.items():
        if only not in (None, kind):
            continue
        items = [
            (number, name, one)
            for number, (name, one) in enumerate(pictures.items())
            if number % 2 not in left_out
        ]
        originals = []
        for (number, *_), (pairs, original) in zip(
            items, pool.map(partial(of_one, kind), items), strict=True
        ):
            yield from pairs
            originals.append((number % 2 == 0, original))
        for (first, one), (second, other) in combinations(originals, 2):
            if first == second:
                yield measure(kind, "another picture", one, other, is_copy=False, is_fitted=first)
    places = [
        ("one place", found[ONE_PLACE[name]], one)
        for name, one in found.items()
        if ONE_PLACE.get(name) in found
    ]
    hues = [("other hues", one, turn_hue(one)) for one in photographs.values() if is_coloured(one)]
    # The limit in shares of the range was fitted on the first nine of the words and five of the objects.
    some = [*words[9:21], *islice(made.other_objects(font_file, count), 15, 27)]
    dim = [
        (f"{change}, {edit.__name__}", edit(one), edit(other))
        for edit in (made.night, made.snow)
        for change, one, other in some
    ]
    differing = {
        "photographs": [*places, *hues],
        "objects on plain grounds": list(made.other_objects(font_file, count)),
        "lettering": words,
        "night and snow": dim,
        "plain colours and gradients": list(made.flats(count)),
    }
    for kind, two in differing.items():
        if only not in (None, kind):
            continue
        numbered = [item for item in enumerate(two) if item[0] % 2 not in left_out]
        for pairs in pool.map(partial(of_two, kind), numbered):
            yield from pairs


def is_coloured(picture: Image.Image) -> bool:
    """Whether a picture has colours whose hue can be turned."""
    return max(abs(level) for level in fingerprint(picture).colours.values()) >= 8


def by_both_hashes(pair: Pair) -> bool:
    """The rule of campaigns with ``radius_bits: 6``."""
    phash, dhash = pair.bits
    return (
        phash <= RADIUS_BITS
        and dhash <= RADIUS_BITS + CONFIRMING_SLACK_BITS
        and pair.colours <= COLOUR_TOLERANCE
    )


def by_one_hash(which: int, radius_bits: int, pair: Pair) -> bool:
    """Apply one hash alone."""
    return pair.bits[which] <= radius_bits


def worst_figure(pairs: Sequence[Pair], rule: Decision) -> float:
    """Return the lowest precision or recall of any kind of picture."""
    figures = []
    for kind in {pair.kind for pair in pairs if pair.is_copy}:
        of_kind = [pair for pair in pairs if pair.kind == kind]
        right = sum(rule(pair) for pair in of_kind if pair.is_copy)
        called = right + sum(rule(pair) for pair in of_kind if not pair.is_copy)
        figures += [right / sum(pair.is_copy for pair in of_kind), right / called if called else 0]
    return min(figures)


def best_radius(pairs: Sequence[Pair], which: int) -> int:
    """Return the radius at which one hash alone is best."""
    figures = {radius: worst_figure(pairs, partial(by_one_hash, which, radius)) for radius in RADII_BITS}
    return max(figures, key=figures.__getitem__)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="where the Debian packages were unpacked")
    parser.add_argument(
        "--count", type=int, default=40, help="drawn pictures of words; of objects three times as many"
    )
    parser.add_argument("--kind", help="only this kind of picture")
    parser.add_argument("--radii", type=int, nargs=2, help="of pHash and dHash; nothing is fitted then")
    options = parser.parse_args()
    is_fitting = options.radii is None
    with ProcessPoolExecutor(2) as pool:
        found = all_pairs(options.folder, options.count, pool, options.kind, is_fitting=is_fitting)
        pairs = list(found)
    straight = [pair for pair in pairs if pair.made_as is None]
    fitted = [pair for pair in straight if pair.is_fitted]
    rules: dict[str, Decision] = {"looks": lambda pair: pair.is_near, TODAY: by_both_hashes}
    for which, name in enumerate(("pHash", "dHash")):
        best = options.radii[which] if options.radii else best_radius(fitted, which)
        rules[f"{name} alone, {best} bits"] = partial(by_one_hash, which, best)
    reported = [pair for pair in straight if not pair.is_fitted]
    if fitted:
        print_limits(fitted)
    print_changes(reported, rules)
    tables = io.StringIO()
    with redirect_stdout(tables):
        print(f"{len(fitted):,} pairs fitted on, {len(reported):,} reported.")
        print_kinds(reported, rules)
        print_altered([pair for pair in pairs if not pair.is_fitted])
        print_proposals(reported)
    print(tables.getvalue())
    if is_fitting and not options.kind:
        write_figures("benchmarks.deduplication", tables.getvalue())


if __name__ == "__main__":
    main()
