"""A run's statements: what the judge answered to each of them, read from the ledger, and summed up by arm."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from flows.evaluation.judge_answers import read_judge_answers
from flows.evaluation.run_questions import questions_of
from flows.runs.run import StoredRun
from tasks.ab_test.statements import state_statements, sum_up_statements
from tasks.candidate import Candidate
from tasks.judging.statement_answers import StatementAnswer, statement_answers


class Statements(NamedTuple):
    """The statements of a run, as the report has them.

    Args:
        by_arm: Each statement's shares by arm, worst first.
        sentences: In which of them arms differ.
        answers: One entry for each picture and statement.
    """

    by_arm: Sequence[Mapping[str, Any]]
    sentences: Sequence[str]
    answers: Sequence[Mapping[str, Any]]


def read_statement_answers(run: StoredRun, drafts: Sequence[Candidate]) -> list[StatementAnswer]:
    """Read what the judge answered about a run's drafts; empty if the campaign does not ask it."""
    score = run.campaign.score
    if score.judge is None or "judge" not in score.weights:
        return []
    questions = questions_of(run)
    return statement_answers(run.campaign, drafts, read_judge_answers(run.ledger, questions, drafts).replies)


def describe_statements(run: StoredRun, drafts: Sequence[Candidate]) -> Statements:
    """Sum up a run's statements for its report.

    Args:
        run: The run.
        drafts: Its drafts.
    """
    answers = read_statement_answers(run, drafts)
    results = sum_up_statements(answers, {draft.candidate_id: draft.score for draft in drafts})
    by_arm = [
        {
            "template": one.template,
            "must": one.must,
            "differing": [list(pair) for pair in one.differing],
            "arms": {arm: asdict(share) for arm, share in one.arms.items()},
        }
        for one in results
    ]
    return Statements(by_arm, state_statements(results), [asdict(answer) for answer in answers])
