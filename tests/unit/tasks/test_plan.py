"""The plan: orders, dollars, time, warnings; nothing is sent."""

import dataclasses
import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rich.console import Console

from flows.commands.plan_tables import format_range, format_seconds, plan_renderable
from tasks.errors import BudgetError, CatalogueError, RunError
from tasks.plan import plan
from tests.support.planning import CATALOGUE, DRAFT, PROVIDERS, TODAY, campaign, finals, planned


def test_every_arm_sees_every_row_equally_often() -> None:
    """Two arms, three rows, four replicates: each combination once, prompts filled in."""
    orders = planned(campaign()).orders
    assert len({(order.arm, order.row, order.replicate) for order in orders}) == len(orders) == 24
    assert len({order.order_id for order in orders}) == 24
    first = orders[0]
    assert (first.prompt, first.endpoint, first.stage) == ("otter in kelp", "generations", "draft")
    assert first.parameters == {
        "model": "gpt-image-2", "n": 1, "quality": "low", "size": "1024x1024", "output_format": "png",
    }  # fmt: skip


def test_a_run_cut_short_stays_comparable() -> None:
    """However many orders were bought, no arm is more than one picture ahead on any row."""
    orders = planned(campaign()).orders
    for bought in range(1, len(orders) + 1):
        counts = {
            (arm, row): sum(order.arm == arm and order.row == row for order in orders[:bought])
            for arm in "AB"
            for row in range(3)
        }
        assert max(counts.values()) - min(counts.values()) <= 1


def test_planning_twice_gives_the_same_orders() -> None:
    """The same identities in the same sequence; another run has others."""
    first, second = planned(campaign()), planned(campaign())
    assert first.orders == second.orders
    other = plan(campaign(), CATALOGUE, PROVIDERS, "20261122-170001-abcd", TODAY)
    assert {order.order_id for order in other.orders}.isdisjoint(order.order_id for order in first.orders)


def test_the_last_request_asks_for_what_is_left() -> None:
    """Seven pictures, three at once: 3, 3 and 1, numbered by their first picture."""
    drafts = {"model": "gpt-image-2", "per_prompt": 7, "images_per_request": 3}
    orders = [o for o in planned(campaign(drafts=drafts)).orders if (o.arm, o.row) == ("A", 0)]
    assert [(order.replicate, order.n) for order in orders] == [(0, 3), (3, 3), (6, 1)]


def test_dollars_add_up_exactly() -> None:
    """The drafts' high end is the sum of what the orders reserve, and so by arm."""
    result = planned(campaign())
    assert result.drafts_high_usd == sum((order.estimate_usd for order in result.orders), Decimal(0))
    assert result.high_usd == result.drafts_high_usd + result.finals.high_usd
    assert result.low_usd == result.drafts_low_usd + result.finals.low_usd < result.high_usd
    assert result.pictures == 24


def test_finals_count_from_one_try_to_all() -> None:
    """Three finalists: three pictures at least, three times the attempts at most, the draft's tokens too."""
    one, four = (
        planned(campaign(finals={"model": "gpt-image-2", "quality": "high", "attempts": attempts})).finals
        for attempts in (1, 4)
    )
    assert (one.finalists, one.most_pictures, four.most_pictures) == (3, 3, 12)
    assert four.high_usd == 4 * one.high_usd
    assert four.low_usd == one.low_usd
    assert one.low_usd > 3 * (Decimal("0.21072") + 1024 * Decimal("0.000008"))
    generated = {"model": "gpt-image-2", "quality": "high", "attempts": 1, "method": "generate"}
    assert planned(campaign(finals=generated)).finals.high_usd < one.high_usd


def test_no_more_finalists_than_the_caps_allow() -> None:
    """Caps per arm and per prompt bound what finals can cost; none cost nothing."""
    for rule, count in [
        ({"count": 100}, 24), ({"count": 100, "max_per_arm": 2}, 4), ({"count": 100, "max_per_prompt": 1}, 6),
        ({"count": 0}, 0), ({"per_row": 1}, 3), ({"per_row": 2, "count": 5}, 5), ({"per": {"place": 1}}, 3),
    ]:  # fmt: skip
        finals = planned(campaign(finalists=rule)).finals
        assert finals.finalists == count
        assert (finals.high_usd > 0) == (count > 0)


