"""What people say about single pictures on the review page: labels or stars by one key, and comments."""

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, HTTPException

from flows.review.page_context import PageContext, RunView
from flows.review.request_bodies import CommentBody, LabelBody, StarsBody, TakeBackBody
from tasks.remarks import MOST_STARS, Remark, SaidOfPicture, gather_remarks


def routes(context: PageContext) -> APIRouter:
    """Make the routes of remarks."""
    router = APIRouter()

    @router.post("/runs/{run_id}/labels")
    def label(run_id: str, body: LabelBody) -> dict[str, Any]:
        run = context.run_view(run_id)
        if body.is_set and body.label not in run.campaign.review.labels:
            raise HTTPException(409, f"this campaign has no label {body.label}; reload the page")
        return _add(
            run, Remark(run_id, body.candidate_id, "label", body.label, None, body.is_set, body.by, _now())
        )

    @router.post("/runs/{run_id}/stars")
    def stars(run_id: str, body: StarsBody) -> dict[str, Any]:
        given = body.stars or None
        remark = Remark(run_id, body.candidate_id, "stars", None, given, given is not None, body.by, _now())
        return _add(context.run_view(run_id), remark)

    @router.post("/runs/{run_id}/comments")
    def comment(run_id: str, body: CommentBody) -> dict[str, Any]:
        remark = Remark(run_id, body.candidate_id, "comment", body.text, None, True, body.by, _now())
        return _add(context.run_view(run_id), remark)

    @router.post("/runs/{run_id}/comments/take-back")
    def take_back(run_id: str, body: TakeBackBody) -> dict[str, Any]:
        run = context.run_view(run_id)
        run.ledger.remarks.take_back(run.run_id, body.remark_id, body.by)
        return _said_now(run, body.candidate_id)

    return router


def _now() -> datetime:
    return datetime.now(UTC)


def _add(run: RunView, remark: Remark) -> dict[str, Any]:
    if remark.candidate_id not in {one.candidate_id for one in run.candidates}:
        raise HTTPException(404, "this run has no such picture")
    run.ledger.remarks.add(remark)
    return _said_now(run, remark.candidate_id)


def _said_now(run: RunView, candidate_id: str) -> dict[str, Any]:
    return {"said": said_facts(said_in(run).get(candidate_id), is_whole=True)}


def said_in(run: RunView) -> dict[str, SaidOfPicture]:
    """Return what stands of each picture of a run, by its candidate id."""
    return gather_remarks(run.ledger.remarks.of_run(run.run_id))


def review_facts(run: RunView) -> dict[str, Any]:
    """Return what can be said about a picture: the campaign's labels, or else stars."""
    labels = list(run.campaign.review.labels)
    return {"labels": labels, "stars": 0 if labels else MOST_STARS}


def said_facts(said: SaidOfPicture | None, *, is_whole: bool = False) -> dict[str, Any] | None:
    """Return what people say about a picture; ``None`` if nothing.

    Args:
        said: What stands.
        is_whole: With the comments themselves, not only how many there are.
    """
    if said is None or said.is_empty:
        return None
    facts = {"labels": said.labels, "stars": said.stars, "n_comments": len(said.comments)}
    if not is_whole:
        return facts
    return facts | {
        "comments": [
            {"id": one.remark_id, "text": one.text, "by": one.said_by, "at": one.said_at.isoformat()}
            for one in said.comments
        ]
    }
