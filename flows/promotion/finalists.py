"""The finalists that still need a final."""

from collections.abc import Mapping

from flows.runs.run import StoredRun
from tasks.candidate import Candidate


def open_finalists(run: StoredRun, edition: str | None = None) -> list[Candidate]:
    """List the finalists that still need a final: in the order that a person chose, else best first.

    Args:
        run: The run.
        edition: The edition of the final; ``None`` if there is only one.

    A finalist with an accepted final needs none. One with an unknown attempt gets no further one unless the
    campaign says ``on_unknown: resend``, because it may have been billed.
    """
    candidates = run.read_candidates()
    settled = {final.draft_id for final in candidates if final.is_accepted and final.edition == edition}
    if run.campaign.on_unknown == "keep":
        unknown = run.ledger.orders.of_run(run.run_id, "unknown")
        lost = (record.order for record in unknown if record.order.is_final)
        settled |= {order.draft_id for order in lost if order.edition == edition}
    finalists = [draft for draft in candidates if draft.is_finalist and draft.candidate_id not in settled]
    shortlist = run.ledger.shortlists.last(run.run_id)
    places = {name: place for place, name in enumerate(shortlist.candidate_ids)} if shortlist else {}
    return sorted(finalists, key=lambda draft: _place(draft, places))


def _place(draft: Candidate, places: Mapping[str, int]) -> tuple[int, int]:
    return places.get(draft.candidate_id, len(places)), draft.rank or 0
