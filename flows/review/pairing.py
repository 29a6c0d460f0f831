"""The choice of the next pair for a duel, the most informative one, on random sides.

Each person judges a pair at most once. Pictures with few duels come first, paired with one of another arm and
of nearly the same score: a duel whose winner is predictable adds no information. Pictures that look similar
meet last: there is least to choose between. The same picture in two arms never meets itself.

Of pairs that are equally good to ask about, each person has an order of their own, so that several people
cover more pairs. Every few duels a pair comes that somebody else has judged: by these their agreement is
measured.
"""

import hashlib
import math
import random
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from tasks.candidate import Candidate, are_one_picture, are_similar
from tasks.pairwise.votes import Vote, without_skips

BEST_OF_CELL = 12
"""How many of the best pictures of each arm and row take part, so that the pairs stay few."""

MEETINGS_EACH = 4
"""How many duels each picture needs until one person's ranking is stable."""

SHARED_EVERY = 4
"""Each fourth duel is about a pair that somebody else has judged, if there is one."""

SCORES_ALIKE = 0.1
"""Scores so close that neither picture is expected to win."""

Pair = frozenset[str]


@dataclass(frozen=True)
class Pool:
    """The pictures that take part, and the pairs that one person has judged.

    Args:
        rows: The pictures of each row.
        judged: Pairs that this person has judged or skipped: they do not come again.
        meetings: Number of duels of each picture, judged by anybody.
        voter: The person's name.
        n_done: How many duels this person has judged; skips are none.
        shared: Pairs that others have judged.
    """

    rows: Mapping[int, Sequence[Candidate]]
    judged: Collection[Pair]
    meetings: Mapping[str, int]
    voter: str
    n_done: int
    shared: Collection[Pair]

    @property
    def n_wanted(self) -> int:
        """How many duels make a ranking: a few for each picture, at most all pairs."""
        return sum(
            min(_count_pairs(row), math.ceil(len(row) * MEETINGS_EACH / 2)) for row in self.rows.values()
        )


def _count_pairs(row: Sequence[Candidate]) -> int:
    n_same = 0
    if any(one.standing and one.standing.duplicate_kind == "near" for one in row):
        n_same = sum(are_one_picture(*pair) for pair in combinations(row, 2))
    return math.comb(len(row), 2) - n_same


def pool_of(drafts: Sequence[Candidate], votes: Sequence[Vote], voter: str) -> Pool:
    """Collect the pictures that take part: the best unique images of every arm and row.

    Args:
        drafts: The run's drafts.
        votes: The run's votes.
        voter: The person who judges next.
    """
    cells: dict[tuple[int, str], list[Candidate]] = defaultdict(list)
    for draft in drafts:
        if draft.is_survivor:
            cells[draft.row, draft.arm].append(draft)
    rows: dict[int, list[Candidate]] = defaultdict(list)
    for (row, _), cell in sorted(cells.items()):
        rows[row] += sorted(cell, key=lambda draft: (draft.score is None, -(draft.score or 0)))[:BEST_OF_CELL]
    said = without_skips(votes)
    meetings = Counter(name for vote in said for name in (vote.left_id, vote.right_id))
    return Pool(
        rows,
        judged={_pair(vote) for vote in votes if vote.voter == voter},
        meetings=meetings,
        voter=voter,
        n_done=sum(vote.voter == voter for vote in said),
        shared={_pair(vote) for vote in said if vote.voter != voter},
    )


def _pair(vote: Vote) -> Pair:
    return frozenset((vote.left_id, vote.right_id))


def choose_pair(pool: Pool, chance: random.Random) -> tuple[Candidate, Candidate] | None:
    """Choose the next two pictures, left and right; ``None`` if this person has judged every pair."""
    own = Counter(name for pair in pool.judged for name in pair)
    wants_shared = pool.n_done % SHARED_EVERY == SHARED_EVERY - 1
    best: tuple[object, Candidate, Candidate] | None = None
    for row in pool.rows.values():
        for one, other in combinations(row, 2):
            names = (one.candidate_id, other.candidate_id)
            if frozenset(names) in pool.judged or are_one_picture(one, other):
                continue
            key = (
                wants_shared and frozenset(names) not in pool.shared,
                are_similar(one, other),
                sum(own[name] for name in names),
                sum(pool.meetings.get(name, 0) for name in names),
                one.arm == other.arm,
                round(abs((one.score or 0) - (other.score or 0)) / SCORES_ALIKE),
                _own_place(pool.voter, names),
            )
            if best is None or key < best[0]:  # type: ignore[operator]
                best = (key, one, other)
    if best is None:
        return None
    _, one, other = best
    # The sides are left to chance, so that nobody learns which arm is where.
    return (one, other) if chance.random() < 0.5 else (other, one)


def _own_place(voter: str, names: tuple[str, str]) -> str:
    """Place a pair in this person's own order, the same on every machine."""
    return hashlib.sha256("\n".join((voter, *sorted(names))).encode()).hexdigest()
