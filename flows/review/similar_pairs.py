"""Pairs of similar pictures, the nearest to the limit first, to say whether each is the same picture."""

import io
from typing import Any

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from flows.evaluation.looks import Looks
from flows.evaluation.similar_pairs import SimilarPair, find_similar_pairs
from flows.review.gallery import run_facts
from flows.review.page_context import PageContext, RunView
from tasks.duplicates.tuning import LEAST_ANSWERS
from tasks.pictures.difference_picture import draw_difference

MOST_PAIRS = 200


def routes(context: PageContext) -> APIRouter:
    """Make the routes of the page of similar pairs."""
    router = APIRouter()

    @router.get("/runs/{run_id}/duplicates")
    def page(request: Request, run_id: str) -> Response:
        run = context.run_view(run_id)
        return context.page(request, "similar_pairs.html", here="duplicates", **run_facts(run))

    @router.get("/runs/{run_id}/pairs.json")
    def pairs(run_id: str) -> dict[str, Any]:
        return pair_facts(context.run_view(run_id))

    @router.get("/runs/{run_id}/differences/{one_id}/{other_id}")
    def difference(run_id: str, one_id: str, other_id: str) -> Response:
        return _difference(context.run_view(run_id), one_id, other_id)

    return router


def pair_facts(run: RunView) -> dict[str, Any]:
    """Return the pairs, the limit, and what limit fits the answers so far."""
    found = find_similar_pairs(run)
    suggestion = found.suggestion
    return {
        "limit": found.limit,
        "n_pairs": len(found.pairs),
        "n_answers": found.n_answers,
        "n_wanted": LEAST_ANSWERS,
        "pairs": [_pair(pair) for pair in found.pairs[:MOST_PAIRS]],
        "suggestion": suggestion
        and {
            "min_similarity": suggestion.min_similarity,
            "precision": suggestion.precision,
            "recall": suggestion.recall,
        },
    }


def _pair(pair: SimilarPair) -> dict[str, Any]:
    return {
        "one": pair.one.candidate_id,
        "other": pair.other.candidate_id,
        "names": [pair.one.name, pair.other.name],
        "similarity": pair.similarity,
        "alteration": pair.alteration,
        "is_same": pair.is_same,
    }


def _difference(run: RunView, one_id: str, other_id: str) -> Response:
    drafts = {draft.candidate_id: draft for draft in run.drafts}
    if not {one_id, other_id} <= drafts.keys():
        raise HTTPException(404, "this run has no such pictures")
    looks = Looks({run.folder: run.drafts})
    one, other = (looks.look(drafts[name]) for name in (one_id, other_id))
    drawn = draw_difference(one, other) if one and other else None
    if drawn is None:
        raise HTTPException(404, "these pictures cannot be laid on one another")
    stream = io.BytesIO()
    drawn.save(stream, "PNG")
    return Response(stream.getvalue(), media_type="image/png")
