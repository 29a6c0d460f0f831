"""Statements about pictures, answered by people: the same ones as the judge, and blind to what it said.

A person gets some twenty pictures, one statement at a time; those about which a panel's judges disagree come
first. Only when all of them are answered does the page say how the judge compares.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from starlette.requests import Request
from starlette.responses import Response

from flows.evaluation.judge_check import CheckedRun, check_run, has_judge
from flows.evaluation.panel import most_disputed, read_panel
from flows.evaluation.run_questions import questions_of
from flows.review.gallery import run_facts
from flows.review.made_from import send_reference
from flows.review.page_context import PageContext, RunView
from flows.review.request_bodies import Name, StatementBody
from flows.review.visitors import Visitor
from tasks.campaign.statements import AskedStatement, statements_of
from tasks.candidate import Candidate
from tasks.judging.drawn_pictures import N_DRAWN, draw_pictures
from tasks.judging.people_answers import PersonAnswer, last_answers
from tasks.order import Reference

MOST_DRAWN = 200
"""The most pictures that a person is asked about in one run."""


def routes(context: PageContext) -> APIRouter:
    """Make the routes of the page of statements."""
    router = APIRouter()

    @router.get("/runs/{run_id}/statements")
    def page(request: Request, run_id: str) -> Response:
        run = context.run_view(run_id)
        return context.page(request, "statements.html", here="statements", **run_facts(run))

    @router.get("/runs/{run_id}/statements.json")
    def statements(
        request: Request,
        run_id: str,
        person: Annotated[Name, Query()],
        n: Annotated[int, Query(ge=1, le=MOST_DRAWN)] = N_DRAWN,
    ) -> dict[str, Any]:
        visitor: Visitor = request.state.visitor
        return statement_facts(context.run_view(run_id), visitor.name or person, n)

    @router.post("/runs/{run_id}/statements")
    def answer(run_id: str, body: StatementBody) -> dict[str, Any]:
        run = context.run_view(run_id)
        draft = next((one for one in run.drafts if one.candidate_id == body.candidate_id), None)
        if draft is None or body.statement not in [one.text for one in _asked(run, draft)]:
            raise HTTPException(409, "this statement is not asked of that picture any more; reload the page")
        given = PersonAnswer(
            run_id, draft.candidate_id, body.statement, body.answer, body.by, datetime.now(UTC)
        )
        context.ledger.people_answers.add(given)
        return {}

    @router.get("/runs/{run_id}/beside/{candidate_id}/{number}")
    def beside(run_id: str, candidate_id: str, number: int) -> Response:
        return _send_beside(context.run_view(run_id), candidate_id, number)

    return router


def statement_facts(run: RunView, person: str, n: int) -> dict[str, Any]:
    """Return what a person is asked, with their own answers; how the judge compares once all are given.

    Args:
        run: The run.
        person: The person.
        n: How many pictures they are asked about, at most.
    """
    if not has_judge(run):
        return {"pictures": [], "n_judged": 0, "result": None}
    checked = check_run(run, run.drafts)
    own = {one.about: one.answer for one in last_answers(checked.people) if one.answered_by == person}
    begun = {name for name, _ in own}
    disputed = most_disputed(read_panel(run, run.drafts))
    first = begun | set(disputed[: n // 2])
    drawn = draw_pictures(checked.judged, f"{run.run_id} {person}", n, first)
    drawn.sort(key=lambda name: disputed.index(name) if name in disputed else len(disputed))
    drafts = {draft.candidate_id: draft for draft in run.drafts}
    pictures = [_picture(run, drafts[name], own) for name in drawn]
    is_done = bool(pictures) and all(_is_answered(one["statements"]) for one in pictures)
    return {
        "pictures": pictures,
        "n_judged": len({one.candidate_id for one in checked.judged if one.is_true is not None}),
        "result": _result(checked, run) if is_done else None,
    }


def _asked(run: RunView, draft: Candidate) -> tuple[AskedStatement, ...]:
    return statements_of(run.campaign, draft.row, draft.arm) if has_judge(run) else ()


def _picture(run: RunView, draft: Candidate, own: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """Describe a picture to somebody who shall know neither its arm nor what the judge said."""
    return {
        "id": draft.candidate_id,
        "n_beside": len(_beside(run, draft)),
        "statements": [
            {"text": one.text, "parent": one.parent, "said": own.get((draft.candidate_id, one.text))}
            for one in _asked(run, draft)
        ],
    }


def _is_answered(statements: Sequence[Mapping[str, Any]]) -> bool:
    """Whether every statement is answered, but for those that depend on one that is not true."""
    return all(one["said"] is not None or _falls_with_parent(one, statements) for one in statements)


def _falls_with_parent(one: Mapping[str, Any], statements: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a statement needs no answer, since a person did not call the one that it depends on true."""
    if one["parent"] is None:
        return False
    parent = statements[one["parent"]]
    return parent["said"] in ("no", "cannot_tell") or (
        parent["said"] is None and _falls_with_parent(parent, statements)
    )


def _result(checked: CheckedRun, run: RunView) -> dict[str, Any]:
    judge = run.campaign.score.judge
    return checked.check.as_dict() | {"model": judge.model if judge else None}


def _beside(run: RunView, draft: Candidate) -> tuple[Reference, ...]:
    """List what the judge saw beside a picture; nothing where it saw the picture alone."""
    judge = run.campaign.score.judge
    if judge is None or not judge.sees:
        return ()
    sent = questions_of(run).beside(draft)
    return (*sent.references, *([] if sent.mask is None else [sent.mask]))


def _send_beside(run: RunView, candidate_id: str, number: int) -> Response:
    """Send a reference or mask that a draft was made with, if it still is what was sent."""
    draft = next((one for one in run.drafts if one.candidate_id == candidate_id), None)
    return send_reference(_beside(run, draft) if draft else (), number)
