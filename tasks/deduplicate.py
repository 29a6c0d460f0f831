"""The step that finds duplicates among candidates and chooses a representative of each cluster.

Two pictures are duplicates when their bytes are equal, or when their hashes differ in few bits and two
further checks agree: their colours in every part of the picture, because hashes ignore colour; and the other
hash, because a slightly shifted view can fool one of them. Candidates are taken from best to worst; each
joins the nearest representative that it duplicates, or becomes a representative. So every duplicate is within
the radius of its own representative, and a chain of small changes never joins two different pictures. Nothing
is deleted, and a picture that a person liked is never marked as a duplicate. People's decisions about pairs
override all of this.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tasks.candidate import Candidate, HashName, Standing
from tasks.decisions import DuplicateDecision, last_duplicate_decisions
from tasks.pictures.fingerprint import (
    COLOUR_NAMES,
    distances_bits,
    hash_distance_bits,
    near_pairs,
    to_hashes,
)

COLOUR_TOLERANCE = 14.0
"""How far the colours of duplicates may differ: means of a grid's cells, 8-bit levels of Cb and Cr.

Measured by ``benchmarks/dedup_photographs.py`` on 71 photographs: the most changed duplicate (10 % brighter,
cropped, smaller and JPEG-compressed) differs by 12 to 13, the closest photograph with rotated hues by 16.
"""

CONFIRMING_SLACK_BITS = 2
"""By how many bits more than the radius the other hash may differ.

