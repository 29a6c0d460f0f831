"""The finalists that still need a final."""

from collections.abc import Mapping, Sequence

from flows.runs.lock import fetch_files
from flows.runs.run import StoredRun
from tasks.candidate import Candidate
from tasks.decisions import Shortlist
from tasks.errors import RunError
from tasks.pictures.bought import find_lack


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
    shortlist = run.ledger.shortlists.last(run.run_id)
    finalists = [
        draft for draft in candidates if is_chosen(draft, shortlist) and draft.candidate_id not in settled
    ]
    places = {name: place for place, name in enumerate(shortlist.candidate_ids)} if shortlist else {}
    return sorted(finalists, key=lambda draft: _place(draft, places))


def is_chosen(draft: Candidate, shortlist: Shortlist | None) -> bool:
    """Whether a draft is a finalist: by a person's list where there is one, else by the rule.

    The list decides itself, since a process may be killed between writing it and marking its drafts.
    """
    return draft.is_finalist if shortlist is None else draft.candidate_id in shortlist.candidate_ids


def find_unusable(run: StoredRun, finalists: Sequence[Candidate]) -> dict[str, RunError]:
    """Find the finalists whose files are gone or other than what was bought.

    Args:
        run: The run.
        finalists: Its finalists; a store's files of them are fetched.

    Returns:
        What is wrong, by the draft's candidate id.

    Raises:
        SettingError: The store cannot be read.
    """
    fetch_files(run.folder, [draft.file for draft in finalists])
    return {
        draft.candidate_id: RunError(
            where=f"finalist {draft.candidate_id}",
            what=f"its file {draft.file} {lack}, so a final of it could not be compared with it",
            money="Its final was not bought now; what was bought before is kept.",
            next_step="Restore the file, or choose other finalists: runoff review",
        )
        for draft in finalists
        if (lack := find_lack(run.folder / draft.file, draft.sha256))
    }


def _place(draft: Candidate, places: Mapping[str, int]) -> tuple[int, int]:
    return places.get(draft.candidate_id, len(places)), draft.rank or 0
