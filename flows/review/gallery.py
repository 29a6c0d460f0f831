"""The gallery of a run: a few facts of each picture at once, and all facts of one when it is opened.

Three thousand pictures are one answer of half a megabyte, so that filtering and sorting need no requests.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from flows.evaluation.judge_check import has_judge
from flows.review.made_from import made_from_facts
from flows.review.page_context import PageContext, RunView
from flows.review.remarks import review_facts, said_facts, said_in
from flows.review.request_bodies import CancelBody
from flows.runs.lock import state_now
from tasks.campaign.statements import VARIABLE
from tasks.candidate import Candidate
from tasks.judging.conditions import failed_templates
from tasks.ledger.report_rows import report_rows
from tasks.pairwise.votes import without_skips
from tasks.prompt_words import Part, own_words
from tasks.report_page.measures import measure_arm
from tasks.report_page.rows import first_made

MOST_MARKED_PROMPTS = 400
"""With more prompts, those in the gallery are not compared word by word; those of one picture always are."""


def routes(context: PageContext) -> APIRouter:
    """Make the routes of a run's gallery."""
    router = APIRouter()

    @router.get("/runs/{run_id}")
    def page(request: Request, run_id: str) -> Response:
        run = context.run_view(run_id)
        return context.page(
            request,
            "gallery.html",
            here="gallery",
            **run_facts(run),
            arm_cards=arm_cards(run),
            run_labels=run.campaign.review.labels,
        )

    @router.get("/runs/{run_id}/gallery.json")
    def gallery(run_id: str) -> JSONResponse:
        return JSONResponse(gallery_facts(context.run_view(run_id)))

    @router.post("/runs/{run_id}/cancel")
    def cancel(run_id: str, body: CancelBody) -> dict[str, str]:  # noqa: ARG001 - only checked
        return {"message": context.give_up(context.run_view(run_id).run_id)}

    @router.get("/runs/{run_id}/candidates/{candidate_id}.json")
    def candidate(run_id: str, candidate_id: str) -> JSONResponse:
        run = context.run_view(run_id)
        found = next((one for one in run.candidates if one.candidate_id == candidate_id), None)
        if found is None:
            raise HTTPException(404, "this run has no such picture")
        return JSONResponse(all_facts(run, found))

    return router


def run_facts(run: RunView) -> dict[str, Any]:
    """Return what the head of every page of a run shows."""
    budget = run.campaign.budget
    spent_usd = run.ledger.orders.charged_usd(run.run_id)
    return {
        "run": replace(run.record, state=state_now(run.ledger, run.folder, run.record)),
        "arms": run.arms,
        "spent_usd": spent_usd,
        "budget_usd": budget.per_run_usd,
        "n_finalists": len(run.shortlist_ids()[1]),
        "n_finals": len(run.finals),
        "has_judge": has_judge(run),
        "n_votes": len(without_skips(run.ledger.votes.of_run(run.run_id))),
    }


def arm_cards(run: RunView) -> list[dict[str, Any]]:
    """Return each arm's prompt and its measures, computed as for the report."""
    rows = report_rows(run.run_id, run.ledger.orders.of_run(run.run_id), run.candidates)
    campaign = run.campaign
    drafts = first_made(rows, campaign.added_from)
    prompts = {arm: campaign.arms[arm].prompt if arm in campaign.arms else "" for arm in run.arms}
    marked = dict(zip(prompts, own_words(list(prompts.values())), strict=True))
    return [
        {
            "name": arm,
            "colour": colour,
            "prompt": marked[arm],
            "provider": campaign.provider_of(arm)
            if arm in campaign.arms and len(campaign.sellers) > 1
            else "",
            "measures": measure_arm([row for row in drafts if row["arm"] == arm], {}),
        }
        for arm, colour in run.arms.items()
    ]


def gallery_facts(run: RunView) -> dict[str, Any]:
    """Return what filters, sorting and tiles need of every draft."""
    drafts = run.drafts
    revision, chosen = run.shortlist_ids()
    n_duplicates = Counter(draft.standing.duplicate_of for draft in drafts if draft.standing)
    said = said_in(run)
    prompts: dict[str, str] = {}
    for draft in drafts:
        prompts.setdefault(f"{draft.arm}:{draft.row}", draft.prompt)
    failed = {draft.candidate_id: failed_templates(run.campaign, draft) for draft in drafts}
    statements = list(dict.fromkeys(text for texts in failed.values() for text in texts))
    return {
        "run_id": run.run_id,
        "arms": run.arms,
        "rows": row_names(run),
        "statements": statements,
        "review": review_facts(run),
        "prompts": prompts,
        "prompt_words": _prompt_words(prompts),
        "revision": revision,
        "finalists": chosen,
        "drafts": [
            _tile(draft, n_duplicates)
            | {"said": said_facts(said.get(draft.candidate_id))}
            | {"fails": [statements.index(text) for text in failed[draft.candidate_id]]}
            for draft in drafts
        ],
    }


