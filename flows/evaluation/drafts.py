"""Evaluation of drafts: each function reads the ledger, calls a step and writes the result back.

Steps know neither the ledger nor one another; only this package connects them. Nothing here spends or needs
Prefect, so that a run can be evaluated again at any time.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from flows.evaluation.looks import Looks, kept_looks
from flows.evaluation.panel import merits_of, read_panel, unmet_by_panel
from flows.evaluation.winners import find_winners_of_run
from flows.runs.run import StoredRun
from tasks.ab_test.winners import Winners
from tasks.campaign import Campaign
from tasks.campaign.row_groups import RowGroups, row_groups_of
from tasks.candidate import Candidate, HashName
from tasks.deduplicate import deduplicate
from tasks.duplicates.scope import affected
from tasks.inspect import inspect_pictures
from tasks.judging.conditions import conditions_of, describe_unmet
from tasks.judging.panel import Opinion
from tasks.pictures.transparency import mark_missing_transparency
from tasks.select import Merit, choose_as_decided, keep_bought, select
from tasks.storage.atomic import sync_together
from tasks.storage.home import THUMBNAILS, run_folder


def inspect_new(run: StoredRun, order_ids: Collection[str] | None = None) -> int:
    """Inspect every picture of the run, or of some orders, that is not inspected yet; returns how many."""
    waiting = run.ledger.candidates.uninspected(run.run_id, order_ids)
    if not waiting:
        return 0
    files = [(picture.file, _thumbnail(picture.file)) for picture in waiting]
    seen = dict(inspect_pictures(run.folder, files, anchors_file=run.anchors_file))
    sync_together(run.folder / thumbnail for _, thumbnail in files)  # what is recorded is on disk
    marks = {
        picture.candidate_id: mark
        for picture in waiting
        if (mark := mark_missing_transparency(picture.parameters, seen[picture.file], picture.downgraded))
    }
    run.ledger.candidates.mark_downgraded(marks)  # first: a kill in between only marks them again
    found = {picture.candidate_id: seen[picture.file] for picture in waiting}
    run.ledger.candidates.record_inspections(found)
    return len(found)


def _thumbnail(file: str) -> str:
    path = PurePosixPath(file)
    return f"{THUMBNAILS}/{path.parent.name}-{path.stem}.webp"


def deduplicate_drafts(
    run: StoredRun, about: Collection[str] | None = None, *, keeps_looks: bool = False
) -> int:
    """Find the duplicates among the drafts; returns how many.

    A person's decision about a pair, or choice of a finalist, overrides the rule.

    Args:
        run: The run.
        about: Only drafts that a decision about these may concern; by default all.
        keeps_looks: This process goes on evaluating the run: its looks are kept, and are not made anew.
    """
    drafts = in_scope_of_origin(run.read_candidates("draft"))
    decisions = run.ledger.duplicate_decisions.of_run(run.run_id)
    if about is not None:
        drafts = affected(drafts, run.campaign.deduplicate.within, decisions, about)
    shortlist = run.ledger.shortlists.last(run.run_id)
    chosen = shortlist.candidate_ids if shortlist else ()
    liked = [replace(draft, is_liked=True) if draft.candidate_id in chosen else draft for draft in drafts]
    earlier = earlier_drafts(run)
    seen = kept_looks(run.folder) if keeps_looks else Looks({})
    for folder, some in {run.folder: drafts, **earlier}.items():
        seen.add(folder, some)
    before = [draft for some in earlier.values() for draft in some]
    standings = deduplicate(liked, run.campaign.deduplicate, before, decisions, seen.compare)
    if not keeps_looks:
        seen.forget()
    run.ledger.candidates.record_standings(standings)
    return sum(standing.status == "duplicate" for standing in standings.values())


def in_scope_of_origin(drafts: Sequence[Candidate]) -> list[Candidate]:
    """Give drafts of further rounds the prompt of the campaign's draft that they grew from.

    Duplicates are looked for among drafts of one prompt; one that is made with other words of a picture may
    still come out the same.
    """
    by_id = {draft.candidate_id: draft for draft in drafts}

    def origin(draft: Candidate) -> Candidate:
        while draft.is_further_draft and (grown_from := by_id.get(str(draft.draft_id))) is not None:
            draft = grown_from
        return draft

    return [
        replace(draft, prompt=origin(draft).prompt) if draft.is_further_draft else draft for draft in drafts
    ]


def earlier_drafts(run: StoredRun) -> dict[Path, list[Candidate]]:
    """List the unique images of the campaign's earlier runs, against which duplicates are looked for.

    Returns:
        Them by the folder of their run, the latest run first.
    """
    wanted = run.campaign.deduplicate.history_runs
    if not wanted:
        return {}
    earlier = [
        other
        for other in run.ledger.runs.all()
        if other.campaign == run.campaign.name and other.run_id != run.run_id
    ]
    return {
        run_folder(run.home, other.campaign, other.run_id): [
            draft for draft in run.ledger.candidates.of_run(other.run_id, "draft") if draft.is_survivor
        ]
        for other in earlier[:wanted]
    }


@dataclass(frozen=True, slots=True)
class SelectionRule:
    """The campaign's rule for finalists, with the hash and radius by which duplicates are found."""

    count: int | None
    max_per_arm: int | None
    max_per_prompt: int | None
    min_score: float | None
    radius_bits: int | None
    hash: HashName
    allow_similar: bool
    row_groups: tuple[RowGroups, ...]
    unmet: Mapping[str, str]
    winners: Winners | None = None
    merits: Mapping[str, Merit] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        campaign: Campaign,
        drafts: Sequence[Candidate],
        winners: Winners | None = None,
        opinions: Mapping[str, Opinion] = MappingProxyType({}),
    ) -> "SelectionRule":
        """Take the rule from a campaign, with what it makes a condition of these drafts.

        Args:
            campaign: The campaign.
            drafts: The run's drafts.
            winners: The arms that won, if finalists are of these.
            opinions: What its panel says of the best ones, by candidate id.
        """
        finalists, duplicates = campaign.finalists, campaign.deduplicate
        return cls(
            count=finalists.most,
            max_per_arm=finalists.max_per_arm,
            max_per_prompt=finalists.max_per_prompt,
            min_score=finalists.min_score,
            radius_bits=duplicates.radius_bits,
            hash=duplicates.hash,
            allow_similar=finalists.allow_similar,
            row_groups=row_groups_of(campaign),
            unmet={
                draft.candidate_id: reason
                for draft in drafts
                if (reason := _why_not_by_rule(campaign, draft))
            }
            | unmet_by_panel(campaign, drafts, opinions),
            winners=winners,
            merits=merits_of(campaign, drafts, opinions),
        )


