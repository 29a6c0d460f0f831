"""Evaluation of a run's pictures as Prefect tasks.

Each task calls a function of ``flows.evaluation``, which reads the ledger, calls a step and writes back. It
runs where the run's evaluator runs it; scoring can run in chunks at the run's workers instead.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from flows.evaluation.drafts import deduplicate_drafts, inspect_new, select_finalists
from flows.evaluation.finals import compare_finals
from flows.evaluation.rounds import decide_round
from flows.evaluation.scores import add_bought_scores, add_free_scores
from flows.runs.run import StoredRun
from flows.session.session import Session
from flows.stages.prefect_task import as_task

P = ParamSpec("P")
R = TypeVar("R")
DRAFTS_PER_TASK = 200
"""Most drafts in a chunk at a worker."""


def _evaluation_task(
    name: str, evaluate: Callable[Concatenate[StoredRun, P], R], *, is_for_workers: bool = False
) -> Callable[Concatenate[Session, P], Coroutine[Any, Any, R]]:
    """Make a Prefect task of a function that evaluates a stored run.

    Args:
        name: The task's name in Prefect's UI.
        evaluate: The function. It spends nothing.
        is_for_workers: Run it at a worker if the run has workers.
    """

    @as_task(name)
    @wraps(evaluate)
    async def evaluate_session(run: Session, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if is_for_workers and run.pool is not None:
            return await run.pool.evaluate(evaluate, *args, **kwargs)
        return await run.evaluate(evaluate, *args, **kwargs)

    return evaluate_session


inspect_task = _evaluation_task("inspect", inspect_new)
score_task = _evaluation_task("score", add_free_scores, is_for_workers=True)
deduplicate_task = _evaluation_task("deduplicate", deduplicate_drafts)
score_by_judgement_task = _evaluation_task("score by judgement", add_bought_scores)
allocate_task = _evaluation_task("allocate", decide_round)
select_task = _evaluation_task("select", select_finalists)
compare_task = _evaluation_task("compare", compare_finals)


async def score_drafts(run: Session) -> int:
    """Score every draft with the free scorers, in one task here or in chunks at workers; returns how many.

    Raises:
        RunoffError: A scorer or a worker failed; scores already written stay.
    """
    if run.pool is None:
        return await score_task(run)
    drafts = await asyncio.to_thread(run.stored.read_candidates, "draft")
    names = [draft.candidate_id for draft in drafts]
    await run.pool.refresh()
    size = run.pool.batch_size(len(names), DRAFTS_PER_TASK)
    chunks = [names[start : start + size] for start in range(0, len(names), size)]
    ends = await asyncio.gather(*(score_task(run, chunk) for chunk in chunks), return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException):
            raise end
    return sum(end for end in ends if isinstance(end, int))
