"""Whether a run is finished: resuming it would send nothing, decide nothing and write the same report."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from flows.overdue import is_confirmed_by_campaign
from flows.promotion.plan import price_promotion
from flows.runs.outcome import Outcome, outcome_of
from flows.runs.run import StoredRun
from flows.session.begun_orders import left_orders
from flows.session.prepare import Prepared
from tasks.ledger import open_existing_ledger
from tasks.storage.home import CAMPAIGN_FILE, REPORT_PAGE, SUMMARY_FILE

NOTHING_LEFT = "Nothing is left to send or to decide, so nothing was bought. To decide anew: runoff rescore"


def finished_outcome(prepared: Prepared) -> Outcome | None:
    """Read the outcome of a finished run; ``None`` if resuming it may do anything. Writes and sends nothing.

    A run is finished when it ended without any fault, its report is there, and neither its campaign file nor
    anything in the ledger gives it work.

    Args:
        prepared: The prepared run, which the ledger knows.
    """
    settings, run_id = prepared.settings, prepared.run_id
    with open_existing_ledger(settings.home, settings.environ) as ledger:
        run = StoredRun.find(settings, ledger, run_id)
        if run.record.state not in ("done", "awaiting review") or not _is_report_current(run):
            return None
        outcome = outcome_of(run)
        if outcome.exit_code or ledger.batches.open_of(run_id) or ledger.candidates.uninspected(run_id):
            return None
        if left_orders(prepared, ledger):
            return None
        if run.record.state == "done":
            has_work = price_promotion(ledger, prepared).has_work
        else:
            has_work = is_confirmed_by_campaign(ledger, run_id)
        if has_work:
            return None
    return _with_report(replace(outcome, message=NOTHING_LEFT), run.folder)


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
