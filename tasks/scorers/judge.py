"""The scorer ``judge``: a vision model's answers to the campaign's rubric.

This scorer sends no requests and spends nothing: the answers are bought beforehand, one for each picture.
Without a usable answer the value is ``None``, never a number.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tasks.candidate import Candidate, Score
from tasks.judging import rubric as question
from tasks.judging.replies import Reply
from tasks.scorers import Assignment


class JudgeScorer:
    """Scores by the judging model's answer about each picture.

    Args:
        model: The judging model's id.
        rubric: The campaign's statements, as they are written: what makes one version of this scorer.
        replies: Candidate id to the judge's reply.
        statements: Candidate id to the statements that the reply answers; by default the rubric.
    """

    name = "judge"

    def __init__(
        self,
        model: str = "",
        rubric: Sequence[str] = (),
        replies: Mapping[str, Reply] = {},
        statements: Mapping[str, Sequence[str]] = {},
    ) -> None:
        self.version = version_of(question.VERSION, model, *rubric)
        self._rubric = tuple(rubric)
        self._replies = replies
        self._statements = statements

    @classmethod
    def for_run(cls, assignment: Assignment) -> "JudgeScorer":
        """Take the campaign's rubric and the answers that were bought for it."""
        judge = assignment.wishes.judge
        if judge is None:
            return cls()
        written = [one.statement for one in judge.statements]
        return cls(judge.model, written, assignment.replies, assignment.statements)

    def score(self, candidate: Candidate, run_folder: Path) -> Score:  # noqa: ARG002
        """Return the mean of the share of true statements and the grade; ``None`` without a usable answer."""
        reply = self._replies.get(candidate.candidate_id)
        if reply is None:
            return Score(None, f"judge: {_reason_not_asked(candidate)}", version=self.version)
        if reply.content is None:
            return Score(None, f"judge: no answer, {reply.fault}", version=self.version)
        statements = self._statements.get(candidate.candidate_id, self._rubric)
        found = question.read_rubric_answer(reply.content, len(statements))
        if found is None:
            return Score(None, "judge: no score, the answer is not valid", version=self.version)
        if found.value is None:
            reason = "judge: no score, the answer has no grade"
            return Score(None, reason, _measurements(found), self.version)
        return Score(found.value, _reason(found, statements), _measurements(found), self.version)


def _reason(found: question.RubricAnswer, statements: Sequence[str]) -> str:
    missed = [
        f"not “{statement}” ({reason})" if reason else f"not “{statement}”"
        for statement, verdict, reason in zip(statements, found.verdicts, found.reasons, strict=True)
        if not verdict
    ]
    return "judge: " + "; ".join([found.grade_reason or "no reason given", *missed])


def _measurements(found: question.RubricAnswer) -> dict[str, float]:
    statements = {question.measurement_of(number): float(v) for number, v in enumerate(found.verdicts, 1)}
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
