"""Precision and recall of deduplication by kind of picture and kind of change, against hashes.

Every picture is edited in every way of ``benchmarks/dedup_pictures.py`` and compared with itself, and with
every other picture of its kind. Four rules decide about the same pairs: the comparison of looks, as a run
makes it; pHash and dHash with colours at 6 bits, the rule of campaigns with ``radius_bits: 6``; and
imagehash's pHash and dHash alone, each at the radius that is best on the first half of the pictures (by its
worst of precision and recall over all kinds). Limits of looks are fitted on the first half too; all figures
are of the second. imagededup is not compared: it needs torch, and its hashes are the same algorithms.

    apt-get download mate-backgrounds lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 \
        plasma-workspace-wallpapers opencv-doc fonts-noto-color-emoji
    for package in *.deb; do dpkg-deb -x "$package" unpacked; done
    python -m benchmarks.deduplication --folder unpacked
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.stats import binomtest

from benchmarks import dedup_pictures as made
from benchmarks.dedup_photographs import FRAMES_OF_A_FILM, ONE_PLACE, find_photographs, turn_hue
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


@dataclass(frozen=True)
class Pair:
    """What was measured about two pictures.

    Args:
        kind: Of picture.
        change: What lies between them.
        is_copy: Whether they are the same picture.
        is_fitted: Whether they belong to the half that limits are fitted on.
        is_near: What the comparison of looks says.
        turn: How the second is turned, by the comparison.
        bits: Distances of pHash and dHash.
        colours: The largest distance in a cell of the colour grid, levels.
        detail_levels: See ``Likeness``; NaN for a pair dismissed at a glance.
        ground_levels: The same.
    """

    kind: str
    change: str
    is_copy: bool
    is_fitted: bool
    is_near: bool
    turn: str | None
    bits: tuple[int, int]
    colours: float
    detail_levels: float
    ground_levels: float


def see(picture: Image.Image) -> Seen:
    """Look at a picture as the inspection would."""
    return Seen(look_at(picture), fingerprint(picture))


def measure(kind: str, change: str, one: Seen, other: Seen, *, is_copy: bool, is_fitted: bool) -> Pair:
    """Compare two pictures by everything."""
    found = compare_looks(other.look, one.look)
    is_measured = is_fitted and may_be_alike(other.look, one.look)  # limits are fitted on that half only
    likeness = compare(other.look, one.look) if is_measured else None
    mine, theirs = one.prints, other.prints
    return Pair(
        kind, change, is_copy, is_fitted,
        is_near=found.turn is None and (found.similarity or 0) >= NEAR_SIMILARITY,
        turn=found.turn if (found.similarity or 0) >= NEAR_SIMILARITY else None,
        bits=(distance_bits(mine.phash, theirs.phash), distance_bits(mine.dhash, theirs.dhash)),
        colours=max(abs(mine.colours[name] - theirs.colours[name]) for name in COLOUR_NAMES),
        detail_levels=likeness.detail_levels if likeness else np.nan,
        ground_levels=likeness.ground_levels if likeness else np.nan,
    )  # fmt: skip


def of_one(kind: str, item: tuple[int, str, Image.Image]) -> tuple[list[Pair], Seen]:
    """Edit one picture in every way, and compare."""
    number, _, picture = item
    original, is_fitted = see(picture), number % 2 == 0
    found = [
        measure(kind, change, original, see(edit(picture)), is_copy=True, is_fitted=is_fitted)
        for change, edit in made.EDITS.items()
    ]
    if kind in ("photographs", "objects on plain grounds"):
        found += [
            measure(
                f"{kind}, turned", change, original, see(edit(picture)), is_copy=True, is_fitted=is_fitted
            )
            for change, edit in made.TURNED.items()
        ]
    return found, original


def of_two(kind: str, item: tuple[int, tuple[str, Image.Image, Image.Image]]) -> Pair:
    """Compare two pictures that differ where it matters, the second one compressed."""
    number, (change, one, other) = item
    second = see(made.compressed(80)(other))
    return measure(kind, change, see(one), second, is_copy=False, is_fitted=number % 2 == 0)


def all_pairs(folder: Path, count: int, pool: ProcessPoolExecutor) -> Iterator[Pair]:
    """Yield what is measured about every pair of every kind."""
    font_file = next(folder.rglob("NotoColorEmoji.ttf"))
    found = find_photographs(folder)
    photographs = {
        name: one for name, one in found.items() if name not in ONE_PLACE and name not in FRAMES_OF_A_FILM
    }
    dimmed = dict(list(photographs.items())[:: max(1, len(photographs) // 12)])
    words = [(change, one, other) for change, one, other in made.lettering(count)]
    kinds = {
        "photographs": photographs,
        "objects on plain grounds": made.objects(font_file, count),
        "lettering": {str(number): one for number, (_, one, _) in enumerate(words)},
        "the emulator's art": made.art(count // 2),
        "night and snow": {
            f"{name} {edit.__name__}": edit(one)
            for name, one in dimmed.items()
            for edit in (made.night, made.snow)
        },
    }
    for kind, pictures in kinds.items():
        items = [(number, name, one) for number, (name, one) in enumerate(pictures.items())]
        originals = []
        for number, (pairs, original) in enumerate(pool.map(partial(of_one, kind), items)):
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
    differing = {
        "photographs": [*places, *hues],
        "objects on plain grounds": list(made.other_objects(font_file, count)),
        "lettering": words,
        "plain colours and gradients": list(made.flats(count)),
    }
    for kind, two in differing.items():
        yield from pool.map(partial(of_two, kind), enumerate(two))


def is_coloured(picture: Image.Image) -> bool:
    """Whether a picture has colours whose hue can be turned."""
    return max(abs(level) for level in fingerprint(picture).colours.values()) >= 8


Rule = Callable[[Pair], bool]


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


def worst_figure(pairs: Sequence[Pair], rule: Rule) -> float:
    """Return the lowest precision or recall of any kind of picture."""
    figures = []
    for kind in {pair.kind for pair in pairs if pair.is_copy and "turned" not in pair.kind}:
        of_kind = [pair for pair in pairs if pair.kind == kind]
        right = sum(rule(pair) for pair in of_kind if pair.is_copy)
        called = right + sum(rule(pair) for pair in of_kind if not pair.is_copy)
        figures += [right / sum(pair.is_copy for pair in of_kind), right / called if called else 0]
    return min(figures)


def interval(count: int, of: int) -> str:
    """Write a share with its 95 % interval (Wilson)."""
    if not of:
        return "–"
    low, high = binomtest(count, of).proportion_ci(method="wilson")
    return f"{100 * count / of:.1f} % ({100 * low:.1f}-{100 * high:.1f})"


def print_kinds(pairs: Sequence[Pair], rules: dict[str, Rule]) -> None:
    """Print precision and recall of each kind of picture, over all edits and other pictures of the kind."""
    print("\n| kind of picture | rule | recall | precision | merged of pairs that differ |")
    print("|---|---|---|---|---|")
    for kind in dict.fromkeys(pair.kind for pair in pairs if "turned" not in pair.kind):
        copies = [pair for pair in pairs if pair.kind == kind and pair.is_copy]
        others = [pair for pair in pairs if pair.kind == kind and not pair.is_copy]
        for name, rule in rules.items():
            right, wrong = sum(map(rule, copies)), sum(map(rule, others))
            print(f"| {kind} | {name} | {interval(right, len(copies))} | {interval(right, right + wrong)} "
                  f"| {wrong} of {len(others):,} |")  # fmt: skip


def print_changes(pairs: Sequence[Pair], rules: dict[str, Rule]) -> None:
    """Print recall for each edit, and what was merged of each difference."""
    names = list(rules)
    for is_copy, title in ((True, "recall after"), (False, "merged though")):
        print(
            f"\n| {title} | kind of picture | n | "
            + " | ".join(names)
            + " |\n|---|---|---|"
            + "---|" * len(names)
        )
        groups = defaultdict(list)
        for pair in pairs:
            if pair.is_copy is is_copy and "turned" not in pair.kind:
                groups[pair.change, pair.kind].append(pair)
        for (change, kind), some in sorted(groups.items()):
            counts = [sum(map(rule, some)) for rule in rules.values()]
            cells = [f"{100 * count / len(some):.1f} %" if is_copy else str(count) for count in counts]
            print(f"| {change} | {kind} | {len(some):,} | " + " | ".join(cells) + " |")


def print_turned(pairs: Sequence[Pair]) -> None:
    """Print how many turned copies were found as such."""
    print("\n| turned copies | change | found |\n|---|---|---|")
    turned = [pair for pair in pairs if "turned" in pair.kind]
    for kind, change in dict.fromkeys((pair.kind, pair.change) for pair in turned):
        some = [pair for pair in turned if (pair.kind, pair.change) == (kind, change)]
        # A picture that is its own mirror image is found as the same, and rightly.
        n_found = sum(pair.turn is not None or pair.is_near for pair in some)
        print(f"| {kind} | {change} | {interval(n_found, len(some))} |")
    others = [pair for pair in pairs if not pair.is_copy]
    n_called = sum(pair.turn is not None for pair in others)
    print(f"\nCalled turned of {len(others):,} pairs that differ: {n_called}")


def print_limits(pairs: Sequence[Pair]) -> None:
    """Print where the measures of copies and of others lie in the half that limits are fitted on."""
    print(
        "\nThe fitted half, levels: copies at the median, 99 % and most | the least of others not dismissed"
    )
    straight = [pair for pair in pairs if "turned" not in pair.kind]
    for name in ("detail_levels", "ground_levels"):
        copies = np.array([getattr(pair, name) for pair in straight if pair.is_copy])
        others = np.array([getattr(pair, name) for pair in straight if not pair.is_copy])
        low = np.sort(others[~np.isnan(others)])[:6].round(1)
        quantiles = np.nanquantile(copies, [0.5, 0.99, 1]).round(1)
        print(f"{name}: {quantiles} | {low}; copies dismissed: {int(np.isnan(copies).sum())}")


def print_proposals(pairs: Sequence[Pair]) -> None:
    """Print which share of copies a radius of hashes proposes, in scopes too large for all pairs."""
    print("\n| proposed within | " + " | ".join(f"{radius} bits" for radius in (6, 8, 10, 12, 16)) + " |")
    print("|---|---|---|---|---|---|")
    for kind in dict.fromkeys(pair.kind for pair in pairs if pair.is_copy and "turned" not in pair.kind):
        bits = np.array([pair.bits[0] for pair in pairs if pair.kind == kind and pair.is_copy])
        shares = " | ".join(f"{100 * (bits <= radius).mean():.1f} %" for radius in (6, 8, 10, 12, 16))
        print(f"| {kind} | {shares} |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="where the Debian packages were unpacked")
    parser.add_argument("--count", type=int, default=60, help="drawn pictures of each kind")
    options = parser.parse_args()
    with ProcessPoolExecutor(2) as pool:
        pairs = list(all_pairs(options.folder, options.count, pool))
    fitted = [pair for pair in pairs if pair.is_fitted]
    rules: dict[str, Rule] = {"looks": lambda pair: pair.is_near, TODAY: by_both_hashes}
    for which, name in enumerate(("pHash", "dHash")):
        figures = {radius: worst_figure(fitted, partial(by_one_hash, which, radius)) for radius in RADII_BITS}
        best = max(figures, key=figures.__getitem__)
        rules[f"{name} alone, {best} bits"] = partial(by_one_hash, which, best)
    reported = [pair for pair in pairs if not pair.is_fitted]
    print(f"{len(fitted):,} pairs fitted on, {len(reported):,} reported")
    print_limits(fitted)
    print_kinds(reported, rules)
    print_changes(reported, rules)
    print_turned(reported)
    print_proposals(reported)


if __name__ == "__main__":
    main()
