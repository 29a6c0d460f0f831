"""Which finals are accepted: each try is held against its draft, edition by edition, and people go first."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from flows.runs.lock import bring_files
from flows.runs.run import StoredRun
from tasks.campaign import Campaign
from tasks.campaign.finals import Finals
from tasks.candidate import Candidate, Fidelity
from tasks.compare import choose_attempt, choose_fallback, measure_fidelity
from tasks.decisions import Acceptance
from tasks.ledger.report_rows import report_rows
from tasks.order import Reference
from tasks.report_page.lineage import write_lineage


def compare_finals(run: StoredRun) -> int:
    """Measure how far each final still is its draft and accept the best that is; returns how many."""
    records = run.ledger.orders.of_run(run.run_id)
    masks = {record.order.order_id: record.order.mask for record in records}
    drafts = {draft.candidate_id: draft for draft in run.read_candidates("draft")}
    tries: dict[tuple[str, str | None], list[Candidate]] = {}
    for final in run.read_candidates("final"):
        if final.draft_id is not None:
            tries.setdefault((final.draft_id, final.edition), []).append(final)
    told = {word.candidate_id: word for word in run.ledger.acceptances.of_run(run.run_id)}
    n_accepted = 0
    for (draft_id, name), finals in tries.items():
        edition = _edition(run.campaign, name)
        fidelities = {
            final.candidate_id: final.fidelity
            or _measure(run.folder, drafts[draft_id], final, edition, masks[final.order_id])
            for final in finals
            if final.is_sound
        }
        n_accepted += _accept_best(run, edition, finals, fidelities, told)
    rows = report_rows(run.run_id, records, run.read_candidates())
    write_lineage(rows, run.folder)
    return n_accepted


def _edition(campaign: Campaign, name: str | None) -> Finals:
    """Find an edition's rules; one that the campaign no longer has is judged by the first one's."""
    return next((edition for edition in campaign.editions if edition.name == name), campaign.editions[0])


def _measure(
    folder: Path, draft: Candidate, final: Candidate, edition: Finals, mask: Reference | None
) -> Fidelity:
    bring_files(folder, (draft.file, final.file))
    is_edit = final.endpoint == "edits"
    remade = Path(mask.file) if mask is not None and Path(mask.file).exists() else None
    fit = edition.fit if is_edit else "any"
    return measure_fidelity(folder / draft.file, folder / final.file, fit, remade)


def _accept_best(
    run: StoredRun,
    edition: Finals,
    finals: Sequence[Candidate],
    fidelities: Mapping[str, Fidelity],
    told: Mapping[str, Acceptance],
) -> bool:
    """Choose among the tries at one edition of one final; tell whether one is accepted.

    A try that a person accepted is the one, and the best of the others is not; a rejected one never is.
    """
    rejected = {name for name, word in told.items() if not word.is_accepted}
    eligible = {name: fidelity for name, fidelity in fidelities.items() if name not in rejected}
    chosen, reason = _choose(edition, finals, eligible)
    if words := [told[f.candidate_id] for f in finals if f.candidate_id in told.keys() - rejected]:
        word = max(words, key=lambda word: word.decided_at)
        chosen, reason = word.candidate_id, f"another try was accepted by {word.decided_by}"
    for name, fidelity in fidelities.items():
        run.ledger.candidates.record_fidelity(name, fidelity)
    run.ledger.candidates.record_acceptance(
        {
            final.candidate_id: _verdict(
                is_accepted=final.candidate_id == chosen, word=told.get(final.candidate_id), reason=reason
            )
            for final in finals
        }
    )
    return chosen is not None


def _choose(
    edition: Finals, finals: Sequence[Candidate], eligible: Mapping[str, Fidelity]
) -> tuple[str | None, str]:
    """Choose by the edition's rule; where no edit is good enough, what was made in their place."""
    in_place = {final.candidate_id for final in finals if _is_fallback(edition, final)}
    regular = {name: fidelity for name, fidelity in eligible.items() if name not in in_place}
    chosen, reason = choose_attempt(regular, edition.min_fidelity)
    if chosen is not None:
        return chosen, reason
    return choose_fallback({name: eligible[name] for name in eligible if name in in_place}, reason)


def _is_fallback(edition: Finals, final: Candidate) -> bool:
    return edition.method == "edit" and final.endpoint == "generations"


def _verdict(*, is_accepted: bool, word: Acceptance | None, reason: str) -> tuple[bool, str]:
    """Say who decided about a final where a person did, else why the rule did."""
    if word is None or word.is_accepted != is_accepted:
        return is_accepted, reason
    return is_accepted, f"{'accepted' if is_accepted else 'rejected'} by {word.decided_by}"
