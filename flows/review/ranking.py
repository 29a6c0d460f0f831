"""The ranking of pictures and arms by votes, beside the one by score."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from flows.review.page_context import RunView
from tasks.candidate import Candidate
from tasks.pairwise.bradley_terry import meetings_of, strengths
from tasks.pairwise.votes import Vote

MOST_SHOWN = 60


def ranking_facts(run: RunView) -> dict[str, Any]:
    """Rank the pictures by votes, and compare with the ranking by score."""
    votes = run.ledger.votes.of_run(run.run_id)
    drafts = {draft.candidate_id: draft for draft in run.drafts}
    found = strengths(meetings_of(votes)) if votes else {}
    by_votes = sorted(found, key=lambda name: (-found[name].value, name))
    by_score = sorted(found, key=lambda name: (-(drafts[name].score or 0.0), name))
    score_place = {name: place for place, name in enumerate(by_score, start=1)}
    standings = [
        {
            "place": place,
            "id": name,
            "name": drafts[name].name,
            "arm": drafts[name].arm,
            "strength": found[name],
            "by_score": score_place[name],
            "moved": score_place[name] - place,
        }
        for place, name in enumerate(by_votes[:MOST_SHOWN], start=1)
    ]
    return {
        "standings": standings,
        "n_ranked": len(by_votes),
        "arm_duels": _arm_duels(votes, drafts),
        "voters": Counter(vote.voter for vote in votes).most_common(),
        "agreement": _agreement(votes, drafts),
    }


def _arm_duels(votes: Sequence[Vote], drafts: Mapping[str, Candidate]) -> list[dict[str, Any]]:
    """Count the wins of each pair of arms that were compared."""
    won: dict[tuple[str, str], Counter[str]] = {}
    for vote in votes:
        arms = (drafts[vote.left_id].arm, drafts[vote.right_id].arm)
        if arms[0] == arms[1]:
            continue
        winner = {"left": arms[0], "right": arms[1], "tie": "tie"}[vote.outcome]
        won.setdefault((min(arms), max(arms)), Counter())[winner] += 1
    return [
        {"arms": pair, "won": [count[pair[0]], count[pair[1]]], "ties": count["tie"], "n": count.total()}
        for pair, count in sorted(won.items())
    ]


def _agreement(votes: Sequence[Vote], drafts: Mapping[str, Candidate]) -> tuple[int, int]:
    """Count how often the picture with the higher score won, among the duels with a winner."""
    agreed = compared = 0
    for vote in votes:
        left, right = drafts[vote.left_id].score, drafts[vote.right_id].score
        if vote.outcome == "tie" or left is None or right is None or left == right:
            continue
        compared += 1
        agreed += (left > right) == (vote.outcome == "left")
    return agreed, compared
