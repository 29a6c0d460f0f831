"""Precision and recall of deduplication by kind of picture and kind of change, against hashes.

Every picture is edited in every way of ``benchmarks/dedup_pictures.py`` and compared with itself, and with
every other picture of its kind; of pairs that differ in a detail the second is edited too. Four rules decide
about the same pairs: the comparison of looks, as a run makes it; pHash and dHash with colours at 6 bits, the
rule of campaigns with ``radius_bits: 6``; and imagehash's pHash and dHash alone, each at the radius that is
best on the first half of the pictures (by its worst of precision and recall over all kinds). Limits of looks
are fitted on the first half too; all figures are of the second. imagededup is not compared: it needs torch,
and its hashes are the same algorithms.

    apt-get download mate-backgrounds lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 \
        plasma-workspace-wallpapers opencv-doc fonts-noto-color-emoji
    for package in *.deb; do dpkg-deb -x "$package" unpacked; done
    python -m benchmarks.deduplication --folder unpacked [--count 20] [--kind "objects on plain grounds"]
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import combinations, islice
from pathlib import Path
from typing import get_args

import numpy as np
from PIL import Image
from scipy.stats import binomtest

from benchmarks import dedup_pictures as made
from benchmarks.dedup_photographs import FRAMES_OF_A_FILM, ONE_PLACE, find_photographs, turn_hue
from benchmarks.dedup_speed import Rule
from tasks.candidate import Candidate, Inspection
from tasks.duplicates.by_hash import COLOUR_TOLERANCE, CONFIRMING_SLACK_BITS
from tasks.duplicates.comparison import compare_looks
from tasks.duplicates.proposals import Proposals
from tasks.duplicates.rule import Altered
from tasks.duplicates.scope import scopes
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
        found_as: ``mirrored`` (or turned) or ``framed``, by the comparison, if it is not near as it is.
        bits: Distances of pHash and dHash.
        colours: The largest distance in a cell of the colour grid, levels.
        detail_levels: See ``Likeness``; NaN for a pair dismissed at a glance.
        ground_levels: The same.
        prints: Of the picture and of the copy, for what proposes.
        made_as: As what the copy was made: ``mirrored``, ``framed`` or neither.
    """

    kind: str
    change: str
    is_copy: bool
    is_fitted: bool
    is_near: bool
    found_as: str | None
    bits: tuple[int, int]
    colours: float
    detail_levels: float
    ground_levels: float
    prints: tuple[Fingerprint, Fingerprint]
    made_as: str | None = None


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


def all_pairs(folder: Path, count: int, only: str | None, pool: ProcessPoolExecutor) -> Iterator[Pair]:
    """Yield what is measured about every pair of every kind, or of one kind of picture only."""
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
        for pairs in pool.map(partial(of_two, kind), enumerate(two)):
            yield from pairs


def is_coloured(picture: Image.Image) -> bool:
    """Whether a picture has colours whose hue can be turned."""
    return max(abs(level) for level in fingerprint(picture).colours.values()) >= 8


Decision = Callable[[Pair], bool]


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


def interval(count: int, of: int) -> str:
    """Write a share with its 95 % interval (Wilson)."""
    if not of:
        return "–"
    low, high = binomtest(count, of).proportion_ci(method="wilson")
    return f"{100 * count / of:.1f} % ({100 * low:.1f}-{100 * high:.1f})"


def print_kinds(pairs: Sequence[Pair], rules: dict[str, Decision]) -> None:
    """Print precision and recall of each kind of picture, over all edits and other pictures of the kind."""
    print("\n| kind of picture | rule | recall | precision | merged of pairs that differ |")
    print("|---|---|---|---|---|")
    for kind in dict.fromkeys(pair.kind for pair in pairs):
        copies = [pair for pair in pairs if pair.kind == kind and pair.is_copy]
        others = [pair for pair in pairs if pair.kind == kind and not pair.is_copy]
        for name, rule in rules.items():
            right, wrong = sum(map(rule, copies)), sum(map(rule, others))
            print(f"| {kind} | {name} | {interval(right, len(copies))} | {interval(right, right + wrong)} "
                  f"| {wrong} of {len(others):,} |")  # fmt: skip


def print_changes(pairs: Sequence[Pair], rules: dict[str, Decision]) -> None:
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
            if pair.is_copy is is_copy:
                groups[pair.change, pair.kind].append(pair)
        for (change, kind), some in sorted(groups.items()):
            counts = [sum(map(rule, some)) for rule in rules.values()]
            cells = [f"{100 * count / len(some):.1f} %" if is_copy else str(count) for count in counts]
            print(f"| {change} | {kind} | {len(some):,} | " + " | ".join(cells) + " |")


