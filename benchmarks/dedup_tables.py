"""What was measured about two pictures in the benchmark of deduplication, and the tables made of it."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from scipy.stats import binomtest

from benchmarks.dedup_speed import Rule
from tasks.candidate import Candidate, Inspection
from tasks.duplicates.proposals import Proposals
from tasks.duplicates.rule import Altered
from tasks.duplicates.scope import scopes
from tasks.pictures.fingerprint import Fingerprint


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


Decision = Callable[[Pair], bool]


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