def test_all_at_high_quality_is_told() -> None:
    """Twenty-four pictures as finals are made cost many times the drafts."""
    result = planned(campaign(finals={"model": "gpt-image-2", "quality": "high"}))
    assert Decimal("0.21072") * 24 < result.all_high_usd < Decimal("0.2118") * 24
    assert result.all_high_usd > 20 * result.drafts_high_usd


def test_time_follows_the_providers_limit() -> None:
    """24 drafts and 6 tries at 5 images a minute."""
    result = planned(campaign())
    assert (result.drafts_s, result.finals_s) == (24 * 12, 6 * 12)


def test_a_budget_below_the_low_end_buys_nothing() -> None:
    """A cent under the least: refused, exit 3; the least itself: planned, with a warning."""
    least = planned(campaign()).low_usd
    with pytest.raises(BudgetError, match="less than the lowest cost") as caught:
        planned(campaign(budget={"per_run_usd": least - Decimal("0.000000001")}))
    assert caught.value.exit_code == 3
    assert "Nothing was bought." in str(caught.value)
    assert "the run stops buying" in planned(campaign(budget={"per_run_usd": least})).warnings[-1]
    enough = planned(campaign(budget={"per_run_usd": planned(campaign()).high_usd}))
    assert not any(warning.startswith("budget") for warning in enough.warnings)


def test_finals_that_wait_for_review_do_not_refuse_drafts() -> None:
    """When a person decides later, the least is the drafts alone."""
    waiting = campaign(finalists={"count": 3, "approval": "review"}, budget={"per_run_usd": "0.20"})
    assert len(planned(waiting).orders) == 24


def test_references_make_edits(tmp_path: Path) -> None:
    """Sent with every draft of the arm, hashed, and part of the order's identity and price."""
    file, mask = tmp_path / "one.png", tmp_path / "mask.png"
    Image.new("RGBA", (1024, 1024)).save(file)
    Image.new("RGBA", (1024, 1024)).save(mask)
    arms = {"A": {"prompt": "x"}, "B": {"prompt": "x", "references": []}}
    result = planned(campaign(references=[str(file)], arms=arms))
    edits = [order for order in result.orders if order.arm == "A"]
    plain = [order for order in result.orders if order.arm == "B"]
    assert {order.endpoint for order in edits} == {"edits"}
    assert {order.endpoint for order in plain} == {"generations"}
    assert edits[0].references[0].width == 1024
    assert edits[0].estimate_usd - plain[0].estimate_usd == 1024 * Decimal("0.000008") + 32 * Decimal(
        "0.000005"
    )
    only = campaign(references=[str(file)], mask=str(mask), arms={"A": {"prompt": "x"}})
    masked = planned(only).orders[0]
    assert masked.mask is not None
    assert masked.order_id != edits[0].order_id


MINI = {"model": "gpt-image-1-mini", "successor": {"model": "gpt-image-2.6-flare", "quality": "medium"}}


@pytest.mark.parametrize(
    ("today", "model", "quality", "expected"),
    [
        (date(2026, 10, 31), "gpt-image-1-mini", "low", None),
        (date(2026, 11, 1), "gpt-image-1-mini", "low", "on 2026-12-01; then gpt-image-2.6-flare is used"),
        (date(2026, 11, 30), "gpt-image-1-mini", "low", "on 2026-12-01; then"),
        (date(2026, 12, 1), "gpt-image-2.6-flare", "medium", "was shut down on 2026-12-01; its successor"),
    ],
)
def test_the_successor_takes_over_on_the_day(
    today: date, model: str, quality: str, expected: str | None
) -> None:
    """Not a day early, and never silently."""
    result = planned(campaign(drafts=MINI), today)
    assert {order.parameters["model"] for order in result.orders} == {model}
    assert {order.parameters["quality"] for order in result.orders} == {quality}
    warnings = [warning for warning in result.warnings if warning.startswith("drafts")]
    assert (expected is None) == (not warnings)
    assert expected is None or expected in warnings[0]