def print_altered(pairs: Sequence[Pair]) -> None:
    """Print how many turned and framed copies were found as such, and how many others were called so."""
    print("\n| turned and framed copies | change | found |\n|---|---|---|")
    altered = [pair for pair in pairs if pair.made_as]
    for kind, change in dict.fromkeys((pair.kind, pair.change) for pair in altered):
        some = [pair for pair in altered if (pair.kind, pair.change) == (kind, change)]
        # A picture that is its own mirror image is found as the same, and rightly.
        n_found = sum(pair.found_as == pair.made_as or pair.is_near for pair in some)
        print(f"| {kind} | {change} | {interval(n_found, len(some))} |")
    others = [pair for pair in pairs if not pair.is_copy]
    for name in get_args(Altered):
        print(f"\nCalled {name} of {len(others):,} pairs that differ: "
              f"{sum(pair.found_as == name for pair in others)}")  # fmt: skip


def print_limits(pairs: Sequence[Pair]) -> None:
    """Print where the measures of copies and of others lie in the half that limits are fitted on."""
    print(
        "\nThe fitted half, levels: copies at the median, 99 % and most | the least of others not dismissed"
    )
    for name in ("detail_levels", "ground_levels"):
        copies = np.array([getattr(pair, name) for pair in pairs if pair.is_copy])
        others = np.array([getattr(pair, name) for pair in pairs if not pair.is_copy])
        low = np.sort(others[~np.isnan(others)])[:6].round(1)
        quantiles = np.nanquantile(copies, [0.5, 0.99, 1]).round(1)
        print(f"{name}: {quantiles} | {low}; copies dismissed: {int(np.isnan(copies).sum())}")


def print_proposals(pairs: Sequence[Pair]) -> None:
    """Print which share of copies is proposed in a scope of all pictures, and how many others are."""
    copies = [pair for pair in pairs if pair.is_copy]
    originals = list({id(pair.prints[0]): pair.prints[0] for pair in copies}.values())
    names = {id(prints): f"o{number}" for number, prints in enumerate(originals)}
    drafts = [_draft(names[id(prints)], prints) for prints in originals]
    drafts += [_draft(f"c{number}", pair.prints[1]) for number, pair in enumerate(copies)]
    (scope,) = scopes(drafts, (), Rule())
    places = {one.candidate_id: index for index, one in enumerate(scope.ranked)}
    proposals = Proposals(scope)
    for name in names.values():
        proposals.add(places[name])
    print(
        f"\n| kind of picture, among {len(originals)} | pHash within 10 bits | proposed | pictures proposed |"
    )
    print("|---|---|---|---|")
    for kind in dict.fromkeys(pair.kind for pair in copies):
        of_kind = [(number, pair) for number, pair in enumerate(copies) if pair.kind == kind]
        near = [proposals.near(places[f"c{number}"]) for number, _ in of_kind]
        found = sum(
            places[names[id(pair.prints[0])]] in some for (_, pair), some in zip(of_kind, near, strict=True)
        )
        by_radius = sum(pair.bits[0] <= 10 for _, pair in of_kind)
        print(f"| {kind} | {interval(by_radius, len(of_kind))} | {interval(found, len(of_kind))} "
              f"| {np.mean([len(some) for some in near]):.1f} |")  # fmt: skip


def _draft(name: str, prints: Fingerprint) -> Candidate:
    seen = Inspection(phash=prints.phash, dhash=prints.dhash, measurements=prints.colours)
    return Candidate(
        candidate_id=name, order_id=name, stage="draft", arm="A", row=0, replicate=0, attempt=0,
        prompt="", file="", sha256=name, n_bytes=1, inspection=seen,
    )  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="where the Debian packages were unpacked")
    parser.add_argument(
        "--count", type=int, default=40, help="drawn pictures of words; of objects three times as many"
    )
    parser.add_argument("--kind", help="only this kind of picture, by which radii are then fitted too")
    options = parser.parse_args()
    with ProcessPoolExecutor(2) as pool:
        pairs = list(all_pairs(options.folder, options.count, options.kind, pool))
    straight = [pair for pair in pairs if pair.made_as is None]
    fitted = [pair for pair in straight if pair.is_fitted]
    rules: dict[str, Decision] = {"looks": lambda pair: pair.is_near, TODAY: by_both_hashes}
    for which, name in enumerate(("pHash", "dHash")):
        figures = {radius: worst_figure(fitted, partial(by_one_hash, which, radius)) for radius in RADII_BITS}
        best = max(figures, key=figures.__getitem__)
        rules[f"{name} alone, {best} bits"] = partial(by_one_hash, which, best)
    reported = [pair for pair in straight if not pair.is_fitted]
    print(f"{len(fitted):,} pairs fitted on, {len(reported):,} reported")
    print_limits(fitted)
    print_kinds(reported, rules)
    print_changes(reported, rules)
    print_altered([pair for pair in pairs if not pair.is_fitted])
    print_proposals(reported)


if __name__ == "__main__":
    main()
