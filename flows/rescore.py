"""Rescoring: decides about a run again by other weights, radius or limits, without buying.

The rules are in the run's own ``campaign.yaml``; rules taken from another campaign file are written there.
Scores of older versions stay in the ledger. Finals that were bought stay, whichever drafts are chosen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from flows.evaluation.drafts import (
    deduplicate_drafts,
    inspect_new,
    select_finalists,
)
from flows.evaluation.finals import compare_finals
from flows.evaluation.scores import add_bought_scores, add_free_scores
from flows.run_report import write_run_report
from flows.runs.campaign import read_campaign
from flows.runs.lacking import describe_lacking, find_lacking
from flows.runs.lock import locked_run
from flows.runs.outcome import Outcome
from flows.runs.run import StoredRun
from tasks.campaign import Campaign
from tasks.campaign.choice import Deduplicate
from tasks.campaign_file.checks import find_campaign_faults
from tasks.campaign_file.fault import CampaignFault
from tasks.campaign_file.rules import rule_faults
from tasks.duplicates.tuning import Suggestion
from tasks.errors import CampaignError, RunError
from tasks.ledger import Ledger
from tasks.money import count_of
from tasks.scorers import available_scorers
from tasks.settings import Settings
from tasks.storage.atomic import write_atomically

RULES = ("deduplicate", "score", "finalists")


def rescore(
    settings: Settings,
    ledger: Ledger,
    name: str,
    rules_file: Path | None = None,
    weights: Mapping[str, float] | None = None,
) -> Outcome:
    """Inspect, score, deduplicate and select a run again, and write its report. Spends nothing.

    Args:
        settings: The home and the environment.
        ledger: Its ledger.
        name: The run's id, a unique beginning of it, or ``latest``.
        rules_file: A campaign file whose ``deduplicate``, ``score`` and ``finalists`` replace the run's.
        weights: Scorer's name to weight, instead of the weights that the run or the file has.

    Returns:
        The state of the run now; its message names the pictures whose files are not what was bought.

    Raises:
        RunError: There is no such run, or another process works on it.
        CampaignError: A file is wrong; nothing was changed.
    """
    run = StoredRun.find(settings, ledger, name)
    file, campaign = run.campaign_file(), run.campaign
    if rules_file is not None:
        campaign = _with_rules(campaign, rules_file, settings)
    if weights:
        campaign = _with_weights(run, campaign, weights, file)
    _require_files(run)
    with locked_run(ledger, run.folder):
        if rules_file is not None or weights:
            write_atomically(file, campaign.as_yaml().encode())
        decided = run.decided_by(campaign)
        lacking = _decide(decided)
        written = write_run_report(decided)
    return replace(written.outcome_of(run), message=" ".join(lacking))


def _with_rules(campaign: Campaign, file: Path, settings: Settings) -> Campaign:
    """Take the rules of another campaign file, if they fit the run's rows."""
    rules = read_campaign(file, settings)
    changed = campaign.model_copy(update={key: getattr(rules, key) for key in RULES})
    next_step = "The rules must fit the rows of the run, which stay as they are; nothing was changed."
    _require_none(rule_faults(changed), file, next_step)
    return changed


def write_limit(run: StoredRun, suggestion: Suggestion | None) -> None:
    """Write a suggested limit of similarity to a run's campaign file; nothing is decided yet.

    Args:
        run: The run.
        suggestion: What fits people's answers.

    Raises:
        RunError: There is no suggestion, the campaign compares by hash, or another process works on the run.
            Nothing was written.
    """
    rule = run.campaign.deduplicate
    lack = None if suggestion else "too few answers to suggest a limit"
    if rule.radius_bits is not None:
        lack = "the campaign compares hashes: it sets deduplicate.radius_bits"
    if lack is not None or suggestion is None:
        raise RunError(
            where=f"run {run.run_id}",
            what=lack or "",
            money="Nothing was changed.",
            next_step=f"Answer more pairs on the page Duplicates: runoff review {run.run_id}",
        )
    kept = {name: getattr(rule, name) for name in rule.model_fields_set}
    limited = Deduplicate(**kept | {"min_similarity": suggestion.min_similarity})
    with locked_run(run.ledger, run.folder):
        campaign = run.campaign.model_copy(update={"deduplicate": limited})
        write_atomically(run.campaign_file(), campaign.as_yaml().encode())


def _decide(run: StoredRun) -> list[str]:
    """Decide again; returns a sentence for each thing that is wrong with the pictures' files."""
    candidates = run.read_candidates()
    lacking = find_lacking(run.folder, candidates)
    inspect_new(run)
    add_free_scores(run, kept=lacking)
    deduplicate_drafts(run)
    add_bought_scores(run)
    select_finalists(run)
    compare_finals(run, reads_again=True)
    return describe_lacking(candidates, lacking)


def _with_weights(run: StoredRun, campaign: Campaign, weights: Mapping[str, float], file: Path) -> Campaign:
    """Replace the weights, with the checks that a campaign file gets."""
    score = campaign.score.model_copy(update={"weights": dict(weights)})
    changed = campaign.model_copy(update={"score": score})
    faults = find_campaign_faults(changed, run.catalogue, run.providers, available_scorers())
    _require_none(faults, file, "Name other weights: runoff rescore RUN --weight technical=1")
    return changed


def _require_none(faults: Iterable[CampaignFault], file: Path, next_step: str) -> None:
    messages = [f"{'.'.join(fault.path)}: {fault.what}, accepted: {fault.accepted}" for fault in faults]
    if messages:
        raise CampaignError(str(file), messages, next_step)


def _require_files(run: StoredRun) -> None:
    n_dropped = sum(draft.is_pruned for draft in run.read_candidates("draft"))
    if n_dropped:
        raise RunError(
            where=f"run {run.run_id}",
            what=f"cannot be rescored: {count_of(n_dropped, 'draft')} were deleted to free disk space",
            money="Nothing was changed.",
        )
