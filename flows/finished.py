"""Whether a run is finished: resuming it would send nothing, decide nothing and write the same report."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from flows.overdue import is_confirmed_by_campaign
from flows.promotion.plan import price_promotion
from flows.runs.outcome import Outcome, is_whole, outcome_of
from flows.runs.reconciling import lost_drafts
from flows.runs.run import StoredRun
from flows.session.begun_orders import left_orders
from flows.session.prepare import Prepared
from tasks.candidate import Candidate
from tasks.ledger import OrderRecord, open_existing_ledger
from tasks.order import OrderState
from tasks.orders.missing_scores import without_score
from tasks.orders.questions import BOUGHT
from tasks.storage.home import CAMPAIGN_FILE, REPORT_PAGE, SUMMARY_FILE
from tasks.storage.mirror import store_of

NOTHING_LEFT = "Nothing is left to send or to decide, so nothing was bought. To decide anew: runoff rescore"

ENDED: tuple[OrderState, ...] = ("received", "refused", "failed", "unknown")


def finished_outcome(prepared: Prepared) -> Outcome | None:
    """Read the outcome of a finished run; ``None`` if resuming it may do anything. Writes and sends nothing.

    A run is finished when its report is there, every order has its end, and neither its campaign file nor
    anything in the ledger or on disk gives it work. Orders that were refused, failed or are unknown, and will
    not be sent again, are no work; a judge's question without an answer is.

    Args:
        prepared: The prepared run, which the ledger knows.
    """
    settings, run_id = prepared.settings, prepared.run_id
    with open_existing_ledger(settings.home, settings.environ) as ledger:
        run = StoredRun.find(settings, ledger, run_id)
        if run.record.state not in ("done", "awaiting review") or not _is_report_current(run):
            return None
        records, candidates = ledger.orders.of_run(run_id), run.read_candidates()
        outcome = outcome_of(run, records, candidates)
        if outcome.exit_code and _may_be_mended(run, prepared, records, candidates):
            return None
        if _has_open_ends(run) or left_orders(prepared, ledger):
            return None
        if run.record.state == "done":
            has_work = price_promotion(ledger, prepared).has_work
        else:
            has_work = is_confirmed_by_campaign(ledger, run_id)
        if has_work:
            return None
    return _with_report(replace(outcome, message=NOTHING_LEFT), run.folder)


def _has_open_ends(run: StoredRun) -> bool:
    """Whether something of the run is under way, or was decided or deleted since it ended."""
    ledger, run_id = run.ledger, run.run_id
    return bool(
        ledger.batches.open_of(run_id)
        or ledger.candidates.uninspected(run_id)
        or run_id in ledger.slots.open_runs([run.record.campaign])
        or _is_reconciled_since(run)
        or _has_dropped_files(run)
    )


def _has_dropped_files(run: StoredRun) -> bool:
    """Whether this machine's mirror of the store still has what was deleted to free disk space."""
    dropped = run.ledger.pruning.dropped(run.run_id) if store_of(run.folder) else ()
    return any((run.folder / file).exists() for one in dropped for file in one.files)


def _is_reconciled_since(run: StoredRun) -> bool:
    """Whether what its orders cost was changed after its report was written."""
    ended_at = run.record.finished_at
    verdicts = (one for one in run.ledger.reconciliations.history() if one.run_id == run.run_id)
    return ended_at is None or any(one.reconciled_at > ended_at.astimezone(UTC) for one in verdicts)


def _may_be_mended(
    run: StoredRun, prepared: Prepared, records: Sequence[OrderRecord], candidates: Sequence[Candidate]
) -> bool:
    """Whether resuming may change the end of an order that has no sound answer, or ask a judge again."""
    from tasks.images_api.recover_sent import is_recoverable
    from tasks.images_api.reread import kept_orders

    ledger, run_id = run.ledger, run.run_id
    if any(record.state not in ENDED for record in records) or not all(map(_is_answered, records)):
        return True
    drafts = [one for one in candidates if one.is_draft]
    if any(without_score(drafts, name) for name in BOUGHT):
        return True
    if prepared.campaign.on_unknown == "resend" and lost_drafts(ledger, run_id):
        return True
    if any(record.state == "unknown" for record in records) and store_of(run.folder):
        return True  # the store may have got a worker's answer, which this machine's mirror lacks
    kept = kept_orders(ledger, run_id, run.folder)
    return bool(kept) or is_recoverable(ledger, run_id, run.folder, prepared.terms)


def _is_answered(record: OrderRecord) -> bool:
    return not record.order.is_question or is_whole(record)


def _with_report(outcome: Outcome, folder: Path) -> Outcome | None:
    """Add what only the report knows; ``None`` if its summary cannot be read."""
    try:
        summary = json.loads((folder / SUMMARY_FILE).read_text(encoding="utf-8"))
        all_high_usd = summary["money"]["all_high_usd"]
        return replace(
            outcome,
            verdict=summary["verdict"],
            without_finalist=summary["without_finalist"],
            all_high_usd=None if all_high_usd is None else Decimal(all_high_usd),
        )
    except (OSError, ValueError, KeyError, TypeError, ArithmeticError):
        return None


def _is_report_current(run: StoredRun) -> bool:
    """Whether the report is there, and the campaign file was not edited since the run ended."""
    ended_at = run.record.finished_at
    if ended_at is None or not (run.folder / REPORT_PAGE).exists():
        return False
    edited_at = datetime.fromtimestamp((run.folder / CAMPAIGN_FILE).stat().st_mtime, UTC)
    return edited_at <= ended_at.astimezone(UTC)
