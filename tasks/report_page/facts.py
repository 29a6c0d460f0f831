"""What a run tells about itself beside its rows: names, times, money, the test's verdict.

Everything but the two names may be missing; what is missing is left out of the page, never shown as 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

Awaiting = Literal["done", "awaiting review", "waiting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmFacts:
    """One arm as the campaign file has it.

    Args:
        prompt: The template, before a row fills it.
        parameters: What this arm orders (model, quality, size, …).
    """

    prompt: str
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What the report says about the run as a whole.

    Args:
        run_id: The run.
        campaign: The campaign's name.
        started_at: When it began, with a time zone.
        finished_at: When its last step ended, with a time zone.
        provider: Where the orders went.
        models: Stage (``draft``, ``final``, ``judge``) to model.
        arms: Name to template and parameters, in the campaign's order.
        spent_usd: Stage to settled dollars, exact. Without it the rows are summed.
        estimate_usd: The plan's high estimate for the whole run, dollars.
        unknown_usd: Charged at estimate because no answer came, dollars.
        all_high_usd: What as many pictures would have cost all at high quality, dollars.
        warnings: Lifecycle and other warnings, one sentence each.
        counts_by_state: Orders by state.
        copies_by_radius: Radius in bits (0-12) to how many drafts would go as copies at it.
        radius_bits: The radius that was used, bits.
        ab_test: The result of the test, or ``None``. Keys, all optional: ``headline``, a sentence;
            ``pairs``, a list of mappings with ``arms`` (two names), ``difference`` (first minus second, mean
            score), ``low``, ``high`` (its 95 % interval), ``probability`` (that a random picture of the first
            beats one of the second), ``verdict``, ``more_pictures_needed``, ``note``; ``arms``, name to a
            mapping with
            ``pictures``, ``duplicate_rate``, ``refusal_rate``, ``failure_rate``, ``mean_score`` and
            ``cost_per_keeper_usd``.
        finalists: One sentence about the finalists.
        min_fidelity: The fidelity below which a final is refused, 0 to 1.
        awaiting: ``done``, ``awaiting review`` (a person must choose) or ``waiting`` (orders are still out).
        campaign_yaml: The campaign file as run.
        versions: Program to version.
    """

    run_id: str
    campaign: str
    started_at: datetime | None = None
    finished_at: datetime | None = None
    provider: str | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    arms: Mapping[str, ArmFacts] = field(default_factory=dict)
    spent_usd: Mapping[str, Decimal] = field(default_factory=dict)
    estimate_usd: Decimal | None = None
    unknown_usd: Decimal | None = None
    all_high_usd: Decimal | None = None
    warnings: Sequence[str] = ()
    counts_by_state: Mapping[str, int] = field(default_factory=dict)
    copies_by_radius: Mapping[int, int] | None = None
    radius_bits: int | None = None
    ab_test: Mapping[str, Any] | None = None
    finalists: str | None = None
    min_fidelity: float | None = None
    awaiting: Awaiting = "done"
    campaign_yaml: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
