"""Which two pictures meet next: those that tell most, on sides that tell nothing.

Everybody judges every pair once at most. A picture that met few others goes first, and it meets one of
another arm, of nearly the same score: a duel whose winner is known beforehand teaches nothing.
"""

import math
import random
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from tasks.candidate import Candidate
from tasks.pairwise.votes import Vote

BEST_OF_CELL = 12
"""So many of the best pictures of each arm and row take part: nobody judges a thousand pairs."""

MEETINGS_EACH = 4
"""How often each picture should meet another until one person's ranking holds still."""

Pair = frozenset[str]


@dataclass(frozen=True)
class Pool:
    """The pictures that take part, and what one person judged already.

    Args:
        rows: The pictures of each row.
        judged: Pairs this person judged.
        meetings: How often each picture met another, whoever judged.
    """

    rows: Mapping[int, Sequence[Candidate]]
    judged: Collection[Pair]
    meetings: Mapping[str, int]

    @property
    def n_wanted(self) -> int:
        """How many duels make a ranking: a few for each picture, and never more than there are pairs."""
        return sum(
            min(math.comb(len(row), 2), math.ceil(len(row) * MEETINGS_EACH / 2)) for row in self.rows.values()
        )


def pool_of(drafts: Sequence[Candidate], votes: Sequence[Vote], voter: str) -> Pool:
    """Gather who takes part: the best survivors of every arm and row."""
    cells: dict[tuple[int, str], list[Candidate]] = defaultdict(list)
    for draft in drafts:
        if draft.is_survivor:
            cells[draft.row, draft.arm].append(draft)
    rows: dict[int, list[Candidate]] = defaultdict(list)
    for (row, _), cell in sorted(cells.items()):
        rows[row] += sorted(cell, key=lambda draft: (draft.score is None, -(draft.score or 0)))[:BEST_OF_CELL]
    judged = {frozenset((vote.left_id, vote.right_id)) for vote in votes if vote.voter == voter}
    meetings = Counter(name for vote in votes for name in (vote.left_id, vote.right_id))
    return Pool(rows, judged, meetings)


def choose_pair(pool: Pool, chance: random.Random) -> tuple[Candidate, Candidate] | None:
    """Choose the next two pictures, left and right; ``None`` when this person judged every pair."""
    own = Counter(name for pair in pool.judged for name in pair)
    best: tuple[object, Candidate, Candidate] | None = None
    for row in pool.rows.values():
        for one, other in combinations(row, 2):
            names = (one.candidate_id, other.candidate_id)
            if frozenset(names) in pool.judged:
                continue
            key = (
                sum(own[name] for name in names),
                sum(pool.meetings.get(name, 0) for name in names),
                one.arm == other.arm,
                round(abs((one.score or 0) - (other.score or 0)), 2),
                chance.random(),
            )
            if best is None or key < best[0]:  # type: ignore[operator]
                best = (key, one, other)
    if best is None:
        return None
    _, one, other = best
    return (one, other) if chance.random() < 0.5 else (other, one)
