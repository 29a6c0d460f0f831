"""The report's money: one exact sentence, and tables that add up to it."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.report_page.facts import EstimateError
from tasks.report_page.measures import account, measure_arm, total_spent
from tasks.report_page.spending import Spending, state_spending, sum_up_spending
from tasks.report_page.verdict import summarize
from tests.support.page_reader import page_text
from tests.support.report_rows import make_barren, make_draft, make_facts, make_run

DOLLARS = st.decimals(0, 200, places=9)


def say(rows: list[dict[str, Any]], **known: Any) -> str:
    """State a run's spending."""
    return state_spending(sum_up_spending(rows, make_facts(provider="openai", **known)))


def read_page(**known: Any) -> str:
    """Render a whole run's page and strip its tags."""
    page = page_text(make_run(), make_facts(**known), Path("/nowhere"))
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_the_sentence_says_spent_estimated_and_saved() -> None:
    """48 drafts and 6 finals were billed, one order never answered; nothing is hidden in a rounding."""
    assert say(make_run()) == (
        "$1.26 was spent, of which $0.0060 estimated for 1 request whose cost is unknown. "
        "All 48 drafts at high quality would have cost $8.02 or more: $6.76 (84%) was saved."
    )


def test_the_sentence_stands_on_top_and_over_the_table() -> None:
    """A reader of the first lines, and one of the money section, read the same."""
    page = read_page()
    assert page.count("$1.26 of play money was spent, of which $0.0060 estimated for 1 request") == 2
    assert "A unique image (a draft that is not a duplicate" not in page  # an order's cost is not known
    assert "Saved $6.76 84% of $8.02" in page


def test_nothing_is_saved_before_the_finals_are_bought() -> None:
    """The figure at the top has another name then."""
    page = read_page(finals_usd=Decimal("0.50"))
    assert "Would be saved $6.26 78% of $8.02, with finals for $0.50" in page
    assert "Saved $" not in page
    without = read_page(finals_usd=None)
    assert "aved $" not in without


@given(spent=DOLLARS, high=DOLLARS)
def test_what_is_shown_adds_up(spent: Decimal, high: Decimal) -> None:
    """Whatever the amounts, spent and saved as shown are all-at-high-quality as shown."""
    facts = make_facts(spent_usd={"draft": spent}, unknown_usd=Decimal(0), all_high_usd=high)
    spending = sum_up_spending([make_draft("A", 0, 0)], facts)
    said = state_spending(spending)
    amounts = [Decimal(figure.replace(",", "")) for figure in re.findall(r"\$([\d,.]+\d)", said)]
    if spending.saved_usd is not None and len(amounts) == 3:
        assert amounts[0] + amounts[2] == amounts[1]
    assert abs(spending.spent_usd - spent) <= Decimal("0.005")
    assert ("was saved" in said and "nothing" not in said) == (
        spending.spent_usd > 0 and spending.saved_usd is not None
    )


@pytest.mark.parametrize(
    ("spending", "said"),
    [
        (Spending(Decimal(0), Decimal(0), 0, 0, None), "Nothing was spent."),
        (Spending(Decimal("2.00"), Decimal(0), 0, 9, None), "$2.00 was spent."),
        (
            Spending(Decimal("2.00"), Decimal(0), 0, 9, None, is_over=False),
            "$2.00 was spent so far.",
        ),
        (
            Spending(Decimal("2.00"), Decimal("1.5"), 3, 9, None, is_play=True),
            "$2.00 of play money was spent, of which $1.50 estimated for 3 requests whose cost is unknown.",
        ),
        (
            Spending(Decimal("2.00"), Decimal(0), 0, 1, Decimal("1.50")),
            "$2.00 was spent. "
            "The one draft at high quality would have cost $1.50 or more: nothing was saved.",
        ),
        (
            Spending(Decimal("2.00"), Decimal(0), 0, 9, Decimal("9.00"), finals_usd=Decimal("1.00")),
            "$2.00 was spent. All 9 drafts at high quality would have cost $9.00 or more:"
            " with finals for $1.00 or more, $6.00 (67%) would be saved.",
        ),
        (
            Spending(Decimal("2.00"), Decimal(0), 0, 9, Decimal("2.50"), finals_usd=Decimal("1.00")),
            "$2.00 was spent. All 9 drafts at high quality would have cost $2.50 or more:"
            " with finals for $1.00 or more, nothing would be saved.",
        ),
        (
            Spending(Decimal("2.00"), Decimal(0), 0, 9, Decimal("9.00"), finals_usd=None),
            "$2.00 was spent. All 9 drafts at high quality would have cost $9.00 or more.",
        ),
    ],
)
def test_unusual_money_is_said_plainly(spending: Spending, said: str) -> None:
    """No comparison, a run that goes on, one that saved nothing, finals to come, and no finals at all."""
    assert state_spending(spending) == said


