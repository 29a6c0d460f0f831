"""The judge: a model that looks at a picture and answers the campaign's rubric.

This scorer asks nobody and spends nothing: the answers are bought beforehand, one for each picture, and given
to it. Without a usable answer its opinion is ``None``, never a number.
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
    """Judges by what the judging model answered about each picture.

    Args:
        model: The judging model's id.
        rubric: What a good picture is, one sentence each.
        replies: Candidate id to what came back.
    """

    name = "judge"

    def __init__(
        self, model: str = "", rubric: Sequence[str] = (), replies: Mapping[str, Reply] = {}
    ) -> None:
        self.version = version_of(question.VERSION, model, *rubric)
        self._rubric = tuple(rubric)
        self._replies = replies

    @classmethod
    def for_run(cls, assignment: Assignment) -> "JudgeScorer":
        """Take the campaign's rubric and the answers that were bought for it."""
        judge = assignment.wishes.judge
        return cls() if judge is None else cls(judge.model, judge.rubric, assignment.replies)

    def score(self, candidate: Candidate, run_folder: Path) -> Score:  # noqa: ARG002
        """Give half the share of true statements and half the grade; ``None`` without a usable answer."""
        reply = self._replies.get(candidate.candidate_id)
        if reply is None:
            return Score(None, f"judge: {_why_unasked(candidate)}", version=self.version)
        if reply.content is None:
            return Score(None, f"judge: no answer, {reply.fault}", version=self.version)
        found = question.read_rubric_answer(reply.content, len(self._rubric))
        if found is None:
            return Score(None, "judge: no opinion, the answer is broken", version=self.version)
        return Score(found.value, self._reason(found), self._measurements(found), self.version)

    def _reason(self, found: question.RubricAnswer) -> str:
        missed = [
            f"not “{statement}” ({reason})" if reason else f"not “{statement}”"
            for statement, verdict, reason in zip(self._rubric, found.verdicts, found.reasons, strict=True)
            if not verdict
        ]
        return "judge: " + "; ".join([found.grade_reason or "no reason given", *missed])

    def _measurements(self, found: question.RubricAnswer) -> dict[str, float]:
        statements = {f"judge_statement_{n}": float(v) for n, v in enumerate(found.verdicts, 1)}
        return statements | {"judge_grade": found.grade}


def _why_unasked(candidate: Candidate) -> str:
    """Say why no question was put about a picture."""
    if candidate.is_duplicate:
        return "not asked about a copy"
    return "not asked about a picture that is not fit" if candidate.status == "unfit" else "not asked"


def version_of(*parts: str) -> str:
    """Name a version by all that decides an opinion, so that opinions on other terms stay apart."""
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return f"{parts[0]}-{digest[:12]}"
