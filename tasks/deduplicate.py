"""The step that finds duplicates among candidates and chooses a representative of each cluster.

Two pictures are duplicates when their bytes are equal, or when a comparison of their looks finds the same
picture; or, where a campaign sets a radius or no look can be had, when their hashes are near
(`tasks.duplicates`). Candidates are taken from best to worst; each joins the nearest representative that it
duplicates, or becomes a representative. So every duplicate is alike to its own representative, and a chain of
small changes never joins two different pictures. Nothing is deleted, and a picture that a person liked is
never marked as a duplicate. People's decisions about pairs override all of this.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tasks.candidate import Candidate, HashName, Standing
from tasks.decisions import DuplicateDecision, last_duplicate_decisions
from tasks.duplicates.across_arms import join_across_arms
from tasks.duplicates.by_hash import settle_by_hash
from tasks.duplicates.by_look import settle_by_look
from tasks.duplicates.comparison import Comparer
from tasks.duplicates.rule import DEFAULT_RADIUS_BITS, DuplicateRule
from tasks.duplicates.scope import Scope, neighbours, scopes
from tasks.pictures.fingerprint import hash_distance_bits

TABLED_RADII_BITS = range(13)


def deduplicate(
    candidates: Sequence[Candidate],
    rule: DuplicateRule,
    earlier: Sequence[Candidate] = (),
    decisions: Sequence[DuplicateDecision] = (),
    compare: Comparer | None = None,
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
        compare: Compares a picture with others by their looks; without it hashes decide alone.

    Returns:
        A standing for each candidate id: ``unfit`` when it is not a usable picture, ``duplicate`` of a
        representative, or ``survivor`` (a unique image). A unique image that is ``near`` is the same picture
        as one of another arm in its row.
    """
    standings = {one.candidate_id: Standing("unfit", cluster=None) for one in candidates}
    last = last_duplicate_decisions(decisions)
    apart = [decision for decision in last if not decision.is_copy]
    with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="compare") as threads:
        settle = partial(_settle, rule=rule, compare=compare)
        for settled in threads.map(settle, scopes(candidates, earlier, rule, apart)):
            standings |= settled
    if compare is not None and rule.radius_bits is None and rule.level != "exact":
        standings = join_across_arms(candidates, standings, apart, compare)
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
        rule: What counts as a duplicate; its level and radius are ignored.
        earlier: Candidates of earlier runs.
    """
    counts = dict.fromkeys(TABLED_RADII_BITS, 0)
    for scope in scopes(candidates, earlier, rule):
        near = neighbours(scope, max(TABLED_RADII_BITS))
        for radius_bits in TABLED_RADII_BITS:
            settled = settle_by_hash(scope, radius_bits, near).values()
            counts[radius_bits] += sum(standing.status == "duplicate" for standing in settled)
    return counts


def _settle(scope: Scope, rule: DuplicateRule, compare: Comparer | None) -> dict[str, Standing]:
    if rule.level == "exact":
        return settle_by_hash(scope, None, {})
    if rule.radius_bits is None and compare is not None:
        return settle_by_look(scope, rule, compare)
    radius_bits = DEFAULT_RADIUS_BITS if rule.radius_bits is None else rule.radius_bits
    return settle_by_hash(scope, radius_bits, neighbours(scope, radius_bits))


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
            group = of.similar_cluster if of else None
            standings[name] = Standing("duplicate", leader_id, leader_id, "told", bits, similar_cluster=group)