def test_without_a_successor_a_retired_model_is_refused() -> None:
    """With the cheapest to write there, or the vendor's successor; a successor that is gone is none."""
    with pytest.raises(CatalogueError, match="gpt-image-1-mini was shut down on 2026-12-01") as caught:
        planned(campaign(drafts={"model": "gpt-image-1-mini"}), date(2026, 12, 1))
    assert "Write model: cheapest, or add successor: {model: gpt-image-2.6-flare}" in caught.value.next_step
    eve = planned(campaign(drafts={"model": "gpt-image-1-mini"}), date(2026, 11, 30)).warnings[0]
    assert "name a successor, such as gpt-image-2.6-flare, or write model: cheapest." in eve
    gone = {"model": "gpt-image-1-mini", "successor": {"model": "gpt-image-1.5"}}
    with pytest.raises(CatalogueError, match=r"drafts\.successor: gpt-image-1\.5 was shut down"):
        planned(campaign(drafts=gone), date(2026, 12, 1))


def test_an_arms_own_model_has_its_own_successor() -> None:
    """The campaign's successor is not lent to another model; the arm's own settings stay."""
    arms: dict[str, Any] = {"A": {"prompt": "x"}, "B": {"prompt": "x", "drafts": {"model": "gpt-image-1.5"}}}
    with pytest.raises(CatalogueError, match=r"arms\.B\.drafts: gpt-image-1\.5 was shut down"):
        planned(campaign(arms=arms), date(2026, 12, 1))
    arms["B"]["drafts"] |= {"successor": {"model": "gpt-image-2.5-flare"}, "quality": "medium"}
    result = planned(campaign(arms=arms), date(2026, 12, 1))
    models = {order.arm: (order.parameters["model"], order.parameters["quality"]) for order in result.orders}
    assert models == {"A": ("gpt-image-2", "low"), "B": ("gpt-image-2.5-flare", "medium")}


def test_an_arms_quality_outlives_the_campaigns_model() -> None:
    """What an arm tests stays what it tests after succession."""
    arms = {"A": {"prompt": "x"}, "B": {"prompt": "x", "drafts": {"quality": "high"}}}
    result = planned(campaign(arms=arms, drafts=MINI), date(2026, 12, 1))
    qualities = {order.arm: order.parameters["quality"] for order in result.orders}
    assert qualities == {"A": "medium", "B": "high"}


def test_a_schedule_beyond_the_shutdown_is_warned_of() -> None:
    """Retiring in two months, next run in three: a warning now; a daily run: not yet."""
    yearly = {"cron": "0 6 25 12 *"}
    drafts = {"model": "gpt-image-1-mini", "successor": {"model": "gpt-image-2.6-flare"}}
    september = date(2026, 9, 1)
    seldom = planned(campaign(drafts=drafts, schedule=yearly), september)
    assert (
        "on 2026-12-01, before the scheduled run of 2026-12-25; then gpt-image-2.6-flare"
        in seldom.warnings[0]
    )
    daily = planned(campaign(drafts=drafts, schedule={"cron": "0 6 * * *"}), september)
    assert not any("shut down" in warning for warning in daily.warnings)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"judge": {"model": "gpt-image-1", "rubric": ["x"]}}, "score.judge"),
        ({"panel": {"judges": [{"model": "gpt-6-luna"}, {"model": "gpt-image-1"}]}}, "score.panel.judges.1"),
    ],
    ids=["judge", "panel"],
)
def test_a_retired_judge_is_refused(changes: dict[str, Any], key: str) -> None:
    """Before anything is bought for it to look at."""
    score = {"judge": {"model": "gpt-6-luna", "rubric": ["x"]}} | changes
    with pytest.raises(CatalogueError) as refused:
        planned(campaign(score=score))
    assert refused.value.where == key


