"""The scorer ``judge``: a vision model's answers to the campaign's rubric.

This scorer sends no requests and spends nothing: the answers are bought beforehand, one for each picture.
Without a usable answer the value is ``None``, never a number.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tasks.campaign.statements import AskedStatement
from tasks.candidate import Candidate, Score
from tasks.judging import rubric as question
from tasks.judging.replies import Reply
from tasks.judging.reply_reading import read_reply
from tasks.money import format_share
from tasks.scorers import Assignment


class JudgeScorer:
    """Scores by the judging model's answer about each picture.

    Args:
        model: The judging model's id.
        rubric: The campaign's statements, as they are written: what makes one version of this scorer.
        replies: Candidate id to the judge's reply.
        statements: Candidate id to the statements that the reply answers; by default the rubric.
        how: What else than the statements makes another version.
        max_share: The share of the drafts' cost that judging may take; ``None`` without a limit.
    """

    name = "judge"

    def __init__(
        self,
        model: str = "",
        rubric: Sequence[str] = (),
        replies: Mapping[str, Reply] = {},
        statements: Mapping[str, Sequence[AskedStatement]] = {},
        how: Sequence[str] = (),
        max_share: float | None = None,
    ) -> None:
        self.version = version_of(question.VERSION, model, *how, *rubric)
        self._rubric = tuple(AskedStatement(text, text) for text in rubric)
        self._replies = replies
        self._statements = statements
        self._max_share = max_share

    @classmethod
    def for_run(cls, assignment: Assignment) -> "JudgeScorer":
        """Take the campaign's rubric and the answers that were bought for it."""
        judge = assignment.wishes.judge
        if judge is None:
            return cls()
        written = [one.statement for one in judge.statements]
        depends = [f"{one.statement}: {one.depends_on}" for one in judge.statements if one.depends_on]
        written_by = [f"from_brief: {judge.brief or ''}"] if judge.questions else []
        sees = [f"sees: {one}" for one in judge.sees]
        how = [*([judge.answers] if judge.answers != "yes_no" else []), *depends, *written_by, *sees]
        how += [f"provider: {judge.provider}"] if judge.provider else []
        share = assignment.wishes.max_share
        return cls(judge.model, written, assignment.replies, assignment.statements, how, share)

    def score(self, candidate: Candidate, run_folder: Path) -> Score:  # noqa: ARG002
        """Return the mean of the statements and the grade, half each; ``None`` without a usable answer."""
        reply = self._replies.get(candidate.candidate_id)
        if reply is None:
            return self._not_asked(candidate)
        if reply.content is None:
            return Score(None, f"judge: no answer, {reply.fault}", version=self.version)
        statements = self._statements.get(candidate.candidate_id, self._rubric)
        found = read_reply(reply, statements)
        if found is None:
            return Score(None, "judge: no score, the answer is not valid", version=self.version)
        if found.value is None:
            lacks = "grade" if found.grade is None else "log-probabilities"
            reason = f"judge: no score, the answer has no {lacks}"
            return Score(None, reason, _measurements(found), self.version)
        return Score(found.value, _reason(found, statements), _measurements(found), self.version)

    def _not_asked(self, candidate: Candidate) -> Score:
        """Explain why the judge was not asked; what a limit left out is not missing, so nothing was asked."""
        if candidate.is_survivor and self._max_share is not None:
            most = format_share(self._max_share)
            reason = f"judge: not asked, judging may cost no more than {most} of the drafts"
            return Score(None, reason, {question.QUESTIONS: 0}, self.version)
        return Score(None, f"judge: {_reason_not_asked(candidate)}", version=self.version)


def _reason(found: question.RubricAnswer, statements: Sequence[AskedStatement]) -> str:
    missed = [
        f"not “{one.text}” ({reason})" if reason else f"not “{one.text}”"
        for one, verdict, reason in zip(statements, found.verdicts, found.reasons, strict=True)
        if verdict is False
    ]
    return "judge: " + "; ".join([found.grade_reason or "no reason given", *missed])


def _measurements(found: question.RubricAnswer) -> dict[str, float]:
    statements = {
        question.measurement_of(number): chance
        for number, chance in enumerate(found.chances, 1)
        if chance is not None
    }
    return statements if found.grade is None else statements | {"judge_grade": found.grade}


def _reason_not_asked(candidate: Candidate) -> str:
    """Explain why the judge was not asked about a picture."""
    if candidate.is_duplicate:
        return "duplicates are not judged"
    return "unfit pictures are not judged" if candidate.status == "unfit" else "not asked"


def version_of(*parts: str) -> str:
    """Make a version from everything that affects the value, so that other settings are another version."""
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return f"{parts[0]}-{digest[:12]}"
