"""Whether a run's judge is right: its answers against people's, read from the ledger. Spends nothing.

Answers that the judge gave several times about the same picture, as samples or because somebody had it asked
again, tell how far it agrees with itself.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from flows.evaluation.judge_answers import read_judge_answers
from flows.evaluation.run_questions import questions_of
from flows.runs.run import StoredRun
from tasks.campaign.statements import AskedStatement, statements_of
from tasks.candidate import Candidate
from tasks.judging.judge_check import JudgeCheck, check_judge
from tasks.judging.people_answers import Asked, PersonAnswer, last_answers
from tasks.judging.replies import Reply
from tasks.judging.reply_reading import read_reply
from tasks.judging.statement_answers import StatementAnswer, statement_answers
from tasks.orders.questions import Questions, worth_judging

AGAIN = 1
"""Which of several answers about the same picture is the one that somebody had asked again."""


class CheckedRun(NamedTuple):
    """A run's judge and people.

    Args:
        judged: The judge's answers about unique images, equal bytes once.
        people: What people answered, oldest first.
        check: How they agree.
    """

    judged: Sequence[StatementAnswer]
    people: Sequence[PersonAnswer]
    check: JudgeCheck


class ReportedCheck(NamedTuple):
    """A run's judge and people, as the report has them.

    Args:
        facts: How they agree; ``None`` if nobody answered.
        answers: What people answered, with the columns of ``people_answers.parquet``.
    """

    facts: dict[str, Any] | None
    answers: Sequence[dict[str, Any]]


def has_judge(run: StoredRun) -> bool:
    """Whether a run's campaign has statements judged."""
    score = run.campaign.score
    return score.judge is not None and "judge" in score.weights


def check_run(run: StoredRun, drafts: Sequence[Candidate]) -> CheckedRun:
    """Compare a run's judge with people.

    Args:
        run: The run.
        drafts: Its drafts.
    """
    people = run.ledger.people_answers.of_run(run.run_id)
    if not has_judge(run):
        return CheckedRun((), people, check_judge((), people))
    questions, pictures = questions_of(run), worth_judging(drafts)
    replies = read_judge_answers(run.ledger, questions, pictures).replies
    judged = statement_answers(run.campaign, pictures, replies)
    again = _again(run, questions, pictures, replies)
    return CheckedRun(judged, people, check_judge(judged, people, again))


def report_check(run: StoredRun, drafts: Sequence[Candidate]) -> ReportedCheck:
    """Compare a run's judge with people for its report; where nobody answered, the judge is not read.

    Args:
        run: The run.
        drafts: Its drafts.
    """
    if not run.ledger.people_answers.of_run(run.run_id):
        return ReportedCheck(None, ())
    judged, people, check = check_run(run, drafts)
    return ReportedCheck(check.as_dict(), exported_answers(people, drafts, judged))


def exported_answers(
    people: Sequence[PersonAnswer], drafts: Sequence[Candidate], judged: Sequence[StatementAnswer]
) -> list[dict[str, Any]]:
    """List people's last answers beside the judge's, with the columns of ``people_answers.parquet``.

    Args:
        people: What people answered, oldest first.
        drafts: The run's drafts.
        judged: The judge's answers.
    """
    pictures = {draft.candidate_id: draft for draft in drafts}
    by_judge = {one.about: one for one in judged}
    return [
        {
            "candidate_id": one.candidate_id,
            "arm": pictures[one.candidate_id].arm,
            "row": pictures[one.candidate_id].row,
            "statement": one.statement,
            "template": told.template if told else None,
            "answered_by": one.answered_by,
            "answered_at": one.answered_at,
            "answer": one.answer,
            "judge_is_true": told.is_true if told else None,
            "judge_chance": told.chance if told else None,
        }
        for one in last_answers(people)
        if one.candidate_id in pictures
        for told in [by_judge.get(one.about)]
    ]


def _again(
    run: StoredRun, questions: Questions, pictures: Sequence[Candidate], replies: Mapping[str, Reply]
) -> Mapping[Asked, Sequence[bool]]:
    """Collect the judge's own answers about pictures that it was asked about more than once."""
    asked_again = {
        questions.about(picture, replies[picture.candidate_id].form, AGAIN).question: picture.candidate_id
        for picture in pictures
        if can_be_asked_again(replies.get(picture.candidate_id))
    }
    came = run.ledger.answers.replies(run.run_id, list(asked_again))
    more = {asked_again[question]: reply for question, reply in came.items()}
    found: dict[Asked, list[bool]] = defaultdict(list)
    for picture in pictures:
        asked = statements_of(run.campaign, picture.row, picture.arm)
        for reply in _single(replies.get(picture.candidate_id), more.get(picture.candidate_id)):
            for about, is_true in _own_answers(picture, reply, asked):
                found[about].append(is_true)
    return {about: answers for about, answers in found.items() if len(answers) > 1}


def can_be_asked_again(reply: Reply | None) -> bool:
    """Whether one more answer to a question tells something: it has one, and not several already."""
    return reply is not None and reply.content is not None and reply.form != "samples"


def _single(reply: Reply | None, more: Reply | None) -> list[Reply]:
    """Take a reply's samples apart, and add what was answered when asked again."""
    if reply is None or reply.content is None:
        return []
    first = [replace(reply, content=content, samples=()) for content in (reply.content, *reply.samples)]
    return first if more is None or more.content is None else [*first, replace(more, form=reply.form)]


def _own_answers(
    picture: Candidate, reply: Reply, asked: Sequence[AskedStatement]
) -> list[tuple[Asked, bool]]:
    read = read_reply(reply, asked)
    if read is None:
        return []
    return [
        ((picture.candidate_id, one.text), is_true)
        for one, is_true in zip(asked, read.verdicts, strict=True)
        if is_true is not None and (one.parent is None or read.verdicts[one.parent] is not False)
    ]
