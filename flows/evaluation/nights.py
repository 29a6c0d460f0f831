"""The nights of a campaign: its runs, as far as they can be compared with the last one.

Arms are the same if what is ordered for them is, whatever they are called in the file; rows, if their
variables have the same values. Scores count if they are by the same versions of the same scorers, weighted as
in the last run: a change of scorer must not pass for a change of pictures.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import cached_property
from typing import Any

from flows.evaluation.scored_drafts import scored_drafts
from flows.evaluation.verdict import held_out
from flows.runs.run import StoredRun
from tasks.ab_test.evidence import compared_form, gather_evidence
from tasks.ab_test.night_verdicts import Night, NightsTest, Retirement, compare_nights
from tasks.campaign import Campaign
from tasks.candidate import Candidate
from tasks.errors import RunoffError
from tasks.ledger import Ledger, RunRecord
from tasks.ledger.report_rows import report_rows
from tasks.orders.missing_scores import partly_scored
from tasks.settings import Settings

MOST_NIGHTS = 60
MOST_PICTURES = 30_000
"""Earlier nights are not read: a report is written in seconds, and 4,000 pictures take one."""
NOT_OF_THE_ORDER = frozenset(["per_prompt", "images_per_request", "allocation", "lane", "successor"])
"""Settings of drafts that say how many and how they are bought, and not what is ordered."""

Scorings = frozenset[tuple[str, str]]


def compare_nights_of_run(run: StoredRun) -> NightsTest | None:
    """Compare a run's arms over all nights up to that run; ``None`` if it is the first, or has one arm.

    Raises:
        RunError: The run's campaign file is missing.
    """
    earlier = _earlier(run.ledger, run.record)
    return _compare(run.settings, run.ledger, run.campaign, [*earlier, run.record], run)


def compare_nights_of_campaign(settings: Settings, ledger: Ledger, campaign: Campaign) -> NightsTest | None:
    """Compare a campaign's arms over all its runs so far; ``None`` if there are fewer than two.

    Args:
        settings: The home and the environment.
        ledger: Its ledger.
        campaign: The campaign as it is now.
    """
    runs = [run for run in ledger.runs.all() if run.campaign == campaign.name and _has_ended(run)]
    return _compare(settings, ledger, campaign, list(reversed(runs)), None)


def read_nights(settings: Settings, ledger: Ledger, campaign: Campaign) -> list[Night]:
    """Read what a campaign's runs scored so far, oldest first, as far as they can be compared with the last.

    Args:
        settings: The home and the environment.
        ledger: Its ledger.
        campaign: The campaign as it is now.
    """
    runs = [run for run in ledger.runs.all() if run.campaign == campaign.name and _has_ended(run)]
    nights, _ = _gather(settings, ledger, campaign, list(reversed(runs)), None)
    return nights


def with_retired(campaign: Campaign) -> Campaign:
    """Return a campaign with the arms that it was made without."""
    out = {name: one.arm for name, one in campaign.verdict.retired.items()}
    return campaign.model_copy(update={"arms": {**campaign.arms, **out}}) if out else campaign


def arms_by_content(campaign: Campaign) -> dict[str, str]:
    """Return for each arm what is ordered for it, as text that two campaigns can be compared by."""
    return {name: _content_of(campaign, name) for name in campaign.arms}


def _content_of(campaign: Campaign, name: str) -> str:
    mask = campaign.mask_of(name)
    content = {
        "prompt": campaign.arms[name].prompt,
        "drafts": campaign.drafts_of(name).model_dump(mode="json", exclude=set(NOT_OF_THE_ORDER)),
        "references": list(campaign.references_of(name)),
        "mask": mask if mask is None or isinstance(mask, str) else mask.model_dump(mode="json"),
    }
    return json.dumps(content, sort_keys=True)


def _has_ended(run: RunRecord) -> bool:
    return run.state not in ("running", "waiting")


def _earlier(ledger: Ledger, record: RunRecord) -> list[RunRecord]:
    """List the runs of the same campaign begun before a run, oldest first."""
    runs = [run for run in ledger.runs.all() if run.campaign == record.campaign]
    places = [place for place, run in enumerate(runs) if run.run_id == record.run_id]
    return [run for run in reversed(runs[places[0] + 1 :]) if _has_ended(run)] if places else []


def _compare(
    settings: Settings,
    ledger: Ledger,
    campaign: Campaign,
    records: Sequence[RunRecord],
    last: StoredRun | None,
) -> NightsTest | None:
    if len(with_retired(campaign).arms) < 2 or len(records) < 2:
        return None
    nights, left_out = _gather(settings, ledger, campaign, records, last)
    return compare_nights(nights, left_out, _retirement_of(campaign)) if nights else None


def _retirement_of(campaign: Campaign) -> Retirement:
    verdict = campaign.verdict
    may_retire = campaign.arms.keys() - set(verdict.keep) if verdict.retire_when == "beaten" else ()
    return Retirement({name: one.why for name, one in verdict.retired.items()}, frozenset(may_retire))


def _gather(
    settings: Settings,
    ledger: Ledger,
    campaign: Campaign,
    records: Sequence[RunRecord],
    last: StoredRun | None,
) -> tuple[list[Night], int]:
    """Read the runs that can be compared with the last one that has scores, and count the others."""
    scoring: Scorings | None = None
    kept: list[Night] = []
    n_read = n_pictures = 0
    for record in reversed(records[-MOST_NIGHTS:]):
        if n_pictures > MOST_PICTURES:
            break
        is_last = last is not None and record.run_id == last.run_id
        run = _Scored(last if is_last and last else StoredRun(settings, ledger, record), campaign)
        n_read, n_pictures = n_read + 1, n_pictures + len(run.candidates)
        if run.is_comparable and scoring in (None, run.scorings):
            scoring = run.scorings
            kept.append(run.night())
    kept.reverse()
    return kept, n_read - len(kept)


@dataclass(frozen=True)
class _Scored:
    """A run's pictures, scored as a campaign weighs them."""

    run: StoredRun
    campaign: Campaign

    @cached_property
    def arms(self) -> dict[str, str]:
        """Arms of this run that the campaign has too: their name here to their name there."""
        try:
            here = arms_by_content(self.run.campaign)
        except RunoffError:
            return {}
        race = with_retired(self.campaign)
        there = {content: name for name, content in arms_by_content(race).items()}
        return {name: there[content] for name, content in here.items() if content in there}

    @cached_property
    def candidates(self) -> list[Candidate]:
        """Its drafts that were scored; not those of further and of added rounds, which few arms have."""
        drafts = self.run.read_candidates("draft")
        return [
            one
            for one in drafts
            if one.arm in self.arms
            and one.is_campaign_draft
            and not self.run.campaign.added_round_of(one.replicate)
        ]

    @cached_property
    def scorings(self) -> Scorings:
        """The scorers that count, each with its version, as far as they gave a value."""
        counted = {name for name, weight in self.campaign.score.weights.items() if weight}
        return frozenset(
            (name, score.version)
            for one in self.candidates
            for name, score in one.scores.items()
            if name in counted and score.value is not None
        )

    @property
    def is_comparable(self) -> bool:
        """Whether two of its arms are the campaign's, or one where others retired, and they have scores."""
        fewest = 1 if self.campaign.verdict.retired else 2
        return len(self.arms) >= fewest and bool(self.scorings)

    def night(self) -> Night:
        """Gather what is compared of it."""
        weights, record = self.campaign.score.weights, self.run.record
        orders = self.run.ledger.orders.of_run(record.run_id)
        rows = [row for row in report_rows(record.run_id, orders, self.candidates) if row["arm"] in self.arms]
        drafts = scored_drafts(rows, partly_scored(self.candidates, weights), weights)
        fresh, form = held_out(self.run.ledger.rounds.of_run(record.run_id)), compared_form(drafts)
        drafts = [draft for draft in drafts if fresh is None or fresh.holds(draft)]
        contents = name_rows(self.run.campaign.all_rows)
        scores: dict[str, dict[str, list[float]]] = {name: {} for name in self.arms.values()}
        for piece in gather_evidence(drafts, form):
            scores[self.arms[piece.arm]].setdefault(contents[piece.row], []).append(piece.score)
        return Night(record.run_id, record.started_at.astimezone(UTC).date(), record.provider, scores)


def name_rows(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Name rows by their variables, so that they are found again in another run; equal ones are counted."""
    seen: dict[str, int] = defaultdict(int)
    names = []
    for row in rows:
        content = json.dumps(dict(row), sort_keys=True, ensure_ascii=False)
        seen[content] += 1
        names.append(f"{content} {seen[content]}")
    return names
