"""The same picture in two arms of one row: both stay, and it is said.

Each is evidence about its own arm, so neither is a duplicate of the other. But nobody needs to choose between
them, and both are not bought again. As in large scopes, hashes propose and a comparison decides.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tasks.candidate import Candidate, Standing
from tasks.decisions import DuplicateDecision
from tasks.duplicates.comparison import Comparer
from tasks.duplicates.proposals import Proposals
from tasks.duplicates.scope import Scope, scope_of
from tasks.pictures.likeness import NEAR_SIMILARITY


def join_across_arms(
    candidates: Sequence[Candidate],
    standings: Mapping[str, Standing],
    apart: Sequence[DuplicateDecision],
    compare: Comparer,
) -> dict[str, Standing]:
    """Put unique images of one row that are the same picture in two arms into one group of similar ones.

    Args:
        candidates: The pictures of one run.
        standings: What was decided within each arm.
        apart: Decisions of people that pictures are not the same.
        compare: Compares a picture with others.

    Returns:
        The standings; the less preferred picture of such a pair is ``near`` and stays a unique image.
    """
    rows: defaultdict[int, list[Candidate]] = defaultdict(list)
    for one in candidates:
        if standings[one.candidate_id].status == "survivor":
            rows[one.row].append(one)
    joined = dict(standings)
    for some in rows.values():
        if len({one.arm for one in some}) > 1:
            _join_row(joined, scope_of(some, apart), compare)
    return joined


def _join_row(standings: dict[str, Standing], scope: Scope, compare: Comparer) -> None:
    proposals = Proposals(scope)
    for index, one in enumerate(scope.ranked):
        near = [leader for leader in proposals.near(index) if not scope.is_apart(index, leader)]
        others = [scope.ranked[leader] for leader in near if scope.ranked[leader].arm != one.arm]
        for other, comparison in zip(others, compare(one, others), strict=True):
            if comparison is None or comparison.altered or (comparison.similarity or 0) < NEAR_SIMILARITY:
                continue
            name = one.candidate_id
            standings[name] = replace(
                standings[name], duplicate_kind="near", similarity=comparison.similarity
            )
            _join(standings, standings[name].similar_cluster, standings[other.candidate_id].similar_cluster)
            break
        proposals.add(index)


def _join(standings: dict[str, Standing], group: str | None, into: str | None) -> None:
    for name, one in standings.items():
        if one.similar_cluster == group:
            standings[name] = replace(one, similar_cluster=into)
