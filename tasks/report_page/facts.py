"""The facts of a run that are not in its report rows: names, times, money, the test's verdict.

Everything except the two names may be missing; missing facts are left out of the page, never shown as 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

Awaiting = Literal["done", "awaiting review", "waiting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmFacts:
    """One arm as in the campaign file.

    Args:
        prompt: The template, before a row fills it.
        parameters: What this arm orders (model, quality, size, …).
        provider: Where it is bought, in a run at several providers; else empty.
    """

    prompt: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    provider: str = ""


@dataclass(frozen=True, slots=True)
class EstimateError:
    """One stage's estimate and its bill.

    Args:
        orders: Orders whose cost is known; only these are counted.
        low_usd: Low end of their estimates; ``None`` if the catalogue no longer has a price for one of them.
        high_usd: High end: what was reserved for them.
        billed_usd: What they cost.
    """

    orders: int
    low_usd: Decimal | None
    high_usd: Decimal
    billed_usd: Decimal

    @property
    def low_error_percent(self) -> float | None:
        """How far the low end lies above the bill, percent of the bill; negative below it."""
        return None if self.low_usd is None else self._error_percent(self.low_usd)

    @property
    def high_error_percent(self) -> float | None:
        """How far the high end lies above the bill, percent of the bill; negative below it."""
        return self._error_percent(self.high_usd)

    def _error_percent(self, estimate_usd: Decimal) -> float | None:
        if not self.billed_usd:
            return None
        return round(float((estimate_usd - self.billed_usd) / self.billed_usd * 100), 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """The facts about the run as a whole.

    Args:
        run_id: The run.
        campaign: The campaign's name.
        started_at: When it began, with a time zone.
        finished_at: When its last step ended, with a time zone.
        provider: Where the orders were sent.
        models: Stage (``draft``, ``final``, ``judge``) to model.
        arms: Name to template and parameters, in the campaign's order.
        factors: The names of each factor's levels, its baseline first; empty without factors.
        added_from: The first replicate of each round that added arms, from 0, in order.
        spent_usd: Stage to the amount charged to the budget, exact dollars: known costs, and estimates where
            a cost is unknown. Without it the rows are summed.
        estimate_usd: The plan's high estimate for the whole run, dollars.
        estimate_errors: Stage to its estimate against its bill, over the orders with a known cost only;
            stages without one are left out.
        unknown_usd: The part of ``spent_usd`` that is estimates, dollars.
        all_high_usd: The cost of the same number of pictures, all at high quality, dollars.
        finals_usd: The least that finals cost that are still to be bought, dollars; ``None`` if there are no
            finals, bought or to be bought, or if that is unknown.
        warnings: Lifecycle and other warnings, one sentence each.
        counts_by_state: Orders by state.
        copies_by_radius: Radius in bits (0-12) to the number of drafts that would be duplicates.
        radius_bits: The radius that was used, bits.
        ab_test: The result of the test, or ``None``. Keys, all optional: ``headline``, a sentence;
            ``pairs``, a list of mappings with ``arms`` (two names), ``difference`` (first minus second, mean
            score), ``low``, ``high`` (its 95 % interval), ``probability`` (that a random picture of the first
            beats one of the second), ``verdict``, ``more_rows_needed``, ``more_pictures_needed``, ``rows``,
            ``unseen_share``, ``note``; ``arms``, name to a mapping with ``pictures``, ``duplicate_rate``,
            ``refusal_rate``, ``failure_rate``, ``mean_score`` and ``cost_per_unique_image_usd``;
            ``nights``, as ``tasks.ab_test.night_verdicts.NightsTest.as_dict`` gives it, or ``None``;
            ``people``, the verdict by votes, or ``None``: ``headline``,
            ``note``, ``is_enough`` (whether it comes first), ``pairs`` and ``segments``;
            ``scores_headline``, the verdict by scores; ``segments``, mappings with ``variable``, ``value``,
            ``arms``, ``rows``, ``difference``, ``low``, ``high``, ``shrunk`` and ``winner``.
        rounds: The rounds in which drafts were made, if there were several: mappings with ``number``,
            ``arms`` and ``replicates`` (how many; the maximum before it begins), ``is_last``,
            ``levels_dropped``, the levels of factors of which no arm goes on, and
            ``standings``, empty while it is not decided: mappings with ``arm``, ``lead``, ``mean_score``,
            ``pictures``, ``goes_on`` and ``chance`` (that it would lead in the end), the best first.
        further_rounds: The rounds that people asked for from one picture: mappings with ``number``, ``what``,
            ``candidate_id`` (of that picture), ``asked_by``, ``asked_at``, ``estimate_usd`` (what was agreed
            to), ``spent_usd``, ``orders`` and ``pictures``.
        calibration: How well scorers agree with people's votes, as
            ``tasks.pairwise.calibration.Calibration.as_dict`` gives it; ``None`` if nobody voted.
        finalists: One sentence about the finalists.
        without_finalist: Why a row, or another group that ``finalists`` limits, has none, by its name.
        statements: The judge's statements by arm, worst first: mappings with ``template``, ``must``,
            ``differing`` (pairs of arms, the worse first) and ``arms``, name to a mapping with ``answered``,
            ``true``, ``share``, ``low``, ``high`` and ``failing`` (candidate ids).
        statement_sentences: In which statements arms differ, a sentence each.
        statement_answers: The answers, one for each picture and statement, with the columns of
            ``statements.parquet``.
        judge_check: The judge's answers against people's, as ``tasks.judging.judge_check.JudgeCheck.as_dict``
            gives it; ``None`` if nobody answered.
        people_answers: What people answered, with the columns of ``people_answers.parquet``.
        made_from: The references and the mask that a finalist was made from, by its candidate id: what each
            is, and its ``src``, ``None`` if it is not on this machine.
        people: What people said: ``voters`` (name to votes), ``votes``, ``both_bad``, ``skipped``,
            ``agreement`` and ``agreement_on_stars`` (as ``PeopleAgreement.as_dict`` gives them), ``labels``
            (label to arm to pictures) and ``comments``; ``None`` if nobody said anything.
        remarks: What people say about pictures, with the columns of ``remarks.parquet``.
        votes: People's votes, with the columns of ``votes.parquet``.
        min_fidelity: The fidelity below which a final is not accepted, 0 to 1.
        awaiting: ``done``, ``awaiting review`` (a person must choose) or ``waiting`` (requests are pending).
        campaign_yaml: The campaign file as it was run.
        versions: Program to version.
    """

    run_id: str
    campaign: str
    started_at: datetime | None = None
    finished_at: datetime | None = None
    provider: str | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    arms: Mapping[str, ArmFacts] = field(default_factory=dict)
    factors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    added_from: Sequence[int] = ()
    spent_usd: Mapping[str, Decimal] = field(default_factory=dict)
    estimate_usd: Decimal | None = None
    estimate_errors: Mapping[str, EstimateError] = field(default_factory=dict)
    unknown_usd: Decimal | None = None
    all_high_usd: Decimal | None = None
    finals_usd: Decimal | None = Decimal(0)
    warnings: Sequence[str] = ()
    counts_by_state: Mapping[str, int] = field(default_factory=dict)
    copies_by_radius: Mapping[int, int] | None = None
    radius_bits: int | None = None
    ab_test: Mapping[str, Any] | None = None
    rounds: Sequence[Mapping[str, Any]] = ()
    further_rounds: Sequence[Mapping[str, Any]] = ()
    calibration: Mapping[str, Any] | None = None
    finalists: str | None = None
    without_finalist: Mapping[str, str] = field(default_factory=dict)
    statements: Sequence[Mapping[str, Any]] = ()
    statement_sentences: Sequence[str] = ()
    statement_answers: Sequence[Mapping[str, Any]] = ()
    judge_check: Mapping[str, Any] | None = None
    people_answers: Sequence[Mapping[str, Any]] = ()
    made_from: Mapping[str, Sequence[tuple[str, str | None]]] = field(default_factory=dict)
    people: Mapping[str, Any] | None = None
    remarks: Sequence[Mapping[str, Any]] = ()
    votes: Sequence[Mapping[str, Any]] = ()
    min_fidelity: float | None = None
    awaiting: Awaiting = "done"
    campaign_yaml: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
