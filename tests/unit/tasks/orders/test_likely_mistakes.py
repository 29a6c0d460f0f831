"""What a campaign probably does not mean: gaps, equal arms, equal rows, variables that nothing uses."""

from typing import Any

from tests.support.planning import campaign, planned

A, B = {"prompt": "otter in {{ place }}"}, {"prompt": "sketch of an otter in {{ place }}"}


def warned(**changes: Any) -> list[str]:
    """List what the plan warns of beyond the campaign without mistakes."""
    usual = planned(campaign()).warnings
    return [warning for warning in planned(campaign(**changes)).warnings if warning not in usual]


def test_a_campaign_that_is_meant_is_not_warned_of() -> None:
    """Nothing is found in the small one."""
    assert not [line for line in planned(campaign()).warnings if "the same" in line or "empty" in line]
    assert planned(campaign()).notes == ()


def test_a_gap_in_a_prompt_is_told_with_its_rows() -> None:
    """Unless the prompt tests for it."""
    rows = [{"place": "kelp"}, {"place": " "}, {"place": ""}]
    (first, second, _) = warned(variables=None, rows=rows)
    assert first.startswith("arms.A.prompt: place is empty in rows 2 and 3, which leaves a gap")
    assert second.startswith("arms.B.prompt: ")
    tested = {"prompt": "otter{% if place %} in {{ place }}{% endif %}"}
    assert not [line for line in warned(variables=None, rows=rows, arms={"A": tested}) if "gap" in line]


def test_arms_that_ask_for_the_same_are_told() -> None:
    """In every row or in some; another quality is another request."""
    (line,) = warned(arms={"A": A, "B": B, "C": A})
    assert line == "arms A and C ask for the same: what differs between them there is chance."
    some = {"prompt": "{% if place == 'ice' %}otter in ice{% else %}drawn otter in {{ place }}{% endif %}"}
    (line,) = warned(arms={"A": A, "B": some})
    assert line.startswith("arms A and B ask for the same in row 2: ")
    assert warned(arms={"A": A, "B": A | {"drafts": {"quality": "medium"}}}) == []


def test_rows_that_differ_in_nothing_are_told() -> None:
    """Also when they differ in a variable that no prompt uses, which is a note of its own."""
    rows = [{"place": "kelp", "sku": "a"}, {"place": "ice", "sku": "b"}, {"place": "kelp", "sku": "c"}]
    result = planned(campaign(variables=None, rows=rows))
    assert [line for line in result.warnings if "the same" in line] == [
        "rows 1 and 3 ask for the same in every arm; per_prompt makes more pictures of one row."
    ]
    assert result.notes == ("rows: no prompt uses sku.",)


def test_a_rule_of_the_verdict_that_names_nothing_is_told() -> None:
    """A typing error in ``keep`` would let an arm retire that was to stay; one in ``segments`` finds none."""
    (line,) = warned(ab_test={"segments": ["plaec", "place"]})
    assert line == "ab_test.segments: no row has a variable 'plaec'."
    (line,) = warned(verdict={"retire_when": "beaten", "keep": ["D", "A"]})
    assert line.startswith("verdict.keep: there is no arm 'D'; the arms are A")
    assert warned(verdict={"keep": ["D"]}) == []


def test_many_rows_are_not_all_named() -> None:
    """The first five, and how many more."""
    (line,) = warned(variables=None, rows=[{"place": "kelp"}] * 9)
    assert line.startswith("rows 1, 2, 3, 4, 5 and 4 more ask for the same")


def test_a_schedule_tells_what_a_month_costs() -> None:
    """As many runs as it has in the next 30 days."""
    daily = planned(campaign(schedule={"cron": "0 6 * * *"}))
    assert daily.month is not None
    assert daily.month.runs == 30
    assert daily.month.high_usd == 30 * daily.high_usd
    often = planned(campaign(schedule={"interval": "5m"}))
    assert often.month is not None
    assert often.month.runs == 30 * 24 * 12
    assert planned(campaign()).month is None


def test_a_campaign_that_saves_nothing_is_told() -> None:
    """As many finals as drafts cost more than all at high quality."""
    (line,) = [
        line
        for line in warned(drafts={"model": "gpt-image-2", "per_prompt": 1}, finalists={"count": 6})
        if "saves nothing" in line
    ]
    assert line.startswith("finalists: this saves nothing: all 6 pictures at high quality cost $")


def test_every_request_of_the_first_round_is_shown_once() -> None:
    """Row by row, arms in their order, with what is sent."""
    shown = planned(campaign()).as_dict()["prompts"]
    assert [(one["row"], one["row_index"], one["arm"]) for one in shown[:3]] == [
        (1, 0, "A"),
        (1, 0, "B"),
        (2, 1, "A"),
    ]
    assert len(shown) == 6
    assert shown[0]["prompt"] == "otter in kelp"
    assert shown[0]["parameters"]["model"] == "gpt-image-2"
