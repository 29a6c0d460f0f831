"""Which factors matter in a run: to its scores, and to dollars, refusals and duplicates."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from statistics import fmean
from typing import Any, NamedTuple

from flows.evaluation.scored_drafts import name_scorers, scored_drafts
from tasks.ab_test.effect_sentences import NEGLIGIBLE, state_effects
from tasks.ab_test.effects import Cell, estimate_effects
from tasks.ab_test.evidence import ScoredDraft, compared_form, gather_evidence
from tasks.campaign import Campaign
from tasks.campaign.rounds import RoundDecision
from tasks.candidate import Candidate
from tasks.money import format_usd
from tasks.orders.missing_scores import partly_scored, scorers_that_count

Values = Mapping[tuple[str, int], Sequence[float]]
"""What is measured, by arm and row."""


class _Measure(NamedTuple):
    """How a sentence about it begins, and how a difference is written, in which steps."""

    by: str
    show: Callable[[float], str]
    step: float = 0.01
    is_money: bool = False


def compare_factors(
    rows: Sequence[Mapping[str, Any]],
    candidates: Sequence[Candidate],
    campaign: Campaign,
    decided: Sequence[RoundDecision] = (),
) -> dict[str, Any] | None:
    """Estimate what each factor's levels change; ``None`` without factors, or before there are pictures.

    Only pictures that every arm was to have count: those of before the first round that dropped arms.

    Args:
        rows: The report's rows.
        candidates: The run's pictures.
        campaign: The campaign.
        decided: The run's decided rounds, in order.

    Returns:
        ``headline``, the sentence about the total score, and ``measures``: for ``total``, each scorer that
        counts, ``dollars`` a picture, ``refusals`` and ``duplicates``, its ``headline``, the largest
        difference that is ``negligible``, and its ``effects``. A measure that does not vary is left out.
    """
    levels = campaign.levels_by_arm
    if campaign.factors is None or not levels:
        return None
    most = min((one.next_first_replicate for one in decided), default=None)
    pictures = [one for one in candidates if one.is_campaign_draft]
    weights = campaign.score.weights
    counted = scorers_that_count(pictures, weights)
    by_scores = {"total": weights} | {name: {name: 1.0} for name in counted if len(counted) > 1}
    measures: dict[str, dict[str, Any]] = {}
    named = campaign.levels_by_factor

    def add(name: str, values: Values, measure: _Measure) -> None:
        cells = [Cell(levels[arm], row, fmean(each)) for (arm, row), each in values.items() if arm in levels]
        found = [one.value for one in cells]
        if not found or max(found) == min(found):
            return
        negligible = fmean(found) * NEGLIGIBLE if measure.is_money else NEGLIGIBLE
        effects = estimate_effects(cells, named, is_exact=measure.is_money)
        if effects:
            headline = state_effects(effects, measure.by, measure.show, negligible, measure.step)
            measures[name] = {
                "headline": headline,
                "negligible": negligible,
                "effects": [one.as_dict() for one in effects],
            }

    drafts: list[ScoredDraft] = []
    for name, of_scores in by_scores.items():
        drafts = scored_drafts(rows, partly_scored(pictures, of_scores), of_scores)
        drafts = [one for one in drafts if most is None or one.replicate < most]
        by = name_scorers(scorers_that_count(pictures, of_scores)) or "by no score"
        add(name, _scores(drafts), _Measure(by, "{:.2f}".format))
    add("dollars", _dollars(drafts), _Measure("in dollars a picture", _usd, 0.0001, is_money=True))
    add("refusals", _refusals(drafts), _Measure("in refusals", "{:.0%}".format))
    add("duplicates", _duplicates(drafts), _Measure("in duplicates", "{:.0%}".format))
    if not measures:
        return None
    total = measures.get("total")
    headline = total["headline"] if total else "Not enough scores to say which factor matters."
    return {"headline": headline, "measures": measures}


def _scores(drafts: Sequence[ScoredDraft]) -> Values:
    found = defaultdict(list)
    for one in gather_evidence(drafts, compared_form(drafts)):
        found[one.arm, one.row].append(one.score)
    return found


def _dollars(drafts: Sequence[ScoredDraft]) -> Values:
    """List what pictures cost; a cost that is unknown is not there."""
    found = defaultdict(list)
    for one in drafts:
        if one.candidate_id is not None and one.cost_usd is not None:
            found[one.arm, one.row].append(float(one.cost_usd))
    return found


def _refusals(drafts: Sequence[ScoredDraft]) -> Values:
    """List, for each order that was answered, whether it was refused."""
    found = defaultdict(list)
    orders = {one.order_id: one for one in drafts if one.state in ("received", "refused", "failed")}
    for one in orders.values():
        found[one.arm, one.row].append(float(one.state == "refused"))
    return found


def _duplicates(drafts: Sequence[ScoredDraft]) -> Values:
    """List, for each picture that was compared with others, whether it is a duplicate."""
    found = defaultdict(list)
    for one in drafts:
        if one.status in ("survivor", "duplicate"):
            found[one.arm, one.row].append(float(one.status == "duplicate"))
    return found


def _usd(value: float) -> str:
    return format_usd(Decimal(str(value)))
