"""An arm's measures: rates with the right base, and costs shared over what was kept."""

from decimal import Decimal

import pytest

from tasks.report_page.measures import measure_arm
from tests.support.report_rows import make_barren, make_copy, make_draft


def test_arm_is_measured_by_hand_count() -> None:
    """Rates have the right base, and the cost is shared over what was kept."""
    first, second = make_draft("A", 0, 0, score=0.5), make_draft("A", 0, 1, score=0.7)
    rows = [
        first,
        second,
        make_copy(make_draft("A", 0, 2), first, 2),
        make_draft("A", 0, 3, status="unfit"),
        *(
            make_barren("A", 0, number, "refused", "moderation_blocked", "Rejected.")
            for number in range(4, 8)
        ),
    ]
    measures = measure_arm(rows, {"failure_rate": 0.25})
    assert measures == {
        "pictures": 4, "duplicate_rate": 0.25, "refusal_rate": 0.5, "failure_rate": 0.25,
        "mean_score": pytest.approx(0.6), "cost_per_unique_image_usd": Decimal("0.0104"),
        "cost_per_keeper_usd": Decimal("0.0104"), "cost_per_acceptable_usd": None,
        "charged_per_unique_image_usd": Decimal("0.0104"), "median_latency_s": pytest.approx(13.764),
        "p95_latency_s": pytest.approx(18.553), "latency_per_unique_image_s": pytest.approx(28.6025),
    }  # fmt: skip


def test_cost_per_unique_image_is_unknown_while_an_order_is() -> None:
    """An order without an answer may have cost money: the cost per unique image is unknown."""
    rows = [make_draft("A", 0, 0), make_barren("A", 0, 1, "unknown", "read_timeout", "No answer.")]
    assert measure_arm(rows, {})["cost_per_unique_image_usd"] is None
    assert measure_arm(rows[:1], {})["cost_per_unique_image_usd"] == Decimal("0.0052")


def test_cost_per_acceptable_picture_is_shared_by_those_that_meet_the_conditions() -> None:
    """Two of three meet them: half as much again for each; unknown while one was not answered."""
    rows = [
        make_draft("A", 0, number) | {"meets_conditions": met}
        for number, met in enumerate((True, False, True))
    ]
    assert measure_arm(rows, {})["cost_per_acceptable_usd"] == Decimal("0.0052") * 3 / 2
    assert measure_arm([*rows, rows[0] | {"meets_conditions": None}], {})["cost_per_acceptable_usd"] is None
    assert measure_arm(rows[1:2], {})["cost_per_acceptable_usd"] is None


def test_arm_without_rows_has_no_rates() -> None:
    """A share of nothing is unknown."""
    assert set(measure_arm([], {}).values()) == {0, None}
