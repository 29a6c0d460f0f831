"""Duels: blind comparisons of two pictures of one row, whose URLs reveal no arm, score or id.

An open duel is known to this process only. Its id becomes the id of the vote, so that a vote sent twice
counts once.
"""

import random
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query
from starlette.requests import Request
from starlette.responses import Response

from flows.review.gallery import row_names, run_facts
from flows.review.made_from import send_reference, sent_with
from flows.review.page_context import PageContext, RunView
from flows.review.pairing import Pool, choose_pair, pool_of
from flows.review.pictures import send_picture
from flows.review.ranking import ranking_facts
from flows.review.request_bodies import Name, UndoBody, VoteBody
from tasks.order import Reference
from tasks.pairwise.votes import Vote

MOST_OPEN = 5000


@dataclass(frozen=True, slots=True)
class Duel:
    """Two pictures that are being compared."""

    duel_id: str
    run_id: str
    row: int
    left_id: str
    right_id: str


class OpenDuels:
    """The duels that can be voted on; the oldest are dropped."""

    def __init__(self) -> None:
        self._duels: OrderedDict[str, Duel] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, run_id: str, row: int, left_id: str, right_id: str) -> Duel:
        """Open a duel under a random id, which reveals nothing.

        Args:
            run_id: The run.
            row: The row of both pictures.
            left_id: Candidate id of the left picture.
            right_id: Candidate id of the right picture.
        """
        duel = Duel(secrets.token_hex(12), run_id, row, left_id, right_id)
        with self._lock:
            self._duels[duel.duel_id] = duel
            while len(self._duels) > MOST_OPEN:
                self._duels.popitem(last=False)
        return duel

    def find(self, duel_id: str) -> Duel:
        """Find a duel by its id.

        Raises:
            HTTPException: 404; the server was restarted since, or the duel is too old.
        """
        with self._lock:
            duel = self._duels.get(duel_id)
        if duel is None:
            raise HTTPException(404, "this pair is no longer open; loading the next one")
        return duel


def routes(context: PageContext) -> APIRouter:
    """Make the routes of duels and of the ranking."""
    router = APIRouter()
    duels, chance = OpenDuels(), random.SystemRandom()

    @router.get("/runs/{run_id}/duels")
    def page(request: Request, run_id: str) -> Response:
        return context.page(request, "duels.html", here="duels", **run_facts(context.run_view(run_id)))

    @router.get("/runs/{run_id}/ranking")
    def ranking(request: Request, run_id: str) -> Response:
        run = context.run_view(run_id)
        return context.page(request, "ranking.html", here="duels", **run_facts(run), **ranking_facts(run))

    @router.get("/runs/{run_id}/duel.json")
    def next_duel(run_id: str, voter: Annotated[Name, Query()]) -> dict[str, Any]:
        return _next_duel(context.run_view(run_id), duels, chance, voter)

    @router.get("/duels/{duel_id}/{side}")
    def picture(duel_id: str, side: Literal["left", "right"]) -> Response:
        duel = duels.find(duel_id)
        return send_picture(context, duel.left_id if side == "left" else duel.right_id)

    @router.get("/duels/{duel_id}/made-from/{number}")
    def made_from(duel_id: str, number: int) -> Response:
        duel = duels.find(duel_id)
        return send_reference(_shared(context.run_view(duel.run_id), duel), number)

    @router.post("/runs/{run_id}/votes")
    def vote(run_id: str, body: VoteBody) -> dict[str, Any]:
        duel = duels.find(body.duel_id)
        now = datetime.now(UTC)
        context.ledger.votes.add(
            Vote(duel.duel_id, duel.run_id, duel.row, duel.left_id, duel.right_id, body.outcome, body.by, now)
        )
        return _next_duel(context.run_view(run_id), duels, chance, body.by)

    @router.post("/runs/{run_id}/votes/undo")
    def undo(run_id: str, body: UndoBody) -> dict[str, Any]:
        duel = duels.find(body.duel_id)
        if not context.ledger.votes.withdraw(duel.duel_id, body.by):
            raise HTTPException(409, f"nothing was undone: {body.by} has no vote on this pair")
        run = context.run_view(run_id)
        return _duel_facts(run, _pool(run, body.by), duel)

    return router


def _pool(run: RunView, voter: str) -> Pool:
    return pool_of(run.drafts, run.ledger.votes.of_run(run.run_id), voter)


def _next_duel(run: RunView, duels: OpenDuels, chance: random.Random, voter: str) -> dict[str, Any]:
    pool = _pool(run, voter)
    pair = choose_pair(pool, chance)
    if pair is None:
        return _duel_facts(run, pool, None)
    left, right = pair
    return _duel_facts(run, pool, duels.open(run.run_id, left.row, left.candidate_id, right.candidate_id))


def _shared(run: RunView, duel: Duel) -> tuple[Reference, ...]:
    """List what both pictures were made from: what only one was made from would tell its arm."""
    pictures = {one.candidate_id: one for one in run.drafts}
    left, right = (
        sent_with(run, pictures[name]) if name in pictures else () for name in (duel.left_id, duel.right_id)
    )
    return tuple(one for one in left if one in right)


def _duel_facts(run: RunView, pool: Pool, duel: Duel | None) -> dict[str, Any]:
    """Return what a page may know: no arm, no score, no id of a picture."""
    shown = duel and {
        "id": duel.duel_id,
        "about": row_names(run)[duel.row],
        "n_made_from": len(_shared(run, duel)),
    }
    return {
        "duel": shown,
        "n_done": pool.n_done,
        "n_skipped": len(pool.judged) - pool.n_done,
        "n_wanted": pool.n_wanted,
    }