def _prompt_words(prompts: Mapping[str, str]) -> dict[str, list[Part]]:
    """Mark in each prompt what the other arms of its row lack; empty where there are too many prompts."""
    if len(prompts) > MOST_MARKED_PROMPTS:
        return {}
    rows: dict[str, dict[str, str]] = {}
    for key, prompt in prompts.items():
        rows.setdefault(key.rpartition(":")[2], {})[key] = prompt
    return {
        key: parts
        for of_row in rows.values()
        for key, parts in zip(of_row, own_words(list(of_row.values())), strict=True)
    }


def _tile(draft: Candidate, n_duplicates: Mapping[str | None, int]) -> dict[str, Any]:
    seen, standing, choice = draft.inspection, draft.standing, draft.choice
    return {
        "id": draft.candidate_id,
        "name": draft.name,
        "arm": draft.arm,
        "row": draft.row,
        "status": draft.status or "new",
        "of": standing and standing.duplicate_of,
        "kind": standing and standing.duplicate_kind,
        "bits": standing and standing.hash_distance_bits,
        "similarity": standing and standing.similarity,
        "alike": standing and standing.similar_cluster,
        "copies": n_duplicates[draft.candidate_id],
        "score": draft.score,
        "rank": choice and choice.rank,
        "width": seen and seen.width,
        "height": seen and seen.height,
        "clear": bool(seen and seen.measurements.get("alpha_share")),
        "odd": draft.downgraded or draft.fault,
        "further": draft.further_round,
    }


def row_names(run: RunView) -> list[str]:
    """Name each row by the values of its variables, which all arms share."""
    rows = run.campaign.all_rows
    names = [" · ".join(str(value) for name, value in row.items() if name != VARIABLE) for row in rows]
    last = max((candidate.row for candidate in run.candidates), default=-1)
    return names + [""] * (last + 1 - len(names))


def all_facts(run: RunView, found: Candidate) -> dict[str, Any]:
    """Return all facts of one picture, and the reason for each score."""
    records = [r for r in run.ledger.orders.of_run(run.run_id) if r.order.order_id == found.order_id]
    (row,) = [
        row for row in report_rows(run.run_id, records, [found]) if row["candidate_id"] == found.candidate_id
    ]
    names = {one.candidate_id: one.name for one in run.candidates}
    return {
        "id": found.candidate_id,
        "name": found.name,
        "arm": found.arm,
        "prompt": own_words([found.prompt, *_other_prompts(run, found)])[0],
        "made_from": made_from_facts(run, found),
        "why": found.choice.reason if found.choice else None,
        "score": found.score,
        "scores": [
            {"name": name, "value": score.value, "reason": score.reason}
            for name, score in sorted(found.scores.items())
        ],
        "copy_of": names.get(row["duplicate_of"]) if row["duplicate_of"] else None,
        "copy_of_id": row["duplicate_of"],
        "said": said_facts(said_in(run).get(found.candidate_id), is_whole=True),
        "facts": _labelled_facts(row),
    }


def _other_prompts(run: RunView, found: Candidate) -> list[str]:
    """List the other prompts of a picture's row, each once, in the order of the arms."""
    prompts = dict.fromkeys(one.prompt for one in run.candidates if one.row == found.row and one.is_draft)
    return [prompt for prompt in prompts if prompt != found.prompt]


def _labelled_facts(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label a picture's facts for people, without those that were not measured."""
    credentials = row["c2pa_state"] or (
        "present" if row["c2pa"] else "none" if row["c2pa"] is False else None
    )
    size = f"{row['width']} × {row['height']} px {row['format'] or ''}" if row["width"] else None
    facts: Sequence[tuple[str, Any]] = (
        ("Model", " ".join(filter(None, (row["model"], row["quality"], row["size"])))),
        ("Picture", size),
        ("File", row["file"]),
        ("Cost", None if row["cost_usd"] is None else f"${row['cost_usd']:f}"),
        ("Time to make", None if row["latency_s"] is None else f"{row['latency_s']:.1f} s"),
        ("Rank", row["rank"]),
        ("Standing", row["status"]),
        ("Hash distance", _bits(row["hash_distance"])),
        ("Similarity", None if row["similarity"] is None else f"{row['similarity']:.2f}"),
        ("Not as ordered", row["downgraded"]),
        ("Content Credentials", credentials),
        ("Chosen by", row["chosen_by"]),
        ("SHA-256", row["sha256"]),
        ("Request", row["order_id"]),
        ("Provider's request id", row["vendor_request_id"]),
    )
    return [(label, str(value)) for label, value in facts if value not in (None, "")]


def _bits(distance: int | None) -> str | None:
    return None if distance is None else f"{distance} bits"
