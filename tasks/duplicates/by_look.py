"""Duplicates by look: hashes propose, a comparison of two pictures decides.

In a scope of some hundred pictures, such as a prompt's, every pair is proposed. In larger ones the pictures
of one prompt are proposed to one another, and besides those that `tasks.duplicates.proposals` finds.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from tasks.candidate import Standing
from tasks.duplicates.by_hash import is_near_by_hash
from tasks.duplicates.comparison import Comparer, Comparison
from tasks.duplicates.proposals import Proposals
from tasks.duplicates.rule import (
    SIMILAR_SIMILARITY,
    Altered,
    DuplicateRule,
    folds,
    least_similarity,
)
from tasks.duplicates.scope import Kind, Scope, duplicate_of, exact_duplicate
from tasks.pictures.likeness import NEAR_SIMILARITY

ALL_PAIRS_UP_TO = 128
"""In a scope of at most so many pictures every pair is proposed."""

_ALTERED = get_args(Altered)


def settle_by_look(scope: Scope, rule: DuplicateRule, compare: Comparer) -> dict[str, Standing]:
    """Take candidates from best to worst; each joins the representative it is most like or becomes one.

    Args:
        scope: Pictures compared with one another.
        rule: What counts as a duplicate.
        compare: Compares a picture with others.
    """
    settling = _Settling(scope, rule, compare)
    for index in range(len(scope.ranked)):
        settling.take(index)
    return settling.standings()


@dataclass(frozen=True, slots=True)
class _Found:
    """What a picture is to a representative; no ``kind`` when they are not alike."""

    leader: int
    kind: Kind | None
    similarity: float | None
    is_duplicate: bool


class _Settling:
    """The representatives so far, and what was found about each picture taken.

    A picture that is similar to a representative, but no duplicate of it, becomes one too; which of them are
    similar is kept as a forest, so that similar ones have one root, the most preferred.
    """

    def __init__(self, scope: Scope, rule: DuplicateRule, compare: Comparer) -> None:
        self._scope = scope
        self._rule = rule
        self._compare = compare
        self._limit = least_similarity(rule)
        hashes = scope.values.tolist()
        self._hashes = [None if place < 0 else hashes[place] for place in scope.places]
        self._leaders: list[int] = []
        self._by_bytes: dict[str, int] = {}
        self._by_prompt: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        self._proposals = Proposals(scope)
        self._roots: dict[int, int] = {}
        self._closest: dict[int, _Found] = {}
        self._duplicates: dict[int, Standing] = {}

    def take(self, index: int) -> None:
        """Decide about the next picture."""
        scope = self._scope
        if scope.may_fold(index):
            standing = exact_duplicate(scope, index, self._by_bytes.get(scope.ranked[index].sha256))
            if standing is not None:
                self._duplicates[index] = standing
                return
        if not scope.is_earlier(index):
            found = self._compared(index)
            standing = self._duplicate(index, found) if scope.may_fold(index) else None
            if standing is not None:
                self._duplicates[index] = standing
                return
            self._group(index, found)
        self._lead(index)

    def _lead(self, index: int) -> None:
        one = self._scope.ranked[index]
        self._leaders.append(index)
        self._by_bytes.setdefault(one.sha256, index)
        self._by_prompt[one.arm, one.prompt].append(index)
        self._proposals.add(index)
        self._roots.setdefault(index, index)

    def _proposed(self, index: int) -> Iterator[int]:
        """Yield the representatives that a picture is compared with, the nearest hash first."""
        scope, one = self._scope, self._scope.ranked[index]
        if len(scope.ranked) <= ALL_PAIRS_UP_TO:
            proposed = self._leaders
        else:
            own = self._by_prompt[one.arm, one.prompt]
            near = self._proposals.near(index)
            proposed = [*near, *(own if len(own) <= ALL_PAIRS_UP_TO else ())]
        bits = ((self._bits(index, leader), leader) for leader in set(proposed))
        for *_, leader in sorted((each is None, each or 0, leader) for each, leader in bits):
            if not scope.is_apart(index, leader):
                yield leader

    def _bits(self, index: int, leader: int) -> int | None:
        one, other = self._hashes[index], self._hashes[leader]
        return None if one is None or other is None else (one ^ other).bit_count()

    def _compared(self, index: int) -> list[_Found]:
        """Compare a picture with representatives, until it is a duplicate of one; the most alike first."""
        found, may_fold = [], self._scope.may_fold(index)
        ranked, leaders = self._scope.ranked, list(self._proposed(index))
        comparisons = self._compare(ranked[index], [ranked[leader] for leader in leaders])
        for leader, comparison in zip(leaders, comparisons, strict=True):
            one = self._found(index, leader, comparison)
            if one is not None:
                found.append(one)
                if may_fold and one.is_duplicate and one.kind not in _ALTERED:
                    break
        return sorted(
            found,
            key=lambda one: (
                not one.is_duplicate,
                one.is_duplicate and one.kind in _ALTERED,
                -(one.similarity or 0),
            ),
        )

    def _found(self, index: int, leader: int, comparison: Comparison | None) -> _Found | None:
        if comparison is None:
            is_near = is_near_by_hash(self._scope, index, leader, self._bits(index, leader))
            return _Found(leader, "near", None, is_duplicate=True) if is_near else None
        similarity = comparison.similarity
        if similarity is None:
            return None
        if comparison.altered is not None:
            is_duplicate = folds(self._rule, comparison.altered)
            return _Found(leader, comparison.altered, similarity, is_duplicate)
        kind = _kind(similarity)
        return _Found(leader, kind, similarity, is_duplicate=similarity >= self._limit)

    def _duplicate(self, index: int, found: Sequence[_Found]) -> Standing | None:
        if not found or not found[0].is_duplicate:
            return None
        first = found[0]
        leader = self._scope.ranked[first.leader]
        return duplicate_of(
            leader, first.kind or "similar", self._bits(index, first.leader), first.similarity
        )

    def _group(self, index: int, found: Sequence[_Found]) -> None:
        """Join the groups of all representatives that a unique image is alike to."""
        self._roots[index] = index
        if found:
            self._closest[index] = found[0]
        for one in found:
            if one.kind is not None:
                roots = self._root(index), self._root(one.leader)
                self._roots[max(roots)] = min(roots)

    def _root(self, index: int) -> int:
        while self._roots[index] != index:
            index = self._roots[index]
        return index

    def standings(self) -> dict[str, Standing]:
        """Return the standing of every picture of this run."""
        scope = self._scope
        standings = {scope.ranked[index].candidate_id: one for index, one in self._duplicates.items()}
        for index in self._leaders:
            if scope.is_earlier(index):
                continue
            name, closest = scope.ranked[index].candidate_id, self._closest.get(index)
            standings[name] = Standing(
                "survivor",
                cluster=name,
                duplicate_kind=closest.kind if closest and closest.kind in _ALTERED else None,
                similarity=closest.similarity if closest else None,
                similar_cluster=scope.ranked[self._root(index)].candidate_id,
            )
        for name, one in standings.items():
            if one.duplicate_of in standings:
                standings[name] = replace(one, similar_cluster=standings[one.duplicate_of].similar_cluster)
        return standings


def _kind(similarity: float) -> Kind | None:
    if similarity >= NEAR_SIMILARITY:
        return "near"
    return "similar" if similarity >= SIMILAR_SIMILARITY else None
