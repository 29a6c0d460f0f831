"""One attempt at the finals of an edition: what is bought, and what is left out because a picture is gone.

A final needs its draft, with which it is compared, and the pictures that it sends. Where one of them is gone,
or is another by now, that final alone is left out: whoever puts the picture back has it bought later.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from flows.promotion.finalists import find_unusable, open_finalists
from flows.runs.run import StoredRun
from flows.session.prepare import Prepared
from tasks.campaign.finals import Finals
from tasks.candidate import Candidate
from tasks.errors import RunError
from tasks.ledger.replanning import left_to_send
from tasks.money import count_of
from tasks.order import Order
from tasks.orders.finals import plan_finals, require_sendable

Wanted = tuple[str, str | None]
"""A final that somebody wants: the id of its draft, and the name of its edition."""


class Attempt(NamedTuple):
    """One attempt at an edition's finals.

    Args:
        orders: The orders of those that can be bought, and of those that were.
        left: Those of them that are still to be sent.
        left_out: Why others are left out; nothing was spent for them now.
    """

    orders: list[Order]
    left: list[Order]
    left_out: dict[Wanted, RunError]


def usable_finalists(
    run: StoredRun, edition: Finals, without: Collection[Wanted] = ()
) -> tuple[list[Candidate], dict[Wanted, RunError]]:
    """List the finalists that still need an edition's final, and why others of them are left out.

    Their files are read whole.

    Args:
        run: The run.
        edition: One of the campaign's editions.
        without: What an earlier attempt left out: what comes after it would be bought out of turn.

    Raises:
        SettingError: The store cannot be read.
    """
    finalists = not_left_out(open_finalists(run, edition.name), edition, without)
    faults = find_unusable(run, finalists)
    left_out = {(draft_id, edition.name): error for draft_id, error in faults.items()}
    return not_left_out(finalists, edition, left_out), left_out


def not_left_out(
    finalists: Sequence[Candidate], edition: Finals, left_out: Collection[Wanted]
) -> list[Candidate]:
    """List the finalists whose final of an edition is not left out."""
    return [draft for draft in finalists if (draft.candidate_id, edition.name) not in left_out]


def plan_attempt(
    run: StoredRun, prepared: Prepared, edition: Finals, attempt: int, finalists: Sequence[Candidate]
) -> Attempt:
    """Plan one attempt at the finals of an edition that are not accepted yet. Writes and sends nothing.

    Args:
        run: The run.
        prepared: Its campaign, prepared.
        edition: One of the campaign's editions.
        attempt: Which attempt, from 0.
        finalists: What ``usable_finalists`` returned.

    Raises:
        CatalogueError: Something has no price.
    """
    faults: dict[str, RunError] = {}
    orders = []
    for draft in finalists:
        try:
            orders += plan_finals(
                prepared.campaign,
                prepared.catalogue,
                prepared.providers,
                [draft],
                run_id=run.run_id,
                folder=run.folder,
                attempt=attempt,
                edition=edition,
                home=prepared.home,
                before=prepared.before,
            )
        except RunError as error:
            faults[draft.candidate_id] = error
    left = left_to_send(run.ledger, run.run_id, orders)
    for order in left:
        try:
            require_sendable([order])
        except RunError as error:
            faults[str(order.draft_id)] = error
    return Attempt(
        [order for order in orders if order.draft_id not in faults],
        [order for order in left if order.draft_id not in faults],
        {(draft_id, edition.name): error for draft_id, error in faults.items()},
    )


def describe_left_out(left_out: Mapping[Wanted, RunError], run_id: str) -> str:
    """Say which finals are left out, why, and what to do; empty if none is.

    Args:
        left_out: Why each is left out.
        run_id: The run.
    """
    if not left_out:
        return ""
    is_one = len(left_out) == 1
    lines = [
        f"{count_of(len(left_out), 'final')} {'is' if is_one else 'are'} left out, and nothing is spent for"
        f" {'it' if is_one else 'them'}:",
        *(
            f"  {draft_id}{f' ({edition})' if edition else ''}: {error.what}"
            for (draft_id, edition), error in left_out.items()
        ),
        f"Put back what is missing as it was, then: runoff promote {run_id}",
        f"Or do without: runoff decline {run_id}",
    ]
    return "\n".join(lines)
