"""Up to four pictures side by side, and the pictures most like one of them."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from starlette.requests import Request
from starlette.responses import Response

from flows.review.gallery import run_facts
from flows.review.made_from import made_from_facts
from flows.review.page_context import PageContext, RunView
from flows.review.request_bodies import Id
from tasks.candidate import Candidate
from tasks.pictures.fingerprint import hash_distance_bits
from tasks.prompt_words import own_words

MOST_SHOWN = 4
MOST_LIKE = 120


def routes(context: PageContext) -> APIRouter:
    """Make the routes of the page."""
    router = APIRouter()

    @router.get("/runs/{run_id}/side-by-side")
    def page(request: Request, run_id: str) -> Response:
        run = context.run_view(run_id)
        return context.page(request, "side_by_side.html", here="side-by-side", **run_facts(run))

    @router.get("/runs/{run_id}/side-by-side.json")
    def pictures(run_id: str, ids: Annotated[str, Query(max_length=200)]) -> dict[str, Any]:
        return side_by_side_facts(context.run_view(run_id), ids.split(",")[:MOST_SHOWN])

    @router.get("/runs/{run_id}/like/{candidate_id}.json")
    def like(run_id: str, candidate_id: Id) -> dict[str, Any]:
        return {"like": most_like(context.run_view(run_id), candidate_id)}

    return router


def side_by_side_facts(run: RunView, ids: list[str]) -> dict[str, Any]:
    """Return what the page shows of some pictures, in the order asked for; unknown ones are left out.

    Args:
        run: The run.
        ids: Candidate ids, of drafts or finals.
    """
    known = {one.candidate_id: one for one in run.candidates}
    shown = [known[name] for name in dict.fromkeys(ids) if name in known]
    prompts = own_words([one.prompt for one in shown])
    return {
        "pictures": [
            {
                "id": one.candidate_id,
                "name": one.name,
                "stage": one.stage,
                "arm": one.arm,
                "colour": run.arms[one.arm],
                "score": one.score,
                "shape": _shape(one),
                "prompt": parts,
                "made_from": made_from_facts(run, one),
            }
            for one, parts in zip(shown, prompts, strict=True)
        ]
    }


def _shape(picture: Candidate) -> float:
    """Return how wide a picture is for its height; 1 if it was not looked at yet."""
    seen = picture.inspection
    return seen.width / seen.height if seen and seen.width and seen.height else 1.0


def most_like(run: RunView, candidate_id: str) -> list[tuple[str, int]]:
    """List the drafts most like a picture, the nearest first, with the bits in which their hashes differ.

    Args:
        run: The run.
        candidate_id: The picture; it comes first.

    Raises:
        HTTPException: 404; the run has no such picture, or it has no hash.
    """
    found = next((one for one in run.candidates if one.candidate_id == candidate_id), None)
    if found is None or found.hash_digits("phash") is None:
        raise HTTPException(404, "this picture cannot be compared: it was not looked at yet")
    distances = [(one, _distance(found, one)) for one in run.drafts]
    near = [(one.candidate_id, bits) for one, bits in distances if bits is not None]
    return sorted(near, key=lambda pair: (pair[1], pair[0] != candidate_id))[:MOST_LIKE]


def _distance(one: Candidate, other: Candidate) -> int | None:
    """Add up both hashes of structure: one alone takes other pictures for like it."""
    parts = [hash_distance_bits(one, other, name) for name in ("phash", "dhash")]
    return None if None in parts else sum(bits or 0 for bits in parts)
