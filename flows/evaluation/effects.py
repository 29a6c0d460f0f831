"""Which factors matter in a run: to scores, people's votes, dollars, seconds, refusals and duplicates."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import combinations
from statistics import fmean
from typing import Any, NamedTuple

from flows.evaluation.scored_drafts import name_scorers, scored_drafts, split_by_round, votes_of_rounds
from tasks.ab_test.best_combination import BestCombination, find_best
from tasks.ab_test.effect_sentences import NEGLIGIBLE, state_best, state_effects
from tasks.ab_test.effects import Effect, effects_of, estimate_effects
from tasks.ab_test.evidence import ScoredDraft, compared_form, gather_evidence
from tasks.ab_test.factor_model import Cell, fit_factors
from tasks.ab_test.vote_effects import estimate_vote_effects
from tasks.campaign import Campaign
from tasks.campaign.designs import state_confounding
from tasks.campaign.rounds import RoundDecision
from tasks.candidate import Candidate
from tasks.money import format_usd
from tasks.orders.missing_scores import partly_scored, scorers_that_count
from tasks.pairwise.votes import Vote
from tasks.report_page.rows import is_campaign_draft

Values = Mapping[tuple[str, int, int], Sequence[float]]
"""What is measured, by arm, row, and the added round; 0 for the campaign's own."""
NEGLIGIBLE_VOTES = 0.05
"""A level that wins between 45 and 55 % of votes does not matter."""


class _Measure(NamedTuple):
    """How a sentence about it begins, and how a difference is written, in which steps."""

    by: str
    show: Callable[[float], str]
    step: float = 0.01
    is_money: bool = False
    is_share_of_mean: bool = False


_VOTES = _Measure("by people's votes", "{:.0%}".format)
_DOLLARS = _Measure(
    "in dollars a picture", lambda value: _usd(value), 0.0001, is_money=True, is_share_of_mean=True
)
_SECONDS = _Measure("in seconds a request", "{:.1f} s".format, 0.1, is_share_of_mean=True)
_REFUSALS = _Measure("in refusals", "{:.0%}".format)
_DUPLICATES = _Measure("in duplicates", "{:.0%}".format)


class _Run(NamedTuple):
    """A run's levels, by arm and in order, and what was found by measure."""

    levels: Mapping[str, Mapping[str, str]]
    named: Mapping[str, Sequence[str]]
    measures: dict[str, dict[str, Any]]

    def cells(self, values: Values) -> list[Cell]:
        """Turn what was measured into the model's cells."""
        return [
            Cell(self.levels[arm], row, mean, len(each), sum((value - mean) ** 2 for value in each), number)
            for (arm, row, number), each in values.items()
            if arm in self.levels
            for mean in (fmean(each),)
        ]

    def add(self, name: str, values: Values, measure: _Measure) -> None:
        """Estimate the effects on a measure, unless it is the same everywhere."""
        cells = self.cells(values)
        found = [one.value for one in cells]
        if found and max(found) > min(found):
            negligible = abs(fmean(found)) * NEGLIGIBLE if measure.is_share_of_mean else NEGLIGIBLE
            effects = estimate_effects(cells, self.named, is_exact=measure.is_money)
            self.note(name, effects, measure, negligible)

    def note(self, name: str, effects: Sequence[Effect], measure: _Measure, negligible: float) -> None:
        """Keep what was found, with its sentence."""
        if effects:
            self.measures[name] = {
                "headline": state_effects(effects, measure.by, measure.show, negligible, measure.step),
                "negligible": negligible,
                "effects": [one.as_dict() for one in effects],
            }


