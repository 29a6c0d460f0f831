"""Decide about a run again: other weights, radius or caps, nothing bought.

The rules stand in the run's own ``campaign.yaml``; another campaign file may lend its rules, which are then
written there. Scores of older versions stay in the ledger. Finals that were bought stay, whoever is chosen.
"""

from pathlib import Path

from flows.decide import (
    RunOnDisk,
    compare_finals,
    deduplicate_drafts,
    inspect_new,
    score_drafts,
    score_judged,
    select_finalists,
)
from flows.open_run import resumed_file
from flows.outcome import Outcome, outcome_of
from flows.run_report import write_run_report
from tasks.campaign import Campaign
from tasks.campaign_file import load_campaign
from tasks.catalogue import load_catalogue
from tasks.files import write_atomically
from tasks.home import run_folder, run_lock
from tasks.ledger import Ledger
from tasks.providers import load_providers

DECISIONS = (inspect_new, score_drafts, deduplicate_drafts, score_judged, select_finalists, compare_finals)
RULES = ("deduplicate", "score", "finalists")


def rescore(home: Path, ledger: Ledger, name: str, rules_file: Path | None = None) -> Outcome:
    """Inspect, score, deduplicate and select a run again, and write its report. Spends nothing.

    Args:
        home: Runoff's home.
        ledger: Its ledger.
        name: The run's id, a unique beginning of it, or ``latest``.
        rules_file: A campaign file whose ``deduplicate``, ``score`` and ``finalists`` replace the run's.

    Returns:
        How the run stands now.

    Raises:
        RunError: There is no such run, or another process works on it.
        CampaignError: A file is wrong; nothing was changed.
    """
    file, run_id = resumed_file(home, ledger, name)
    campaign = _read(file, home)
    if rules_file is not None:
        rules = _read(rules_file, home)
        campaign = campaign.model_copy(update={key: getattr(rules, key) for key in RULES})
    record = ledger.runs.find(run_id)
    folder = run_folder(home, record.campaign, run_id)
    run = RunOnDisk(run_id, campaign, ledger, folder)
    with run_lock(folder):
        if rules_file is not None:
            write_atomically(file, campaign.as_yaml().encode())
        for decide in DECISIONS:
            decide(run)
        write_run_report(home, record, ledger)
    return outcome_of(ledger, home, record)


def _read(file: Path, home: Path) -> Campaign:
    return load_campaign(file, catalogue=load_catalogue(home), providers=load_providers(home))
