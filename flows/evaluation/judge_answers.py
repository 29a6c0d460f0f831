"""What judging models said of a run's pictures, read back from the ledger. Nothing here asks or spends.

Answers are found by what was asked, so that they come back whoever asked, in this run or an earlier one, and
in whichever order they came.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from tasks.campaign.choice import Score
from tasks.candidate import Candidate
from tasks.judging.duels import Pair
from tasks.judging.replies import DuelReply, Reply
from tasks.ledger import Ledger
from tasks.orders.questions import Questions, worth_judging


@dataclass(frozen=True, slots=True)
class Opinions:
    """What is known so far.

    Args:
        replies: Candidate id to what the judge said by the rubric; those never asked about are left out.
        duels: What was said of pairs, one entry for each order in which a pair was asked.
    """

    replies: Mapping[str, Reply]
    duels: Sequence[DuelReply]

    def asked(self, row: int) -> set[Pair]:
        """List the pairs of a row that were asked, in the orders in which they were."""
        return {(duel.first_id, duel.second_id) for duel in self.duels if duel.row == row}


def read_opinions(ledger: Ledger, questions: Questions, drafts: Sequence[Candidate]) -> Opinions:
    """Read what came of every question that a run may have put about its drafts.

    Args:
        ledger: The ledger.
        questions: How the run asks.
        drafts: The run's drafts.
    """
    wishes, worthy = questions.campaign.score, worth_judging(drafts)
    replies = _replies(ledger, questions, drafts, worthy) if _asks(wishes, "judge") else {}
    duels = _duels(ledger, questions, worthy) if _asks(wishes, "duel") else []
    return Opinions(replies, duels)


def _asks(wishes: Score, name: str) -> bool:
    return name in wishes.weights and getattr(wishes, name) is not None


def _replies(
    ledger: Ledger, questions: Questions, drafts: Sequence[Candidate], worthy: Sequence[Candidate]
) -> dict[str, Reply]:
    asked = {draft.sha256: questions.about(draft).question for draft in worthy}
    came = ledger.answers.replies(questions.run_id, list(asked.values()))
    return {
        draft.candidate_id: came[asked[draft.sha256]]
        for draft in drafts
        if draft.is_survivor and asked[draft.sha256] in came
    }


def _duels(ledger: Ledger, questions: Questions, worthy: Sequence[Candidate]) -> list[DuelReply]:
    asked = {
        questions.between(first, second).question: (row, first.candidate_id, second.candidate_id)
        for row, pool in pools(worthy).items()
        for first, second in permutations(pool, 2)
    }
    came = ledger.answers.replies(questions.run_id, list(asked))
    return [DuelReply(*asked[question], came[question]) for question in asked if question in came]


def pools(worthy: Sequence[Candidate]) -> dict[int, list[Candidate]]:
    """Group pictures into those that duel one another: all arms of a row."""
    found: dict[int, list[Candidate]] = defaultdict(list)
    for draft in worthy:
        found[draft.row].append(draft)
    return dict(sorted(found.items()))