def test_a_picture_without_a_known_cost_counts_at_its_estimate() -> None:
    """A picture whose answer had no usage is not free, and the cost per unique image is unknown."""
    rows = [make_draft("A", 0, 0), make_draft("A", 0, 1, cost_usd=None)]
    facts = make_facts(unknown_usd=None, spent_usd={})
    assert total_spent(rows, facts) == Decimal("0.0112")
    assert sum_up_spending(rows, facts).estimated_usd == Decimal("0.006")
    assert [line.estimated_usd for line in account(rows, facts)] == [Decimal("0.006")]
    assert measure_arm(rows, {})["cost_per_unique_image_usd"] is None


def test_money_table_adds_up_to_what_was_spent() -> None:
    """What a stage spent beyond its rows gets its own line, so that the table adds up to the sentence."""
    rows = make_run()
    spent = {"draft": 48 * Decimal("0.0052") + Decimal("0.006"), "judge": Decimal("0.031")}
    facts = make_facts(spent_usd=spent | {"final": 6 * Decimal("0.1672")})
    lines = account(rows, facts)
    assert sum(line.spent_usd for line in lines) == total_spent(rows, facts)
    assert [line.arm for line in lines if line.stage == "judge"] == [None]
    assert sum(line.estimated_usd for line in lines) == Decimal("0.006")
    assert sum(line.orders for line in lines) == len({row["order_id"] for row in rows})


def test_orders_that_cannot_have_been_billed_are_free() -> None:
    """Refused, failed and planned orders weigh nothing."""
    rows = [
        make_barren("A", 0, n, state, "x", "y") for n, state in enumerate(("refused", "failed", "planned"))
    ]
    assert say(rows, unknown_usd=None) == "Nothing was spent."


def test_estimates_stand_beside_their_bills() -> None:
    """Per stage, signed, over what is known; without any known cost nothing is said."""
    error = EstimateError(
        orders=2, low_usd=Decimal("0.008"), high_usd=Decimal("0.02"), billed_usd=Decimal("0.01")
    )
    blind = EstimateError(orders=1, low_usd=None, high_usd=Decimal("0.02"), billed_usd=Decimal(0))
    said = read_page(estimate_errors={"draft": error, "final": blind})
    assert "Draft 2 $0.0100 $0.0080 −20.0% $0.0200 +100.0%" in said
    assert "Final 1 $0.0000 – – $0.0200 –" in said
    assert "How accurate the estimates were" not in read_page()


def test_the_cost_per_unique_image_is_shown_for_each_arm() -> None:
    """Where every cost is known, the cost per unique image is shown in total and by arm."""
    rows = [make_draft("A", 0, 0), make_draft("A", 0, 1, status="unfit"), make_draft("B", 0, 0)]
    page = page_text(rows, make_facts(), Path("/nowhere"))
    assert "cost $0.0078: $0.0104 in arm A, $0.0052 in arm B." in page


def test_summary_of_a_waiting_run_speaks_of_so_far() -> None:
    """Money that may still be spent is not called saved for good."""
    assert "was spent so far" in summarize(make_run(), make_facts(awaiting="awaiting review"))
