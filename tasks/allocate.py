"""The step that decides a round: which arms deserve more pictures, by the pictures made so far.

An arm's lead is how far its pictures score above the mean of all arms in the same row, averaged over the
rows: a row whose prompt suits every arm favours none, nor does one in which some arm was refused. What counts
is what counts in the verdict: survivors with a score, made as they were ordered.
"""

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean

from tasks.ab_test import ScoredDraft, counts_as_evidence
from tasks.rounds import ArmStanding, RoundDecision


def allocate(
    scored: Sequence[ScoredDraft], arms: Sequence[str], *, number: int, n_going_on: int
) -> RoundDecision | None:
    """Decide a round.

    Args:
        scored: Every draft so far, in any order; those of arms that are out are ignored.
        arms: The arms of the round, in the campaign's order; of equals the first goes on.
        number: The round, from 1.
        n_going_on: How many arms go on.

    Returns:
        The decision; ``None`` when no picture has a score, so that nothing can be decided. An arm without a
        score stands last.
    """
    scores = _scores(scored, arms)
    if not any(scores.values()):
        return None
    leads = _leads(scores)
    ranked = sorted(arms, key=lambda arm: (arm not in leads, -leads.get(arm, 0.0), list(arms).index(arm)))
    standings = [
        _stand(arm, scores[arm], leads, goes_on=rank < n_going_on) for rank, arm in enumerate(ranked)
    ]
    return RoundDecision(number, tuple(standings))


def _scores(scored: Sequence[ScoredDraft], arms: Sequence[str]) -> dict[str, dict[int, list[float]]]:
    scores: dict[str, dict[int, list[float]]] = {arm: defaultdict(list) for arm in arms}
    ordered = sorted(scored, key=lambda draft: (draft.row, draft.replicate, draft.candidate_id or ""))
    for draft in ordered:  # in one order, so that sums of floats are the same on every machine
        if draft.arm in scores and draft.score is not None and counts_as_evidence(draft):
            scores[draft.arm][draft.row].append(draft.score)
    return scores


def _leads(scores: dict[str, dict[int, list[float]]]) -> dict[str, float]:
    means = {arm: {row: fmean(values) for row, values in rows.items()} for arm, rows in scores.items()}
    of_row: dict[int, list[float]] = defaultdict(list)
    for rows in means.values():
        for row, mean in rows.items():
            of_row[row].append(mean)
    level = {row: fmean(values) for row, values in of_row.items()}
    return {
        arm: fmean(mean - level[row] for row, mean in rows.items()) for arm, rows in means.items() if rows
    }


def _stand(arm: str, rows: dict[int, list[float]], leads: dict[str, float], *, goes_on: bool) -> ArmStanding:
    values = [score for row in rows.values() for score in row]
    return ArmStanding(arm, leads.get(arm), fmean(values) if values else None, len(values), goes_on)
