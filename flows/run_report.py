"""The report of a run, written from the ledger at any time.

This spends nothing and does not need Prefect: ``runoff report`` writes the same files again.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from flows.evaluation.asked_from import arm_facts, models_by_stage
from flows.evaluation.further_rounds import describe_further_rounds
from flows.evaluation.judge_check import report_check
from flows.evaluation.kept import kept_by_finals
from flows.evaluation.looks import forget_looks
from flows.evaluation.made_from import made_from
from flows.evaluation.nights import compare_nights_of_run
from flows.evaluation.panel import panel_columns, panel_warnings, read_panel
from flows.evaluation.people import gather_people
from flows.evaluation.statements import describe_statements
from flows.evaluation.thumbnails import redraw_thumbnails
from flows.evaluation.verdict import compare_run, describe_rounds, segments_of
from flows.evaluation.winners import winners_by
from flows.runs.finals_prices import all_high_usd, open_finals_usd
from flows.runs.lacking import describe_lacking, find_lacking
from flows.runs.lock import fetch_files
from flows.runs.named_finals import find_named_finals, write_named_finals
from flows.runs.outcome import Outcome, outcome_of
from flows.runs.run import StoredRun
from tasks.ab_test.winners import Winners
from tasks.campaign import Campaign
from tasks.campaign.row_groups import row_groups_of
from tasks.candidate import Candidate
from tasks.deduplicate import copies_by_radius
from tasks.errors import RunoffError
from tasks.judging.conditions import are_met, conditions_of, find_unjudged, unjudged_warnings
from tasks.ledger import OrderRecord, RunRecord, open_existing_ledger
from tasks.ledger.report_rows import report_rows
from tasks.ledger.runs import RunState
from tasks.memory import give_back
from tasks.money import count_of
from tasks.order import Order
from tasks.orders.missing_scores import missing_score_warnings
from tasks.remarks import remark_columns
from tasks.report import ReportFiles, build_frame, load_libraries, write_formats, write_report
from tasks.report_page.estimate_errors import measure_estimates
from tasks.report_page.facts import Awaiting, RunFacts
from tasks.report_page.lineage import lineage_file, write_lineage
from tasks.report_page.verdict import state_verdict
from tasks.select import groups_without_finalist
from tasks.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

AWAITING: Mapping[str, Awaiting] = {
    "awaiting review": "awaiting review",
    "running": "waiting",
    "waiting": "waiting",
}


def report_frame(run: str = "latest", home: str | Path | None = None) -> "pd.DataFrame":
    """Read a run's report as a table: one row for each order and picture. Spends and writes nothing.

    Args:
        run: The run: its id, a unique beginning of it, or ``latest``.
        home: Runoff's home; default: ``RUNOFF_HOME`` or ``./runs``.

    Returns:
        The columns of ``docs/report.md`` in their order, typed; null where nothing was measured.

    Raises:
        RunError: There is no such run.
        LedgerError: The ledger cannot be read.
    """
    settings = Settings.of(home, os.environ)
    with open_existing_ledger(settings.home, settings.environ) as ledger:
        stored = StoredRun.find(settings, ledger, run)
        records, candidates = ledger.orders.of_run(stored.run_id), stored.read_candidates()
    rows = report_rows(stored.run_id, records, candidates, rows_of(stored), levels_of(stored))
    try:
        names = find_named_finals(stored, candidates)
    except RunoffError:  # its campaign file is gone or no longer valid
        names = {}
    return build_frame([row | {"named_file": names.get(row["candidate_id"])} for row in rows])


def rows_of(run: StoredRun) -> Sequence[Mapping[str, Any]]:
    """Return the campaign's rows of variables; none if its file is gone or no longer valid."""
    try:
        return run.campaign.all_rows
    except RunoffError:
        return ()


def levels_of(run: StoredRun) -> Mapping[str, Mapping[str, str]]:
    """Return the levels of the arms that were made of factors; none if the campaign file is not valid."""
    try:
        return run.campaign.levels_by_arm
    except RunoffError:
        return {}


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """A report on disk, what it was written from, and its verdict."""

    files: ReportFiles
    gathered: "GatheredReport"
    verdict: str

    @property
    def facts(self) -> RunFacts:
        """Its facts about the run."""
        return self.gathered.facts

    def outcome_of(self, run: StoredRun) -> Outcome:
        """Tell the run's outcome, with what only its report knows; nothing is read twice."""
        return replace(
            outcome_of(run, self.gathered.records, self.gathered.candidates),
            verdict=self.verdict,
            without_finalist=dict(self.facts.without_finalist),
            unjudged=len(self.gathered.unjudged),
        )


def write_run_report(run: StoredRun) -> WrittenReport:
    """Write a run's report into its folder; each file is replaced whole.

    Raises:
        RunError: The run's campaign file is missing.
        SettingError: The folder cannot be written.
    """
    gathered = gather_report(run)
    rows, facts = gathered.rows, gathered.facts
    write_lineage(rows, run.folder)
    files = write_report(rows, facts, run.folder)
    return WrittenReport(files, gathered, state_verdict(rows, facts))


