"""The ranking of pictures and arms by votes, beside the one by score; and the people who voted.

The score that is held against votes is never made of them: it is the total without the scorer ``votes``, and
unknown where nothing else has a weight.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from flows.review.page_context import RunView
from flows.review.pairing import pool_of
from tasks.candidate import Candidate
from tasks.pairwise.bradley_terry import Strength, meetings_of, strengths
from tasks.pairwise.calibration import PEOPLE, TOTAL, calibrate
from tasks.pairwise.people_agreement import agree_on_pairs
from tasks.pairwise.votes import Vote, without_skips
from tasks.score import weighted_total

MOST_SHOWN = 60
MADE_OF_VOTES = "The score is made of these votes alone, and so says nothing about them."
NOT_COMPARED = "No duel had a winner between two pictures with different scores."


def ranking_facts(run: RunView) -> dict[str, Any]:
    """Rank the pictures by votes, and compare with the ranking by score."""
    votes = run.ledger.votes.of_run(run.run_id)
    said = without_skips(votes)
    drafts = {draft.candidate_id: draft for draft in run.drafts}
    found = strengths(meetings_of(said)) if said else {}
    weights = {name: weight for name, weight in run.campaign.score.weights.items() if name != PEOPLE}
    return {
        "standings": _standings(found, drafts, weights, _called_bad(said)),
        "n_ranked": len(found),
        "arm_duels": _arm_duels(said, drafts),
        "people": people_facts(run, votes),
        "agreement": agree_on_pairs(votes),
        "score_agreement": _score_agreement(run.drafts, said, weights),
    }


def _standings(
    found: Mapping[str, Strength],
    drafts: Mapping[str, Candidate],
    weights: Mapping[str, float],
    called_bad: Mapping[str, int],
) -> list[dict[str, Any]]:
    """Rank the pictures; the place by score is that among the pictures whose score is known without votes."""
    scores = {name: weighted_total(drafts[name].scores, weights) for name in found}
    by_score = sorted(
        (name for name in found if scores[name] is not None), key=lambda n: (-(scores[n] or 0), n)
    )
    score_place = {name: place for place, name in enumerate(by_score, start=1)}
    by_votes = sorted(found, key=lambda name: (-found[name].value, name))
    return [
        {
            "place": place,
            "id": name,
            "name": drafts[name].name,
            "arm": drafts[name].arm,
            "strength": found[name],
            "called_bad": called_bad.get(name, 0),
            "by_score": score_place.get(name),
            "moved": score_place[name] - place if name in score_place else None,
        }
        for place, name in enumerate(by_votes[:MOST_SHOWN], start=1)
    ]


def _called_bad(votes: Sequence[Vote]) -> Mapping[str, int]:
    """Count how often each picture was called bad together with another."""
    bad = [vote for vote in votes if vote.outcome == "both bad"]
    return Counter(name for vote in bad for name in (vote.left_id, vote.right_id))


def people_facts(run: RunView, votes: Sequence[Vote]) -> list[dict[str, Any]]:
    """Return what each person has judged, skipped and has left, who judged most first.

    Args:
        run: The run; people whom its campaign asks are listed before their first vote too.
        votes: Its votes.
    """
    people = []
    for name in dict.fromkeys([*run.campaign.review.people, *(vote.voter for vote in votes)]):
        pool = pool_of(run.drafts, votes, name)
        skipped = sum(vote.voter == name and vote.outcome == "skip" for vote in votes)
        people.append(
            {
                "name": name,
                "judged": pool.n_done,
                "skipped": skipped,
                "left": max(pool.n_wanted - pool.n_done, 0),
            }
        )
    return sorted(people, key=lambda one: (-one["judged"], one["name"]))


def _arm_duels(votes: Sequence[Vote], drafts: Mapping[str, Candidate]) -> list[dict[str, Any]]:
    """Count the wins of each pair of arms that were compared."""
    won: dict[tuple[str, str], Counter[str]] = {}
    for vote in votes:
        arms = (drafts[vote.left_id].arm, drafts[vote.right_id].arm)
        if arms[0] == arms[1]:
            continue
        winner = {"left": arms[0], "right": arms[1]}.get(vote.outcome, f"/{vote.outcome}")
        won.setdefault((min(arms), max(arms)), Counter())[winner] += 1
    return [
        {
            "arms": pair,
            "won": [count[pair[0]], count[pair[1]]],
            "ties": count["/tie"],
            "both_bad": count["/both bad"],
            "n": count.total(),
        }
        for pair, count in sorted(won.items())
    ]


def _score_agreement(
    drafts: Sequence[Candidate], votes: Sequence[Vote], weights: Mapping[str, float]
) -> dict[str, Any]:
    """Return how often the score without votes ranks a pair as people do; ``None`` with a reason."""
    found = calibrate(drafts, votes, weights)
    total = next((one for one in found.agreements if one.scorer == TOTAL), None) if found else None
    reason = NOT_COMPARED if any(weights.values()) else MADE_OF_VOTES
    accuracy = total and total.accuracy
    return {
        "accuracy": accuracy,
        "pairs": total.pairs if total else 0,
        "reason": "" if accuracy is not None else reason,
    }
