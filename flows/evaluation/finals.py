"""Acceptance of finals: each is compared with its draft, and people's decisions override the rule."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from flows.runs.lock import fetch_files
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
    """Measure the fidelity of each final to its draft and accept the best ones; returns how many."""
    records = run.ledger.orders.of_run(run.run_id)
    masks = {record.order.order_id: record.order.mask for record in records}
    drafts = {draft.candidate_id: draft for draft in run.read_candidates("draft")}
    attempts: dict[tuple[str, str | None], list[Candidate]] = {}
    for final in run.read_candidates("final"):
        if final.draft_id is not None:
            attempts.setdefault((final.draft_id, final.edition), []).append(final)
    acceptances = {one.candidate_id: one for one in run.ledger.acceptances.of_run(run.run_id)}
    n_accepted = 0
    for (draft_id, name), finals in attempts.items():
        edition = _edition(run.campaign, name)
        fidelities = {
            final.candidate_id: final.fidelity
            or _measure(run.folder, drafts[draft_id], final, edition, masks[final.order_id])
            for final in finals
            if final.is_sound
        }
        n_accepted += _accept_best(run, edition, finals, fidelities, acceptances)
    rows = report_rows(run.run_id, records, run.read_candidates())
    write_lineage(rows, run.folder)
    return n_accepted


def _edition(campaign: Campaign, name: str | None) -> Finals:
    """Find an edition's rules; those of the first edition if the campaign no longer has it."""
    return next((edition for edition in campaign.editions if edition.name == name), campaign.editions[0])


def _measure(
    folder: Path, draft: Candidate, final: Candidate, edition: Finals, mask: Reference | None
) -> Fidelity:
    fetch_files(folder, (draft.file, final.file))
    is_edit = final.endpoint == "edits"
    remade = Path(mask.file) if mask is not None and Path(mask.file).exists() else None
    fit = edition.fit if is_edit else "any"
    return measure_fidelity(folder / draft.file, folder / final.file, fit, remade)


def _accept_best(
    run: StoredRun,
    edition: Finals,
    finals: Sequence[Candidate],
    fidelities: Mapping[str, Fidelity],
    acceptances: Mapping[str, Acceptance],
) -> bool:
    """Choose among the attempts at one edition of one final; returns whether one is accepted.

    An attempt that a person accepted is chosen over all others; a rejected one is never chosen.
    """
    rejected = {name for name, one in acceptances.items() if not one.is_accepted}
    eligible = {name: fidelity for name, fidelity in fidelities.items() if name not in rejected}
    chosen, reason = _choose(edition, finals, eligible)
    accepted_ids = acceptances.keys() - rejected
    if accepted := [acceptances[f.candidate_id] for f in finals if f.candidate_id in accepted_ids]:
        latest = max(accepted, key=lambda one: one.decided_at)
        chosen, reason = latest.candidate_id, f"another attempt was accepted by {latest.decided_by}"
    for name, fidelity in fidelities.items():
        run.ledger.candidates.record_fidelity(name, fidelity)
    run.ledger.candidates.record_acceptance(
        {
            final.candidate_id: _verdict(
                is_accepted=final.candidate_id == chosen,
                decision=acceptances.get(final.candidate_id),
                reason=reason,
            )
            for final in finals
        }
    )
    return chosen is not None


def _choose(
    edition: Finals, finals: Sequence[Candidate], eligible: Mapping[str, Fidelity]
) -> tuple[str | None, str]:
    """Choose by the edition's rule; if no edit is good enough, a final generated in its place."""
    fallbacks = {final.candidate_id for final in finals if _is_fallback(edition, final)}
    regular = {name: fidelity for name, fidelity in eligible.items() if name not in fallbacks}
    chosen, reason = choose_attempt(regular, edition.min_fidelity)
    if chosen is not None:
        return chosen, reason
    return choose_fallback({name: eligible[name] for name in eligible if name in fallbacks}, reason)


def _is_fallback(edition: Finals, final: Candidate) -> bool:
    return edition.method == "edit" and final.endpoint == "generations"


def _verdict(*, is_accepted: bool, decision: Acceptance | None, reason: str) -> tuple[bool, str]:
    """Name the person who decided about a final, otherwise give the rule's reason."""
    if decision is None or decision.is_accepted != is_accepted:
        return is_accepted, reason
    return is_accepted, f"{'accepted' if is_accepted else 'rejected'} by {decision.decided_by}"
