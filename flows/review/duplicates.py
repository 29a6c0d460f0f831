"""Merging and un-merging copies: the word is written down, and the run is decided about again at once."""

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter

from flows.evaluation.drafts import deduplicate_drafts, select_finalists
from flows.review.gallery import gallery_facts
from flows.review.page_context import PageContext, RunView
from flows.review.request_bodies import DuplicateBody
from flows.runs.lock import held_to_decide
from tasks.decisions import DuplicateDecision
from tasks.errors import RunError


def routes(context: PageContext) -> APIRouter:
    """Make the route by which copies are told."""
    router = APIRouter()

    @router.post("/runs/{run_id}/folds")
    def fold(run_id: str, word: DuplicateBody) -> dict[str, Any]:
        run = context.run_view(run_id)
        _check(run, word)
        with held_to_decide(run.ledger, run.folder):
            told = DuplicateDecision(
                run.run_id, word.copy_id, word.of_id, word.is_copy, word.by, datetime.now(UTC)
            )
            context.ledger.duplicate_decisions.add(told)
            deduplicate_drafts(run)
            select_finalists(run)
        return gallery_facts(context.run_view(run_id))

    return router


def _check(run: RunView, word: DuplicateBody) -> None:
    """See that the word is about two drafts, the first of this run.

    Raises:
        RunError: It is not. Nothing was written.
    """
    of = run.ledger.pictures.find(word.of_id)
    is_own = any(draft.candidate_id == word.copy_id for draft in run.drafts)
    if not is_own or of is None or of.campaign != run.record.campaign or word.copy_id == word.of_id:
        raise RunError(
            where=f"run {run.run_id}",
            what="these are no two drafts of this campaign",
            next_step="Load the gallery again.",
        )
