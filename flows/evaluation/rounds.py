"""The decision which arms continue to a run's next round, made once by the scores at that time."""

from collections.abc import Sequence
from datetime import UTC, datetime

from flows.evaluation.scored_drafts import scored_drafts
from flows.runs.run import StoredRun
from tasks.allocate import allocate
from tasks.campaign.rounds import RoundDecision, passes_of
from tasks.ledger.report_rows import report_rows
from tasks.orders.missing_scores import partly_scored, silent


def decide_round(run: StoredRun) -> RoundDecision | None:
    """Decide the first undecided round and record it; ``None`` if there are no scores to decide by."""
    decision = _decision(run, run.ledger.rounds.of_run(run.run_id))
    if decision is not None:
        run.ledger.rounds.record(run.run_id, decision, datetime.now(UTC))
    return decision


def _decision(run: StoredRun, decided: Sequence[RoundDecision]) -> RoundDecision | None:
    campaign = run.campaign
    drafts = [draft for draft in run.read_candidates("draft") if draft.is_campaign_draft]
    weights = campaign.score.weights
    this = passes_of(campaign.rounds, campaign.first_arms, decided)[-1]
    if silent([draft for draft in drafts if draft.replicate >= this.first_replicate], weights):
        return None  # a campaign that weighs a judge is not decided without its scores
    rows = report_rows(run.run_id, run.ledger.orders.of_run(run.run_id), drafts)
    scored = scored_drafts(rows, partly_scored(drafts, weights), weights)
    levels = campaign.levels_by_arm
    of_all = levels if levels.keys() >= set(this.arms) else None
    return allocate(scored, this.arms, campaign.rounds, number=len(decided) + 1, levels=of_all)
