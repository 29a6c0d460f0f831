"""Drafts against their finals: progress of the purchase, acceptance, and download."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from flows.evaluation.finals import compare_finals
from flows.review.archive import stream_accepted
from flows.review.gallery import run_facts
from flows.review.page_context import PageContext, RunView, usd
from flows.review.request_bodies import AcceptanceBody
from flows.runs.lock import locked_with_campaign
from tasks.candidate import Candidate
from tasks.decisions import Acceptance
from tasks.errors import RunError
from tasks.ledger import OrderRecord
from tasks.pictures.bought import find_lack
from tasks.storage.mirror import store_of


def routes(context: PageContext) -> APIRouter:
    """Make the routes of finals."""
    router = APIRouter()

    @router.get("/runs/{run_id}/finals")
    def page(request: Request, run_id: str) -> Response:
        return context.page(request, "finals.html", here="finals", **run_facts(context.run_view(run_id)))

    @router.get("/runs/{run_id}/finals.json")
    def finals(run_id: str) -> dict[str, Any]:
        return finals_facts(context.run_view(run_id))

    @router.post("/runs/{run_id}/acceptances")
    def accept(run_id: str, body: AcceptanceBody) -> dict[str, Any]:
        _accept(context.run_view(run_id), body)
        return finals_facts(context.run_view(run_id))

    @router.get("/runs/{run_id}/accepted.zip")
    def archive(run_id: str) -> StreamingResponse:
        run = context.run_view(run_id)
        name = f"{run.record.campaign}-{run.run_id}.zip"
        return StreamingResponse(
            stream_accepted(run),
            media_type="application/zip",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    return router


def _accept(run: RunView, body: AcceptanceBody) -> None:
    """Record whether a final is accepted, and evaluate its draft's attempts again.

    Raises:
        RunError: It is not a final of the run, or another process works on the run. Nothing was written.
    """
    if not any(final.candidate_id == body.candidate_id for final in run.finals):
        raise RunError(where=f"run {run.run_id}", what="has no such final", next_step="Reload the page.")
    with locked_with_campaign(run.ledger, run.folder):
        run.ledger.acceptances.add(
            Acceptance(run.run_id, body.candidate_id, body.is_accepted, body.by, datetime.now(UTC))
        )
        compare_finals(run)


def finals_facts(run: RunView) -> dict[str, Any]:
    """Return the progress of the promotion, and every finalist with its attempts."""
    records = [record for record in run.ledger.orders.of_run(run.run_id) if record.order.is_final]
    finals_usd = sum((record.charged_usd for record in records), start=Decimal(0))
    promotion = run.context.promoter.look(run.run_id)
    is_running = run.is_worked_on or (promotion is not None and promotion.state == "running")
    return {
        "state": run.record.state,
        "is_running": is_running,
        "message": promotion.message if promotion else "",
        "is_failed": promotion is not None and promotion.state == "failed",
        "spent": usd(run.ledger.orders.charged_usd(run.run_id)),
        "finals_usd": usd(finals_usd),
        "has_charges": finals_usd > 0,
        "finalists": _finalists(run, records),
        "n_accepted": sum(final.is_accepted is True for final in run.finals),
    }


def _finalists(run: RunView, records: list[OrderRecord]) -> list[dict[str, Any]]:
    drafts = {draft.candidate_id: draft for draft in run.drafts}
    bought = [record.order.draft_id for record in records if record.order.draft_id in drafts]
    wanted = dict.fromkeys([*(name for name in run.shortlist_ids()[1] if name in drafts), *bought])
    editions = [edition.name for edition in run.campaign.editions]
    return [_finalist(run, drafts[str(name)], edition, records) for name in wanted for edition in editions]


def _trouble(run: RunView, picture: Candidate) -> str | None:
    """Say what is wrong with a picture's file; with a store, one that is not fetched yet is not looked at."""
    file = run.folder / picture.file
    if picture.is_pruned or (store_of(run.folder) and not file.exists()):
        return None
    lack = find_lack(file, picture.sha256)
    return lack and f"{picture.file} {lack}."


def _finalist(
    run: RunView, draft: Candidate, edition: str | None, records: list[OrderRecord]
) -> dict[str, Any]:
    costs = {record.order.order_id: record.cost_usd for record in records}
    acceptances = {one.candidate_id: one for one in run.ledger.acceptances.of_run(run.run_id)}
    place = (draft.candidate_id, edition)
    tries = [final for final in run.finals if (final.draft_id, final.edition) == place]
    return {
        "id": draft.candidate_id,
        "key": f"{draft.candidate_id}:{edition or ''}",
        "edition": edition,
        "name": draft.name,
        "arm": draft.arm,
        "colour": run.arms[draft.arm],
        "prompt": draft.prompt,
        "trouble": _trouble(run, draft),
        "width": draft.inspection and draft.inspection.width,
        "height": draft.inspection and draft.inspection.height,
        "without": [
            {"state": record.state, "why": record.settlement.error_message if record.settlement else None}
            for record in records
            if (record.order.draft_id, record.order.edition) == place and record.state != "received"
        ],
        "tries": [
            {
                "id": final.candidate_id,
                "name": final.name,
                "is_accepted": final.is_accepted,
                "trouble": _trouble(run, final),
                "said_by": acceptances[final.candidate_id].decided_by
                if final.candidate_id in acceptances
                else None,
                "reason": final.choice.reason if final.choice else None,
                "fidelity": final.fidelity and final.fidelity.value,
                "ssim": final.fidelity and final.fidelity.ssim,
                "palette": final.fidelity and final.fidelity.palette,
                "zoom": final.fidelity and final.fidelity.zoom,
                "shift": final.fidelity and final.fidelity.shift,
                "tone": final.fidelity and final.fidelity.tone,
                "cost": usd(costs.get(final.order_id)),
                "width": final.inspection and final.inspection.width,
                "height": final.inspection and final.inspection.height,
            }
            for final in sorted(tries, key=lambda final: final.attempt)
        ],
    }
