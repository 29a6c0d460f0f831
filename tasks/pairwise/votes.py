"""Votes: which of two pictures of one row a person prefers, without seeing their arms and scores.

Four answers say something: left, right, tie, both bad. Only the first three compare the two. A skip says
nothing: it is stored so that the pair does not come again, and counts nowhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

VoteOutcome = Literal["left", "right", "tie", "both bad", "skip"]


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's vote on one pair of drafts.

    Args:
        vote_id: Its id; writing the same vote twice stores one.
        run_id: The run both pictures belong to.
        row: Index of the row of variables that both were made for, from 0.
        left_id: The candidate shown on the left.
        right_id: The candidate shown on the right.
        outcome: Which one is better; ``tie`` and ``both bad`` are answers, ``skip`` is none.
        voter: The person's name.
        voted_at: Aware UTC time.
    """

    vote_id: str
    run_id: str
    row: int
    left_id: str
    right_id: str
    outcome: VoteOutcome
    voter: str
    voted_at: datetime


def without_skips(votes: Iterable[Vote]) -> list[Vote]:
    """Keep the votes that say something, in the same order."""
    return [vote for vote in votes if vote.outcome != "skip"]