def load_for_report(run: StoredRun) -> None:
    """Load the libraries that a run's report needs, most of a second of work, before it is written."""
    needs_tests = len(run.campaign.all_rows) == 1 or bool(segments_of(run.campaign))
    load_libraries(len(run.campaign.arms), needs_tests=needs_tests)


def report_end(run: StoredRun, state: RunState, now: datetime) -> tuple[Outcome, dict[str, Any]]:
    """Write the report of a run that ends now, by what the ledger and the run's own file say of it.

    Args:
        run: The run; its state is not changed.
        state: The state that it ends in.
        now: When it ends, aware.

    Returns:
        The outcome, and what all nights of its campaign say; empty if they say nothing.

    Raises:
        RunError: The run's campaign file is missing.
        SettingError: The folder cannot be written.
    """
    forget_looks(run.folder)
    give_back()  # what inspecting and comparing the pictures took
    known = StoredRun.find(run.settings, run.ledger, run.run_id)
    ending = replace(known, record=replace(known.record, state=state, finished_at=now))
    written = write_run_report(ending)
    outcome = replace(written.outcome_of(ending), all_high_usd=written.facts.all_high_usd)
    return outcome, (written.facts.ab_test or {}).get("nights") or {}


def write_run_formats(run: StoredRun, formats: Sequence[str]) -> dict[str, Path]:
    """Write a run's report in some of ``tasks.report.FORMATS`` only; the other files stay unchanged.

    Returns:
        Each format's file.

    Raises:
        RunError: The run's campaign file is missing.
        SettingError: A format needs an extra, or the folder cannot be written.
    """
    gathered = gather_report(run)
    return write_formats(gathered.rows, gathered.facts, run.folder, formats)


class GatheredReport(NamedTuple):
    """A run's report rows and facts, and the orders and pictures that they were made from.

    ``lacking`` says which pictures are not what was bought, and ``unjudged`` names the accepted finals of
    which it is not known whether they keep what they must.
    """

    rows: list[dict[str, Any]]
    facts: RunFacts
    lacking: tuple[str, ...]
    unjudged: tuple[str, ...]
    records: Sequence[OrderRecord]
    candidates: Sequence[Candidate]


def gather_report(run: StoredRun) -> GatheredReport:
    """Read a run's rows and its facts from the ledger, and look which of its pictures are still there."""
    campaign, ledger = run.campaign, run.ledger
    records, candidates = ledger.orders.of_run(run.run_id), run.read_candidates()
    fetch_files(run.folder, _shown_files(candidates))
    redraw_thumbnails(run.folder, candidates)
    rows = report_rows(run.run_id, records, candidates, campaign.all_rows, campaign.levels_by_arm)
    names = write_named_finals(run, candidates)
    met = {
        one.candidate_id: are_met(conditions_of(campaign, one))
        for one in candidates
        if one.is_draft and one.is_survivor
    }
    kept = kept_by_finals(run)
    met |= {name: are_met(conditions) for name, conditions in kept.items()}
    every = [one for one in candidates if one.is_draft]
    opinions = read_panel(run, every)
    people = gather_people(run, candidates)
    for row in rows:  # in place: copies of thousands take dozens of MB
        name = row["candidate_id"]
        row |= {"named_file": names.get(name), "meets_conditions": met.get(name)}
        row |= panel_columns(opinions.get(name)) | remark_columns(people.of_picture.get(name))
    decided = ledger.rounds.of_run(run.run_id)
    lacking = find_lacking(run.folder, candidates, _chosen(candidates))
    described = tuple(describe_lacking(candidates, lacking))
    facts = _facts(run.record, campaign, records, candidates)
    ab_test = compare_run(rows, candidates, campaign, decided, people.cast)
    drafts = [one for one in candidates if one.is_campaign_draft]
    statements, checked = describe_statements(run, drafts), report_check(run, every)
    facts = replace(
        facts,
        warnings=(
            *facts.warnings,
            *panel_warnings(run, every),
            *unjudged_warnings(candidates, kept),
            *described,
        ),
        all_high_usd=all_high_usd(campaign, candidates, run.catalogue, run.providers),
        finals_usd=open_finals_usd(campaign, candidates, run.catalogue, run.providers),
        estimate_errors=measure_estimates(_billed(records), run.catalogue, run.providers),
        ab_test=_with_nights(run, ab_test),
        finalists=_with_winners(facts.finalists, winners_by(ab_test, campaign)),
        rounds=describe_rounds(rows, candidates, campaign, decided),
        further_rounds=describe_further_rounds(run, records, candidates),
        statements=statements.by_arm,
        statement_sentences=statements.sentences,
        statement_answers=statements.answers,
        judge_check=checked.facts,
        people_answers=checked.answers,
        calibration=people.calibration,
        made_from=made_from(records, candidates),
        people=people.facts,
        remarks=people.remarks,
        votes=people.votes,
    )
    return GatheredReport(rows, facts, described, tuple(find_unjudged(candidates, kept)), records, candidates)


