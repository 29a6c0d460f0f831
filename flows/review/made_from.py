"""What a picture was made from, shown beside it: the references and the mask that its order sent."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from flows.review.page_context import PageContext, RunView
from flows.review.pictures import whole_picture
from tasks.candidate import Candidate
from tasks.order import Reference
from tasks.storage.mirror import found_here


def routes(context: PageContext) -> APIRouter:
    """Make the route of the pictures that others were made from."""
    router = APIRouter()

    @router.get("/runs/{run_id}/candidates/{candidate_id}/made-from/{number}")
    def made_from(run_id: str, candidate_id: str, number: int) -> Response:
        run = context.run_view(run_id)
        found = next((one for one in run.candidates if one.candidate_id == candidate_id), None)
        return send_reference(sent_with(run, found) if found else (), number)

    return router


def sent_with(run: RunView, picture: Candidate) -> tuple[Reference, ...]:
    """List what a picture's order sent along: its references, and last its mask if it has one.

    Args:
        run: The run.
        picture: One of its pictures.
    """
    record = run.ledger.orders.find(picture.order_id)
    if record is None:
        return ()
    order = record.order
    return (*order.references, *([] if order.mask is None else [order.mask]))


def send_reference(shown: Sequence[Reference], number: int) -> Response:
    """Send a reference or a mask, if it still is what was sent.

    Args:
        shown: What can be shown.
        number: Which of them, from 0.

    Raises:
        HTTPException: 404; there is no such one, or its file is missing, no picture, or not what was sent.
    """
    if not 0 <= number < len(shown):
        raise HTTPException(404, "nothing was shown beside this picture")
    return whole_picture(found_here(Path(shown[number].file)), shown[number].sha256)


def made_from_facts(run: RunView, picture: Candidate) -> list[dict[str, Any]]:
    """Return what the page shows of what a picture was made from; empty if it was made from words alone."""
    record = run.ledger.orders.find(picture.order_id)
    has_mask = record is not None and record.order.mask is not None
    shown = sent_with(run, picture)
    n_references = len(shown) - has_mask
    return [
        {"label": name_shown(number, n_references), "is_mask": number == n_references}
        for number in range(len(shown))
    ]


def name_shown(number: int, n_references: int) -> str:
    """Name a picture that was sent along.

    Args:
        number: Its place, from 0.
        n_references: How many references there are; what follows them is the mask.
    """
    if number == n_references:
        return "Mask"
    return "Reference" if n_references == 1 else f"Reference {number + 1}"
