"""Which pictures are compared with one another, and from the best to the worst."""

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tasks.candidate import Candidate, HashName, Standing
from tasks.decisions import DuplicateDecision
from tasks.duplicates.rule import DuplicateRule, Within
from tasks.pictures.fingerprint import COLOUR_NAMES, distances_bits, near_pairs, to_hashes


@dataclass(frozen=True)
class Scope:
    """Pictures compared with one another, from the most to the least preferred.

    Args:
        ranked: The candidates of this run and of earlier ones.
        earlier: Ids of those that belong to earlier runs.
        values: The distinct hashes, uint64. Equal hashes are compared once, however many there are.
        places: For each ranked candidate the index of its hash in ``values``; -1 when it has none.
        others: Its hash of the other kind, or ``None``.
        alone: Ids of pictures that people decided are no duplicates.
        apart: Pairs of ids that people decided are no duplicates of each other.
    """

    ranked: Sequence[Candidate]
    earlier: frozenset[str]
    values: NDArray[np.uint64]
    places: Sequence[int]
    others: Sequence[int | None]
    alone: frozenset[str]
    apart: frozenset[frozenset[str]]

    @cached_property
    def colours(self) -> NDArray[np.float32]:
        """Colour grids of the candidates, shape (candidates, cells); NaN when one was not measured."""
        measured = [one.inspection.measurements if one.inspection else {} for one in self.ranked]
        return np.array(
            [[each.get(name, math.nan) for name in COLOUR_NAMES] for each in measured], dtype=np.float32
        )

    def is_apart(self, index: int, leader: int) -> bool:
        """Whether people decided that two ranked pictures are no duplicates of each other."""
        if not self.apart:
            return False
        return frozenset((self.ranked[index].candidate_id, self.ranked[leader].candidate_id)) in self.apart

    def is_earlier(self, index: int) -> bool:
        """Whether a ranked picture belongs to an earlier run, and so is a representative."""
        return self.ranked[index].candidate_id in self.earlier

    def may_fold(self, index: int) -> bool:
        """Whether a ranked picture may be a duplicate; not one that people liked."""
        return not (self.ranked[index].is_liked or self.is_earlier(index))

    def is_alone(self, index: int) -> bool:
        """Whether people decided that a ranked picture is no duplicate of some other."""
        return self.ranked[index].candidate_id in self.alone


def scopes(
    candidates: Sequence[Candidate],
    earlier: Sequence[Candidate],
    rule: DuplicateRule,
    apart: Sequence[DuplicateDecision] = (),
) -> Iterator[Scope]:
    """Group the usable pictures of this run and of earlier ones by what the rule compares.

    Args:
        candidates: The pictures of this run.
        earlier: Pictures of earlier runs.
        rule: What counts as a duplicate.
        apart: Decisions that pictures are no duplicates.
    """
    own = {one.candidate_id for one in candidates}
    before = [one for one in earlier if one.candidate_id not in own]
    before_ids = frozenset(one.candidate_id for one in before)
    groups: defaultdict[object, list[Candidate]] = defaultdict(list)
    for one in (*candidates, *before):
        if one.is_sound:
            groups[GROUP_OF[rule.within](one)].append(one)
    for group in groups.values():
        ranked = sorted(group, key=lambda one: _preference(one, is_earlier=one.candidate_id in before_ids))
        yield _scope(ranked, before_ids, rule.hash, apart)


def scope_of(group: Sequence[Candidate], apart: Sequence[DuplicateDecision]) -> Scope:
    """Make a scope of inspected pictures, from the most to the least preferred.

    Args:
        group: Pictures of one run.
        apart: Decisions that pictures are no duplicates.
    """
    ranked = sorted(group, key=lambda one: _preference(one, is_earlier=False))
    return _scope(ranked, frozenset(), "phash", apart)


GROUP_OF: dict[Within, Callable[[Candidate], object]] = {
    # By text, not row number: a row may move in the file between two runs.
    "prompt": lambda one: (one.arm, one.prompt),
    "arm": lambda one: one.arm,
    "campaign": lambda _: None,
}
"""What the pictures of one scope have in common."""


