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
    rules, judged = questions.campaign.score, [draft for draft in drafts if draft.is_survivor]
    replies = read_statement_replies(ledger, questions, judged) if _asks(rules, "judge") else {}
    duels = _duels(ledger, questions, worth_judging(drafts)) if _asks(rules, "duel") else []
    return JudgeAnswers(replies, duels)


def _asks(rules: Score, name: str) -> bool:
    return name in rules.weights and getattr(rules, name) is not None


def read_statement_replies(
    ledger: Ledger, questions: Questions, pictures: Sequence[Candidate]
) -> dict[str, Reply]:
    """Read the replies by the rubric about pictures, in whichever form they came.

    Args:
        ledger: The ledger.
        questions: Makes the run's questions.
        pictures: Drafts or finals.

    Returns:
        Candidate id to the reply; only pictures that were asked about, and those that cannot be. Pictures of
        the same bytes share a reply where the same was asked about both.
    """
    judge = questions.campaign.score.judge
    assert judge is not None
    found: dict[str, Reply] = {}
    for form in forms_of(judge):
        missing = [one for one in pictures if not _has_answer(found.get(one.candidate_id))]
        asked = {
            one.candidate_id: [order.question for order in questions.all_about(one, form)] for one in missing
        }
        came = ledger.answers.replies(questions.run_id, [one for each in asked.values() for one in each])
        for name, each in asked.items():
            replies = [came[one] for one in each if one in came]
            if joined := _in_form(replies, form, found.get(name)):
                found[name] = joined
    for picture in pictures:
        known = found.get(picture.candidate_id)
        if not _has_answer(known) and (fault := questions.fault_beside(picture)):
            why = f"{known.fault}; {fault}" if known is not None else fault
            found[picture.candidate_id] = Reply(None, why)
    return found


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
