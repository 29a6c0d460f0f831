"""Decisions about duplicates: each is recorded, and the run is evaluated again at once."""

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter

from flows.evaluation.drafts import deduplicate_drafts, select_finalists
from flows.review.gallery import gallery_facts
from flows.review.page_context import PageContext, RunView
from flows.review.request_bodies import DuplicateBody
from flows.runs.lock import locked_with_campaign
from tasks.decisions import DuplicateDecision
from tasks.errors import RunError


def routes(context: PageContext) -> APIRouter:
    """Make the route for decisions about duplicates."""
    router = APIRouter()

    @router.post("/runs/{run_id}/folds")
    def decide(run_id: str, body: DuplicateBody) -> dict[str, Any]:
        run = context.run_view(run_id)
        _check(run, body)
        with locked_with_campaign(run.ledger, run.folder):
            decision = DuplicateDecision(
                run.run_id, body.copy_id, body.of_id, body.is_copy, body.by, datetime.now(UTC)
            )
            context.ledger.duplicate_decisions.add(decision)
            deduplicate_drafts(run, (body.copy_id, body.of_id))
            select_finalists(run)
        return gallery_facts(context.run_view(run_id))

    return router


def _check(run: RunView, body: DuplicateBody) -> None:
    """Check that the decision is about two drafts, the first of this run.

    Raises:
        RunError: It is not. Nothing was written.
    """
    of = run.ledger.pictures.find(body.of_id)
    is_own = any(draft.candidate_id == body.copy_id for draft in run.drafts)
    if not is_own or of is None or of.campaign != run.record.campaign or body.copy_id == body.of_id:
        raise RunError(
            where=f"run {run.run_id}",
            what="these are not two drafts of this campaign",
            next_step="Reload the gallery.",
        )