def _with_nights(run: StoredRun, ab_test: dict[str, Any] | None) -> dict[str, Any] | None:
    """Add what all nights of the campaign say, up to this run."""
    nights = compare_nights_of_run(run)
    if ab_test is None:
        return None if nights is None else {"nights": nights.as_dict()}
    return ab_test | {"nights": nights and nights.as_dict()}


def _with_winners(finalists: str | None, winners: Winners | None) -> str | None:
    """Say of which arms finalists are, where the campaign takes them from the arm that won."""
    return finalists if finalists is None or winners is None else f"{finalists} {winners.state()}."


def _chosen(candidates: Sequence[Candidate]) -> set[str]:
    """List the pictures that are shown large and handed on: finals, finalists and the drafts of finals."""
    promoted = {final.draft_id for final in candidates if final.is_final}
    return {
        one.candidate_id
        for one in candidates
        if one.is_final or one.is_finalist or one.candidate_id in promoted
    }


def _shown_files(candidates: Sequence[Candidate]) -> set[str]:
    """List the files that a report reads: thumbnails, finals, and the drafts of finals and finalists."""
    chosen = _chosen(candidates)
    shown = set()
    for picture in candidates:
        if picture.is_pruned:
            continue
        shown.add(picture.thumbnail or picture.file)
        shown |= {picture.file} if picture.candidate_id in chosen else set()
        shown |= {lineage_file(picture.file)} if picture.is_final else set()
    return shown


def _facts(
    run: RunRecord,
    campaign: Campaign,
    records: Sequence[OrderRecord],
    candidates: Sequence[Candidate],
) -> RunFacts:
    drafts = [candidate for candidate in candidates if candidate.is_draft]
    return RunFacts(
        run_id=run.run_id,
        campaign=run.campaign,
        started_at=run.started_at,
        finished_at=run.finished_at,
        provider=", ".join(campaign.sellers),
        models=models_by_stage(campaign, records),
        arms=arm_facts(campaign, records),
        factors=campaign.levels_by_factor,
        added_from=campaign.added_from,
        spent_usd=_spent_usd(records),
        estimate_usd=sum((record.order.estimate_usd for record in records), Decimal(0)),
        unknown_usd=sum((record.estimated_usd for record in records), Decimal(0)),
        warnings=(*run.warnings, *missing_score_warnings(drafts, campaign.score.weights)),
        counts_by_state=_counts(records),
        copies_by_radius=copies_by_radius(drafts, campaign.deduplicate),
        radius_bits=campaign.deduplicate.radius_bits,
        finalists=_finalists(drafts, candidates),
        without_finalist=groups_without_finalist(drafts, row_groups_of(campaign)),
        min_fidelity=_min_fidelity(campaign),
        awaiting=AWAITING.get(run.state, "done"),
        campaign_yaml=campaign.as_yaml(),
        versions={name: version(name) for name in ("runoff", "prefect", "openai", "pillow", "imagehash")},
    )


def _min_fidelity(campaign: Campaign) -> float | None:
    """Return the fidelity limit that all editions share; ``None`` if they differ."""
    limits = {edition.min_fidelity for edition in campaign.editions}
    return limits.pop() if len(limits) == 1 else None


def _spent_usd(records: Sequence[OrderRecord]) -> dict[str, Decimal]:
    """Sum by stage what the orders are charged, as the command reports it."""
    spent: dict[str, Decimal] = {}
    for record in records:
        if record.charged_usd:
            spent[record.order.stage] = spent.get(record.order.stage, Decimal(0)) + record.charged_usd
    return spent


def _billed(records: Sequence[OrderRecord]) -> list[tuple[Order, Decimal]]:
    """List the orders whose cost the provider reported."""
    return [(record.order, record.cost_usd) for record in records if record.cost_usd is not None]


def _counts(records: Sequence[OrderRecord]) -> dict[str, int]:
    return dict(Counter(record.state for record in records))


def _finalists(drafts: Sequence[Candidate], candidates: Sequence[Candidate]) -> str | None:
    chosen = [draft for draft in drafts if draft.is_finalist]
    if not any(draft.choice for draft in drafts):
        return None
    accepted = sum(candidate.is_accepted is True for candidate in candidates)
    finals = sum(candidate.is_final for candidate in candidates)
    verb = "was" if len(chosen) == 1 else "were"
    sentence = f"{len(chosen)} of {count_of(len(drafts), 'draft')} {verb} chosen"
    if not finals:
        return f"{sentence}."
    verb = "was" if accepted == 1 else "were"
    return f"{sentence}; {accepted} of {count_of(finals, 'final')} bought {verb} accepted."
