"""Answers of judging models about a run's pictures, read from the ledger. Asks and spends nothing.

Answers are found by their question, whichever run asked it and in whatever order they came.
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
class JudgeAnswers:
    """The answers so far.

    Args:
        replies: Candidate id to the judge's reply by the rubric; only candidates that were asked about.
        duels: Replies about pairs, one for each order in which a pair was shown.
    """

    replies: Mapping[str, Reply]
    duels: Sequence[DuelReply]

    def asked(self, row: int) -> set[Pair]:
        """Return the pairs of a row that were asked about, in the order in which they were shown."""
        return {(duel.first_id, duel.second_id) for duel in self.duels if duel.row == row}


def read_judge_answers(ledger: Ledger, questions: Questions, drafts: Sequence[Candidate]) -> JudgeAnswers:
    """Read the answers to every question that a run may have asked about its drafts.

    Args:
        ledger: The ledger.
        questions: Makes the run's questions.
        drafts: The run's drafts.
    """
    rules, judged = questions.campaign.score, worth_judging(drafts)
    replies = _replies(ledger, questions, drafts, judged) if _asks(rules, "judge") else {}
    duels = _duels(ledger, questions, judged) if _asks(rules, "duel") else []
    return JudgeAnswers(replies, duels)


def _asks(rules: Score, name: str) -> bool:
    return name in rules.weights and getattr(rules, name) is not None


def _replies(
    ledger: Ledger, questions: Questions, drafts: Sequence[Candidate], judged: Sequence[Candidate]
) -> dict[str, Reply]:
    asked = {draft.sha256: questions.about(draft).question for draft in judged}
    came = ledger.answers.replies(questions.run_id, list(asked.values()))
    return {
        draft.candidate_id: came[asked[draft.sha256]]
        for draft in drafts
        if draft.is_survivor and asked[draft.sha256] in came
    }


def _duels(ledger: Ledger, questions: Questions, judged: Sequence[Candidate]) -> list[DuelReply]:
    asked = {
        questions.between(first, second).question: (row, first.candidate_id, second.candidate_id)
        for row, pool in pools(judged).items()
        for first, second in permutations(pool, 2)
    }
    came = ledger.answers.replies(questions.run_id, list(asked))
    return [DuelReply(*asked[question], came[question]) for question in asked if question in came]


def pools(judged: Sequence[Candidate]) -> dict[int, list[Candidate]]:
    """Group pictures by row: the pictures of a row, of all arms, are compared with one another."""
    found: dict[int, list[Candidate]] = defaultdict(list)
    for draft in judged:
        found[draft.row].append(draft)
    return dict(sorted(found.items()))