def _why_not_by_rule(campaign: Campaign, draft: Candidate) -> str:
    """Say why the rule may not choose a draft; empty if it may."""
    if draft.is_further_draft:
        return f"of further round {draft.further_round}: a person chooses among these"
    return describe_unmet(conditions_of(campaign, draft)) or ""


def select_finalists(run: StoredRun, *, keeps_bought: bool = False) -> int:
    """Choose the finalists by the campaign's rule, or as a person chose them; returns how many.

    Args:
        run: The run.
        keeps_bought: Keep drafts for which a final was ordered, unless a person chose.
    """
    drafts = run.read_candidates("draft")
    winners, opinions = find_winners_of_run(run), read_panel(run, drafts)
    rule = SelectionRule.of(run.campaign, drafts, winners, opinions)
    choices = select(drafts, rule)
    if shortlist := run.ledger.shortlists.last(run.run_id):
        choices = choose_as_decided(choices, shortlist)
    elif keeps_bought:
        choices = keep_bought(choices, drafts, _promoted(run), rule)
    run.ledger.candidates.record_choices(choices)
    return sum(choice.is_finalist for choice in choices.values())


def _promoted(run: StoredRun) -> set[str]:
    """Return the ids of the drafts for which a final was sent, whatever its result."""
    records = run.ledger.orders.of_run(run.run_id, "sent", "received", "refused", "failed", "unknown")
    return {str(record.order.draft_id) for record in records if record.order.is_final}