Measured on the same photographs at a radius of 6: it keeps apart a stereo pair whose pHash differs in only 4
bits. Of the duplicates that the radius alone finds it misses 5 % of those cropped at one corner, and no
others. All near-duplicates of the emulator are found (``benchmarks/dedup_emulator_art.py``).
"""

TABLED_RADII_BITS = range(13)

Within = Literal["prompt", "arm", "campaign"]


class DuplicateRule(Protocol):
    """What counts as a duplicate: the ``deduplicate`` section of a campaign.

    Attributes:
        hash: Which hash is compared.
        radius_bits: Hashes of duplicates differ in at most this many bits, 0-16.
        within: Where duplicates are looked for: among the pictures of one arm's prompt, of one arm, or of the
            whole campaign.
        history_runs: How many earlier runs are compared with; the caller passes their candidates.
    """

    @property
    def hash(self) -> HashName: ...  # noqa: D102
    @property
    def radius_bits(self) -> int: ...  # noqa: D102
    @property
    def within(self) -> Within: ...  # noqa: D102
    @property
    def history_runs(self) -> int: ...  # noqa: D102


def deduplicate(
    candidates: Sequence[Candidate],
    rule: DuplicateRule,
    earlier: Sequence[Candidate] = (),
    decisions: Sequence[DuplicateDecision] = (),
) -> dict[str, Standing]:
    """Decide about every candidate. A pure function; the candidates' order does not matter.

    Args:
        candidates: Inspected pictures; ``scores["technical"]`` and ``is_liked`` say which are preferred.
            Downgraded ones are treated like any other.
        rule: What counts as a duplicate.
        earlier: Candidates of earlier runs. They are already representatives, and get no standing.
        decisions: What people decided about pairs, oldest first. A picture decided to be no duplicate becomes
            a representative; one decided to be a duplicate becomes one at any distance, together with all
            that it represented.

    Returns:
        A standing for each candidate id: ``unfit`` when it is not a usable picture, ``duplicate`` of a
        representative, or ``survivor`` (a unique image).
    """
    standings = {one.candidate_id: Standing("unfit", cluster=None) for one in candidates}
    last = last_duplicate_decisions(decisions)
    apart = [decision for decision in last if not decision.is_copy]
    for scope in _scopes(candidates, earlier, rule, apart):
        standings |= _settle(scope, rule.radius_bits, _neighbours(scope, rule.radius_bits))
    known = {one.candidate_id: one for one in (*candidates, *earlier)}
    for decision in last:
        if decision.is_copy and {decision.copy_id, decision.of_id} <= known.keys():
            _apply_decision(standings, known, decision, rule.hash)
    return standings


def copies_by_radius(
    candidates: Sequence[Candidate], rule: DuplicateRule, earlier: Sequence[Candidate] = ()
) -> dict[int, int]:
    """Count the duplicates that the rule would find at each radius from 0 to 12 bits.

    Args:
        candidates: Inspected pictures.
        rule: What counts as a duplicate; its radius is ignored.
        earlier: Candidates of earlier runs.
    """
    counts = dict.fromkeys(TABLED_RADII_BITS, 0)
    for scope in _scopes(candidates, earlier, rule):
        neighbours = _neighbours(scope, max(TABLED_RADII_BITS))
        for radius_bits in TABLED_RADII_BITS:
            settled = _settle(scope, radius_bits, neighbours).values()
            counts[radius_bits] += sum(standing.status == "duplicate" for standing in settled)
    return counts


@dataclass(frozen=True, slots=True)
class _Scope:
    """Pictures compared with one another, from the most to the least preferred.

    Args:
        ranked: The candidates of this run and of earlier ones.
        earlier: Ids of those that belong to earlier runs.
        values: The distinct hashes, uint64. Equal hashes are compared once, however many there are.
        places: For each ranked candidate the index of its hash in ``values``; -1 when it has none.
        others: Its hash of the other kind, or ``None``.
        colours: Its colour grid, float32, shape (candidates, cells); NaN when it was not measured.
        alone: Ids of pictures that people decided are no duplicates.
        apart: Pairs of ids that people decided are no duplicates of each other.
    """

    ranked: Sequence[Candidate]
    earlier: frozenset[str]
    values: NDArray[np.uint64]
    places: Sequence[int]
    others: Sequence[int | None]
    colours: NDArray[np.float32]
    alone: frozenset[str]
    apart: frozenset[frozenset[str]]


def _scopes(
    candidates: Sequence[Candidate],
    earlier: Sequence[Candidate],
    rule: DuplicateRule,
    apart: Sequence[DuplicateDecision] = (),
) -> Iterator[_Scope]:
    own = {one.candidate_id for one in candidates}
    before = [one for one in earlier if one.candidate_id not in own]
    before_ids = frozenset(one.candidate_id for one in before)
    groups: defaultdict[object, list[Candidate]] = defaultdict(list)
    for one in (*candidates, *before):
        if one.is_sound:
            groups[_SCOPE_OF[rule.within](one)].append(one)
    for group in groups.values():
        ranked = sorted(group, key=lambda one: _preference(one, is_earlier=one.candidate_id in before_ids))
        yield _scope(ranked, before_ids, rule.hash, apart)


_SCOPE_OF: dict[Within, Callable[[Candidate], object]] = {
    # By text, not row number: a row may move in the file between two runs.
    "prompt": lambda one: (one.arm, one.prompt),
    "arm": lambda one: one.arm,
    "campaign": lambda _: None,
}


_OTHER_HASH: Mapping[HashName, HashName] = {"phash": "dhash", "dhash": "phash"}


def _preference(one: Candidate, *, is_earlier: bool) -> tuple[object, ...]:
    technical = one.value_of("technical")
    return (
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
) -> _Scope:
    inspections = [one.inspection for one in ranked if one.inspection is not None]
    digits = [one.hash_digits(hash_name) for one in ranked]
    others = [one.hash_digits(_OTHER_HASH[hash_name]) for one in ranked]
    values, inverse = np.unique(to_hashes([one for one in digits if one is not None]), return_inverse=True)
    found = iter(inverse.tolist())
    colours = [[one.measurements.get(name, math.nan) for name in COLOUR_NAMES] for one in inspections]
    return _Scope(
        ranked=ranked,
        earlier=earlier,
        values=values,
        places=[-1 if one is None else next(found) for one in digits],
        others=[None if one is None else int(one, 16) for one in others],
        colours=np.array(colours, dtype=np.float32),
        alone=frozenset(decision.copy_id for decision in apart),
        apart=frozenset(frozenset((decision.copy_id, decision.of_id)) for decision in apart),
    )


def _neighbours(scope: _Scope, radius_bits: int) -> dict[int, list[tuple[int, int]]]:
    """List, for each distinct hash, the hashes within the radius with their distances."""
    neighbours = {place: [(0, place)] for place in range(len(scope.values))}
    pairs = near_pairs(scope.values, radius_bits)
    distances = distances_bits(scope.values[pairs[:, 0]], scope.values[pairs[:, 1]])
    for (one, other), bits in zip(pairs.tolist(), distances.tolist(), strict=True):
        neighbours[one].append((bits, other))
        neighbours[other].append((bits, one))
    return neighbours


def _settle(
    scope: _Scope, radius_bits: int, neighbours: Mapping[int, list[tuple[int, int]]]
) -> dict[str, Standing]:
    """Take candidates from best to worst; each joins its nearest representative or becomes one."""
    standings: dict[str, Standing] = {}
    by_bytes: dict[str, int] = {}
    by_place: defaultdict[int, list[int]] = defaultdict(list)
    for index, one in enumerate(scope.ranked):
        is_earlier = one.candidate_id in scope.earlier
        if not (one.is_liked or is_earlier or one.candidate_id in scope.alone):
            duplicate = _exact(scope, index, by_bytes.get(one.sha256)) or _near(
                scope, index, radius_bits, neighbours, by_place
            )
            if duplicate is not None:
                standings[one.candidate_id] = duplicate
                continue
        by_bytes.setdefault(one.sha256, index)
        by_place[scope.places[index]].append(index)
        if not is_earlier:
            standings[one.candidate_id] = Standing("survivor", cluster=one.candidate_id)
    return standings


def _exact(scope: _Scope, index: int, leader: int | None) -> Standing | None:
    if leader is None or _is_apart(scope, index, leader):
        return None
    return _duplicate_of(scope.ranked[leader], "exact", 0)


def _is_apart(scope: _Scope, index: int, leader: int) -> bool:
    if not scope.apart:
        return False
    return frozenset((scope.ranked[index].candidate_id, scope.ranked[leader].candidate_id)) in scope.apart


def _near(
    scope: _Scope,
    index: int,
    radius_bits: int,
    neighbours: Mapping[int, list[tuple[int, int]]],
    leaders: Mapping[int, list[int]],
) -> Standing | None:
    """Find the nearest representative that all checks confirm; of equally near ones the most preferred."""
    nearby = sorted(
        (bits, leader)
        for bits, place in neighbours.get(scope.places[index], ())
        if bits <= radius_bits
        for leader in leaders.get(place, ())
    )
    for bits, leader in nearby:
        if not _is_apart(scope, index, leader) and _is_confirmed(scope, index, leader, radius_bits):
            return _duplicate_of(scope.ranked[leader], "near", bits)
    return None


def _is_confirmed(scope: _Scope, index: int, leader: int, radius_bits: int) -> bool:
    """Check two near hashes by colour and the other hash. What was not measured confirms nothing."""
    one, other = scope.others[index], scope.others[leader]
    if one is None or other is None or (one ^ other).bit_count() > radius_bits + CONFIRMING_SLACK_BITS:
        return False
    return bool(np.abs(scope.colours[index] - scope.colours[leader]).max() <= COLOUR_TOLERANCE)


def _apply_decision(
    standings: dict[str, Standing],
    known: Mapping[str, Candidate],
    decision: DuplicateDecision,
    hash_name: HashName,
) -> None:
    """Put a picture, with its duplicates, under the representative of the picture that it duplicates."""
    duplicate, of = standings.get(decision.copy_id), standings.get(decision.of_id)
    leader_id = (of and of.duplicate_of) or decision.of_id
    if leader_id == decision.copy_id or duplicate is None or "unfit" in (duplicate.status, of and of.status):
        return
    for name, standing in standings.items():
        if name == decision.copy_id or standing.duplicate_of == decision.copy_id:
            leader = known.get(leader_id)
            bits = hash_distance_bits(known[name], leader, hash_name) if leader else None
            standings[name] = Standing("duplicate", leader_id, leader_id, "told", bits)


def _duplicate_of(leader: Candidate, kind: Literal["exact", "near"], bits: int) -> Standing:
    return Standing(
        "duplicate",
        cluster=leader.candidate_id,
        duplicate_of=leader.candidate_id,
        duplicate_kind=kind,
        hash_distance_bits=bits,
    )