def test_a_final_sends_its_draft_along() -> None:
    """As the reference of an edit, with the draft's text in the prompt."""
    order = finals(campaign(finals={"model": "gpt-image-2", "input_fidelity": None}))
    assert (order.endpoint, order.stage, order.draft_id) == ("edits", "final", "c-1")
    assert order.references[0].file == "/runs/x/drafts/B-002-003.png"
    assert (order.references[0].sha256, order.references[0].media_type) == ("ab" * 32, "image/png")
    assert order.prompt.endswith("sketch of an otter in sand")
    assert order.parameters["quality"] == "high"


def test_each_try_is_another_order() -> None:
    """The API has no seed: an equal request is another picture, so another order."""
    subject = campaign()
    ids = {finals(subject, attempt=attempt).order_id for attempt in range(3)}
    assert len(ids) == 3


def test_generate_sends_the_text_alone() -> None:
    """No reference, the draft's own prompt, or the campaign's template over its row."""
    own = {"model": "gpt-image-2", "method": "generate"}
    order = finals(campaign(finals=own))
    assert (order.endpoint, order.references, order.prompt) == ("generations", (), DRAFT.prompt)
    assert finals(campaign(finals=own | {"prompt": "{{ place }}: {{ prompt }}!"})).prompt == (
        "sand: sketch of an otter in sand!"
    )


def test_the_plan_covers_the_finals_it_announces() -> None:
    """The amount reserved for a final is within the plan's range of cost."""
    subject = campaign(finals={"model": "gpt-image-2", "attempts": 1})
    announced = planned(subject).finals
    assert finals(subject).estimate_usd <= announced.high_usd / announced.finalists


def test_a_draft_nobody_looked_at_cannot_be_sent() -> None:
    """Its size and type are not known."""
    with pytest.raises(RunError, match="was never inspected"):
        finals(campaign(), dataclasses.replace(DRAFT, inspection=None))


def test_the_plan_as_data_is_plain_json() -> None:
    """Dollars as exact text, no orders."""
    result = planned(campaign())
    data = json.loads(json.dumps(result.as_dict()))
    assert Decimal(data["drafts_high_usd"]) == result.drafts_high_usd
    assert (data["orders"], data["pictures"], data["rows"]) == (24, 24, 3)
    assert [arm["arm"] for arm in data["arms"]] == ["A", "B"]


@pytest.mark.parametrize("width", [50, 60, 80])
def test_no_price_is_cut_off_in_a_narrow_terminal(width: int) -> None:
    """Names are folded, or each row is a paragraph."""
    out, result = io.StringIO(), planned(campaign())
    Console(file=out, width=width, force_terminal=True, color_system=None).print(plan_renderable(result))
    prices = [(part.low_usd, part.high_usd) for part in result.arms]
    for low_usd, high_usd in (*prices, (result.finals.low_usd, result.finals.high_usd)):
        assert format_range(low_usd, high_usd) in out.getvalue()


def test_the_plan_as_text_fits_eighty_columns() -> None:
    """Every figure in plain text, no colour codes without a terminal, nothing cut off."""
    out = io.StringIO()
    result = planned(campaign(drafts=MINI))
    Console(file=out, width=80).print(plan_renderable(result))
    text = out.getvalue()
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "\x1b" not in text
    assert "…" not in text
    for part in (
        "gpt-image-1-mini",
        "gpt-image-2.6-sunburst",
        "high 1024x1024",
        "3–6",
        "$50.00 per run",
        "5 min",
    ):
        assert part in text
    assert result.warnings[0] in " ".join(text.split())


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (9, "9 s"), (99.5, "100 s"), (100, "2 min"), (5999, "100 min"), (6000, "1.75 h")],
)
def test_durations_are_rounded_up(seconds: float, text: str) -> None:
    """Better early than late."""
    assert format_seconds(seconds) == text


def test_equal_ends_are_one_amount() -> None:
    """A range of nothing is no range."""
    assert format_range(Decimal(1), Decimal("1.001")) == "$1.00"