def compare_factors(
    rows: Sequence[Mapping[str, Any]],
    candidates: Sequence[Candidate],
    campaign: Campaign,
    decided: Sequence[RoundDecision] = (),
    votes: Sequence[Vote] = (),
) -> dict[str, Any] | None:
    """Estimate what each factor's levels change; ``None`` without factors, or before there are pictures.

    Only pictures that every arm was to have count: those of before the first round that dropped arms, and of
    rounds that added arms, each of which is a block. For the best combination all count.

    Args:
        rows: The report's rows.
        candidates: The run's pictures.
        campaign: The campaign.
        decided: The run's decided rounds, in order.
        votes: People's votes.

    Returns:
        ``headline``, the sentence about the total score; ``note``, what the design cannot tell, or ``None``;
        ``measures``: for ``total``, each scorer that counts, ``people``, ``dollars`` a picture, ``seconds`` a
        request, ``refusals`` and ``duplicates``, its ``headline``, the largest difference that is
        ``negligible``, and its ``effects``; ``best``, the best combination by the total score, or ``None``;
        and ``pair_means``, the mean score of every two levels. A measure that does not vary, or that nobody
        measured, is left out.
    """
    levels = campaign.levels_by_arm
    if campaign.factors is None or not levels:
        return None
    most = min((one.next_first_replicate for one in decided), default=None)
    pictures = [one for one in candidates if one.is_campaign_draft]
    run = _Run(levels, campaign.levels_by_factor, {})
    weights = campaign.score.weights
    counted = scorers_that_count(pictures, weights)
    by_scores = {"total": weights} | {name: {name: 1.0} for name in counted if len(counted) > 1}
    drafts: list[ScoredDraft] = []
    predicted: dict[str, Any] = {"best": None, "pair_means": []}
    for name, of_scores in by_scores.items():
        every = scored_drafts(rows, partly_scored(pictures, of_scores), of_scores)
        drafts = [
            one
            for one in every
            if most is None or one.replicate < most or campaign.added_round_of(one.replicate)
        ]
        by = name_scorers(scorers_that_count(pictures, of_scores)) or "by no score"
        scores = _scores(drafts, campaign)
        run.add(name, scores, _Measure(by, "{:.2f}".format))
        if name == "total" and name in run.measures:
            predicted = _predicted(run, run.cells(scores), run.cells(_scores(every, campaign)))
    by_people = estimate_vote_effects(votes_of_rounds(votes, pictures, campaign), levels, run.named)
    run.note("people", by_people, _VOTES, NEGLIGIBLE_VOTES)
    run.add("dollars", _dollars(drafts, campaign), _DOLLARS)
    run.add("seconds", _seconds(rows, most, campaign), _SECONDS)
    run.add("refusals", _refusals(drafts, campaign), _REFUSALS)
    run.add("duplicates", _duplicates(drafts, campaign), _DUPLICATES)
    if not run.measures:
        return None
    total = run.measures.get("total")
    headline = total["headline"] if total else "Not enough scores to say which factor matters."
    note = state_confounding(list(levels.values()), run.named) or None
    return {"headline": headline, "note": note, "measures": run.measures} | predicted


def _predicted(run: _Run, cells: Sequence[Cell], all_cells: Sequence[Cell]) -> dict[str, Any]:
    """Describe the best combination by all cells, and the mean score of every two levels."""
    model = fit_factors(cells, run.named)
    if model is None:
        return {"best": None, "pair_means": []}
    is_told = any(one.matters for one in effects_of(model))
    best = find_best(all_cells, run.named, list(run.levels.values()), is_told=is_told)
    pairs = [pair for pair in combinations(model.levels, 2) if pair in model.terms]
    means = [
        {
            "factors": list(pair),
            "levels": [list(model.levels[factor]) for factor in pair],
            "means": model.pair_means(*pair),
        }
        for pair in pairs
    ]
    return {"best": best and _describe(best, run.levels), "pair_means": means}


def _describe(best: BestCombination, levels: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    arm = next((name for name, each in levels.items() if each == best.levels), None)
    return best.as_dict() | {"arm": arm, "headline": state_best(best)}


def _scores(drafts: Sequence[ScoredDraft], campaign: Campaign) -> Values:
    found, form = defaultdict(list), compared_form(drafts)
    for number, own in split_by_round(drafts, campaign).items():
        for one in gather_evidence(own, form):
            found[one.arm, one.row, number].append(one.score)
    return found


def _dollars(drafts: Sequence[ScoredDraft], campaign: Campaign) -> Values:
    """List what pictures cost; a cost that is unknown is not there."""
    found = defaultdict(list)
    for one in drafts:
        if one.candidate_id is not None and one.cost_usd is not None:
            found[_place(one, campaign)].append(float(one.cost_usd))
    return found


def _seconds(rows: Sequence[Mapping[str, Any]], most: int | None, campaign: Campaign) -> Values:
    """List how long each draft's request took; what was not measured is not there."""
    found = defaultdict(list)
    drafts = [row for row in rows if is_campaign_draft(row) and row["latency_s"] is not None]
    for row in {row["order_id"]: row for row in drafts}.values():
        number = campaign.added_round_of(row["replicate"])
        if row["state"] == "received" and (most is None or row["replicate"] < most or number):
            found[row["arm"], row["row"], number].append(float(row["latency_s"]))
    return found


def _refusals(drafts: Sequence[ScoredDraft], campaign: Campaign) -> Values:
    """List, for each order that was answered, whether it was refused."""
    found = defaultdict(list)
    orders = {one.order_id: one for one in drafts if one.state in ("received", "refused", "failed")}
    for one in orders.values():
        found[_place(one, campaign)].append(float(one.state == "refused"))
    return found


def _duplicates(drafts: Sequence[ScoredDraft], campaign: Campaign) -> Values:
    """List, for each picture that was compared with others, whether it is a duplicate."""
    found = defaultdict(list)
    for one in drafts:
        if one.status in ("survivor", "duplicate"):
            found[_place(one, campaign)].append(float(one.status == "duplicate"))
    return found


def _place(draft: ScoredDraft, campaign: Campaign) -> tuple[str, int, int]:
    return draft.arm, draft.row, campaign.added_round_of(draft.replicate)


def _usd(value: float) -> str:
    return format_usd(Decimal(str(value)))
