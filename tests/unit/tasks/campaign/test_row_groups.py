"""Groups of rows: each row, or those that share a value, and how they are named."""

from pathlib import Path

from tasks.campaign.row_groups import RowGroups, row_groups_of, row_label
from tests.support.campaign_files import changed, faults, load

ROWS = [
    {"product": "kettle", "category": "kitchen"},
    {"product": "lamp", "category": "living room"},
    {"product": "pan", "category": "kitchen"},
    {"product": "a   vase", "category": "kitchen"},
]


def with_rows(finalists: dict[str, object]) -> dict[str, object]:
    """Write a campaign of four products that chooses by these rules."""
    campaign = changed("finalists", finalists)
    del campaign["variables"]
    return campaign | {"rows": ROWS, "arms": {"A": {"prompt": "a {{ product }}"}}}


def test_each_row_is_a_group_of_its_own_and_those_that_share_a_value_another(tmp_path: Path) -> None:
    """A row is named by its values, a shared value by its variable."""
    campaign = load(tmp_path, with_rows({"per_row": 1, "per": {"category": 2}}))
    rows, categories = row_groups_of(campaign)
    assert rows.names == ("row 1 (kettle, kitchen)", "row 2 (lamp, living room)", "row 3 (pan, kitchen)",
                          "row 4 (a vase, kitchen)")  # fmt: skip
    assert categories == RowGroups(
        "per.category", 2, dict(enumerate(f"category {row['category']}" for row in ROWS))
    )
    assert categories.without({0, 3}) == ["category living room"]


def test_nothing_but_the_groups_limits_the_finalists_unless_a_count_does(tmp_path: Path) -> None:
    """Four is the default of a campaign without groups only."""
    assert load(tmp_path, with_rows({})).finalists.most == 4
    assert load(tmp_path, with_rows({"per_row": 1})).finalists.most is None
    assert load(tmp_path, with_rows({"per": {"category": 1}})).finalists.most is None
    assert load(tmp_path, with_rows({"per_row": 1, "count": 2})).finalists.most == 2


def test_a_campaign_without_finalists_has_no_group_that_lacks_one(tmp_path: Path) -> None:
    """Drafts only: nothing is missing."""
    assert row_groups_of(load(tmp_path, with_rows({"per_row": 1, "count": 0}))) == ()


def test_a_variable_that_no_row_has_is_a_fault(tmp_path: Path) -> None:
    """The message lists the variables there are."""
    (fault,) = faults(tmp_path, with_rows({"per": {"kategory": 1}}))
    assert "no row has a variable 'kategory'" in fault
    assert "a variable of the rows: category, product" in fault


def test_a_long_row_is_named_by_its_beginning(tmp_path: Path) -> None:
    """A row that the campaign does not have any more has its number."""
    campaign = load(tmp_path, with_rows({}) | {"rows": [{"product": "x" * 200}]})
    assert row_label(campaign, 0) == f"row 1 ({'x' * 59}…)"
    assert row_label(campaign, 7) == "row 8"
