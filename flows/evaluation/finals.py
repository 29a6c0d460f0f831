"""Each final is compared with its draft, and the best attempt accepted; the ledger keeps both."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from flows.evaluation.kept import edition_of, kept_by_finals, score_finals
from flows.runs.lock import fetch_files
from flows.runs.run import StoredRun
from tasks.accept import accept
from tasks.campaign.finals import Finals
from tasks.candidate import Candidate, Fidelity
from tasks.compare import align_final, measure_fidelity
from tasks.ledger.report_rows import report_rows
from tasks.order import Reference
from tasks.pictures.bought import find_lack
from tasks.report_page.lineage import write_lineage
from tasks.storage.atomic import write_atomically


def compare_finals(run: StoredRun, *, reads_again: bool = False) -> int:
    """Measure the fidelity of each final to its draft and accept the best ones; returns how many.

    Args:
        run: The run.
        reads_again: Read the text of finals again, where it must be kept: another may be expected now.
    """
    score_finals(run, reads_again=reads_again)
    kept = kept_by_finals(run)
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
        edition = edition_of(run.campaign, name)
        measured = {
            final.candidate_id: final.fidelity
            or _measure(run.folder, drafts[draft_id], final, edition, masks[final.order_id])
            for final in finals
            if final.is_sound
        }
        fidelities = {name: found for name, found in measured.items() if isinstance(found, Fidelity)}
        verdicts = accept(finals, fidelities, acceptances, edition, kept)
        for name, found in measured.items():
            if isinstance(found, str) and name not in acceptances:
                verdicts[name] = False, f"not compared: {found}"
        for candidate_id, fidelity in fidelities.items():
            run.ledger.candidates.record_fidelity(candidate_id, fidelity)
        run.ledger.candidates.record_acceptance(verdicts)
        n_accepted += any(is_accepted for is_accepted, _ in verdicts.values())
        if edition.align:
            accepted = [final for final in finals if verdicts[final.candidate_id][0] and final.is_sound]
            _write_aligned(run.folder, drafts[draft_id], accepted)
    rows = report_rows(run.run_id, records, run.read_candidates())
    write_lineage(rows, run.folder)
    return n_accepted


def aligned_file(final: str) -> str:
    """Return the file of a final with its drift undone, relative to the folder of the run like its own."""
    return f"aligned/{PurePosixPath(final).stem}.png"


def _write_aligned(folder: Path, draft: Candidate, accepted: Iterable[Candidate]) -> None:
    """Write the aligned files that are not there yet; of a final whose file is not what was bought, none."""
    for final in accepted:
        file = folder / aligned_file(final.file)
        fetch_files(folder, (draft.file, final.file))
        if file.exists() or any(find_lack(folder / one.file, one.sha256) for one in (draft, final)):
            continue
        if content := align_final(folder / draft.file, folder / final.file):
            write_atomically(file, content)


def _measure(
    folder: Path, draft: Candidate, final: Candidate, edition: Finals, mask: Reference | None
) -> Fidelity | str:
    """Compare a final with its draft; or say which of their files is not what was bought."""
    fetch_files(folder, (draft.file, final.file))
    for one in (draft, final):
        if lack := find_lack(folder / one.file, one.sha256):
            return f"{one.file} {lack}"
    is_edit = final.endpoint == "edits"
    remade = Path(mask.file) if mask is not None and Path(mask.file).exists() else None
    fit = edition.fit if is_edit else "any"
    return measure_fidelity(folder / draft.file, folder / final.file, fit, remade)