def affected(
    candidates: Sequence[Candidate],
    within: Within,
    decisions: Sequence[DuplicateDecision],
    names: Collection[str],
) -> list[Candidate]:
    """List the candidates whose standing may change by a decision about some of them.

    Those are the pictures in the same scopes, and in scopes that other decisions or a common row connect
    with them.

    Args:
        candidates: All of a run.
        within: Where duplicates are looked for.
        decisions: What people decided about pairs.
        names: Ids of the pictures in question.
    """
    group_of = {one.candidate_id: GROUP_OF[within](one) for one in candidates}
    pairs = [
        {group_of[name] for name in (each.copy_id, each.of_id) if name in group_of} for each in decisions
    ]
    of_row: defaultdict[int, set[object]] = defaultdict(set)
    for one in candidates:
        of_row[one.row].add(group_of[one.candidate_id])
    pairs += of_row.values()
    reached = {group_of[name] for name in names if name in group_of}
    while more := [pair for pair in pairs if pair & reached and not pair <= reached]:
        reached.update(*more)
    return [one for one in candidates if group_of[one.candidate_id] in reached]


_OTHER_HASH: Mapping[HashName, HashName] = {"phash": "dhash", "dhash": "phash"}


def _preference(one: Candidate, *, is_earlier: bool) -> tuple[object, ...]:
    technical = one.value_of("technical")
    return (
        one.is_further_draft,  # or what was asked for later would take the place of evidence
        not one.is_liked,
        not is_earlier,
        math.inf if technical is None else -technical,
        one.arm, one.row, one.replicate, one.attempt, one.candidate_id,
    )  # fmt: skip


def _scope(
    ranked: Sequence[Candidate],
    earlier: frozenset[str],
    hash_name: HashName,
    apart: Sequence[DuplicateDecision],
) -> Scope:
    digits = [one.hash_digits(hash_name) for one in ranked]
    others = [one.hash_digits(_OTHER_HASH[hash_name]) for one in ranked]
    values, inverse = np.unique(to_hashes([one for one in digits if one is not None]), return_inverse=True)
    found = iter(inverse.tolist())
    return Scope(
        ranked=ranked,
        earlier=earlier,
        values=values,
        places=[-1 if one is None else next(found) for one in digits],
        others=[None if one is None else int(one, 16) for one in others],
        alone=frozenset(decision.copy_id for decision in apart),
        apart=frozenset(frozenset((decision.copy_id, decision.of_id)) for decision in apart),
    )


def neighbours(scope: Scope, radius_bits: int) -> dict[int, list[tuple[int, int]]]:
    """List, for each distinct hash, the hashes within the radius with their distances."""
    found = {place: [(0, place)] for place in range(len(scope.values))}
    pairs = near_pairs(scope.values, radius_bits)
    distances = distances_bits(scope.values[pairs[:, 0]], scope.values[pairs[:, 1]])
    for (one, other), bits in zip(pairs.tolist(), distances.tolist(), strict=True):
        found[one].append((bits, other))
        found[other].append((bits, one))
    return found


def exact_duplicate(scope: Scope, index: int, leader: int | None) -> Standing | None:
    """Make a picture a duplicate of the representative with the same bytes, unless people said otherwise."""
    if leader is None or scope.is_apart(index, leader):
        return None
    return duplicate_of(scope.ranked[leader], "exact", 0, similarity=1.0)


Kind = Literal["exact", "near", "similar", "mirrored", "framed"]


def duplicate_of(leader: Candidate, kind: Kind, bits: int | None, similarity: float | None) -> Standing:
    """Make the standing of a duplicate.

    Args:
        leader: Its representative.
        kind: What makes it one.
        bits: The distance of their hashes.
        similarity: How similar they are, 0-1; ``None`` when they were not looked at.
    """
    return Standing(
        "duplicate",
        cluster=leader.candidate_id,
        duplicate_of=leader.candidate_id,
        duplicate_kind=kind,
        hash_distance_bits=bits,
        similarity=similarity,
    )
