"""A panel looks at the best pictures, orders finalists, and changes no total."""

from typing import Any

import pytest

from flows.evaluation.drafts import SelectionRule
from flows.evaluation.panel import best_pictures, merits_of, most_disputed, panel_columns
from tasks.campaign import Campaign
from tasks.candidate import Candidate, Score
from tasks.catalogue.estimates import Estimates
from tasks.judging.panel import Opinion
from tasks.judging.rubric import measurement_of
from tasks.orders.judging_plan import plan_judging
from tasks.select import select
from tests.support.draft_builders import a_draft
from tests.support.planning import CATALOGUE, PROVIDERS, campaign

RUBRIC = [{"statement": "It shows an otter", "must": True}, "The light is good"]


def with_panel(finalists: dict[str, Any] | None = None, **score: Any) -> Campaign:
    """Make a campaign with a panel."""
    panel = {"judges": [{"model": "gpt-6-luna", "provider": "cometapi"}], "best": 3}
    asked = {"weights": {"technical": 1, "judge": 1}, "judge": {"rubric": RUBRIC}, "panel": panel}
    return campaign(
        score=asked | score,
        finalists=finalists or {"count": 2},
        variables={"place": ["kelp", "ice"]},
    )


def judged(name: str, value: float | None, row: int = 0, *, has_otter: bool = True) -> Candidate:
    """Make a unique image with a judge's score; the technical score is always 0.5."""
    answers = {measurement_of(1): float(has_otter), measurement_of(2): 1.0} if value is not None else {}
    total = 0.5 if value is None else (0.5 + value) / 2
    scores = {"technical": Score(0.5, ""), "judge": Score(value, "", answers)}
    return a_draft(name, row=row, score=total, scores=scores, sha256=f"bytes of {name}")


def test_the_best_that_meet_every_condition_are_looked_at_and_rows_take_turns() -> None:
    """Nobody pays a panel for what is never chosen, nor leaves a row out that needs a finalist."""
    pool = [
        judged("c-1", 0.9), judged("c-2", 0.8), judged("c-3", 0.7), judged("c-4", 0.2, row=1),
        judged("c-5", 1.0, has_otter=False), judged("c-6", None),
    ]  # fmt: skip
    assert [one.candidate_id for one in best_pictures(with_panel(), pool)] == ["c-1", "c-2", "c-3"]
    by_row = best_pictures(with_panel({"per_row": 1}), pool)
    assert [one.candidate_id for one in by_row] == ["c-1", "c-4", "c-2"]


def test_a_panel_orders_the_finalists_and_leaves_the_totals_alone() -> None:
    """What it looked at comes first, by its opinion; what the judge was not asked about comes last."""
    rules = with_panel({"count": 4, "allow_similar": True})
    pool = [judged("c-1", 0.9), judged("c-2", 0.8), judged("c-3", 0.7), judged("c-4", None)]
    opinions = {"c-1": Opinion(2, 0.2, 1.0, frozenset()), "c-2": Opinion(2, 0.8, 0.0, frozenset())}
    choices = select(pool, SelectionRule.of(rules, pool, None, opinions))
    ranks = {name: choice.rank for name, choice in choices.items()}
    assert ranks == {"c-2": 1, "c-1": 2, "c-3": 3, "c-4": 4}
    assert choices["c-2"].reason.endswith("score 0.65, by a panel of 2 0.80")
    broken = {"c-2": Opinion(2, 0.8, 0.5, frozenset({0}))}
    refused = select(pool, SelectionRule.of(rules, pool, None, broken))["c-2"]
    assert refused.reason == "not chosen: the panel says that it is not true that “It shows an otter”"


def test_without_a_panel_or_a_limit_totals_order_as_ever() -> None:
    """A run whose judge was down keeps its ranking; with a limit, what was left out comes last."""
    pool = [judged("c-1", 0.1), judged("c-2", None)]
    plain = with_panel(panel=None)
    assert merits_of(plain, pool, {}) == {}
    limited = with_panel(panel=None, max_share=0.1)
    choices = select(pool, SelectionRule.of(limited, pool))
    assert (choices["c-1"].rank, choices["c-2"].rank) == (1, 2)


def test_the_most_disputed_come_first_and_unknown_is_null() -> None:
    """People are asked where judges differ."""
    opinions = {
        "c-1": Opinion(2, 0.5, 0.2, frozenset()), "c-2": Opinion(2, 0.5, 0.0, frozenset()),
        "c-3": Opinion(2, 0.5, 0.9, frozenset()), "c-4": Opinion(2, 0.5, None, frozenset()),
    }  # fmt: skip
    assert most_disputed(opinions) == ["c-3", "c-1"]
    assert panel_columns(None) == {"panel_score": None, "panel_disagreement": None}
    assert panel_columns(opinions["c-4"]) == {"panel_score": 0.5, "panel_disagreement": None}


@pytest.mark.parametrize("finalists", [{"count": 0}, {"count": 2}])
def test_a_panel_is_priced_by_its_pictures_and_a_promotion_without_finalists_needs_none(
    finalists: dict[str, Any],
) -> None:
    """Three pictures at most, one further question each; none where nothing is bought again."""
    panel = {"judges": [{"model": "gpt-6-luna", "provider": "openai"}], "best": 3}
    estimates = Estimates(CATALOGUE, PROVIDERS.provider("openai"), PROVIDERS)
    alone, whole = (plan_judging(with_panel(finalists, panel=one), estimates) for one in (None, panel))
    assert alone is not None
    assert whole is not None
    n_further = 0 if finalists["count"] == 0 else 3
    assert whole.orders - alone.orders == n_further
    assert (whole.high_usd > alone.high_usd) == bool(n_further)
