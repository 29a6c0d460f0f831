"""Answers of judging models about a run's pictures, read from the ledger. Asks and spends nothing.

Answers are found by their question, whichever run asked it and in whatever order they came.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

from tasks.campaign.choice import Score
from tasks.candidate import Candidate
from tasks.judging.duels import Pair
from tasks.judging.forms import Form
from tasks.judging.replies import DuelReply, Reply
from tasks.ledger import Ledger
from tasks.orders.questions import Questions, forms_of, worth_judging


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
    own = [draft for draft in judged if draft.is_campaign_draft]  # others are in no duel
    duels = _duels(ledger, questions, own) if _asks(rules, "duel") else []
    return JudgeAnswers(replies, duels)


def _asks(rules: Score, name: str) -> bool:
    return name in rules.weights and getattr(rules, name) is not None


def _replies(
    ledger: Ledger, questions: Questions, drafts: Sequence[Candidate], judged: Sequence[Candidate]
) -> dict[str, Reply]:
    by_bytes = read_statement_replies(ledger, questions, judged)
    return {
        draft.candidate_id: by_bytes[draft.sha256]
        for draft in drafts
        if draft.is_survivor and draft.sha256 in by_bytes
    }


def read_statement_replies(
    ledger: Ledger, questions: Questions, pictures: Sequence[Candidate]
) -> dict[str, Reply]:
    """Read the replies by the rubric about pictures, in whichever form they came.

    Args:
        ledger: The ledger.
        questions: Makes the run's questions.
        pictures: Drafts or finals.

    Returns:
        Hex digest of a picture's bytes to the reply; only pictures that were asked about, and those that
        cannot be.
    """
    judge = questions.campaign.score.judge
    assert judge is not None
    by_bytes: dict[str, Reply] = {}
    for form in forms_of(judge):
        missing = [draft for draft in pictures if not _has_answer(by_bytes.get(draft.sha256))]
        asked = {
            draft.sha256: [one.question for one in questions.all_about(draft, form)] for draft in missing
        }
        came = ledger.answers.replies(questions.run_id, [one for each in asked.values() for one in each])
        for name, each in asked.items():
            replies = [came[one] for one in each if one in came]
            if found := _in_form(replies, form, by_bytes.get(name)):
                by_bytes[name] = found
    for picture in pictures:
        known = by_bytes.get(picture.sha256)
        if not _has_answer(known) and (fault := questions.fault_beside(picture)):
            why = f"{known.fault}; {fault}" if known is not None else fault
            by_bytes[picture.sha256] = Reply(None, why)
    return by_bytes


def _has_answer(reply: Reply | None) -> bool:
    return reply is not None and reply.content is not None


def _in_form(replies: Sequence[Reply], form: Form, other: Reply | None) -> Reply | None:
    """Join the replies in a form to one; without an answer, why there is none."""
    texts = [reply.content for reply in replies if reply.content is not None]
    if form == "log_probabilities" and replies and texts and not replies[0].yes_at:
        return replace(other or Reply(None), content=None, fault="the model gives no log-probabilities")
    if texts:
        yes_at = next(reply.yes_at for reply in replies if reply.content is not None)
        return Reply(texts[0], yes_at=yes_at, form=form, samples=tuple(texts[1:]))
    return replies[0] if replies else other


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
