"""The judge's statements: filled with each row, joined by the row's own, and the same for every arm."""

from pathlib import Path
from typing import Any

import pytest

from tasks.campaign import Campaign
from tasks.campaign.statements import AskedStatement, duel_statements, statements_of
from tasks.campaign_file.load import load_campaign
from tasks.errors import CampaignError
from tests.support.campaign_files import basis
from tests.support.planning import CATALOGUE, PROVIDERS, planned

SCORERS = ["technical", "judge", "duel"]
ROWS = [
    {"product": "kettle", "text": "", "rubric": ""},
    {"product": "lamp", "text": "SALE", "rubric": "It is lit\n\n  It is red "},
]
COUNT = {"statement": "The picture shows exactly one {{ product }}", "must": True}


def loaded(folder: Path, rubric: list[Any], rows: list[dict[str, Any]] = ROWS, **score: Any) -> Campaign:
    """Read a campaign of two products that a judge answers these statements about."""
    campaign = basis() | {
        "rows": rows,
        "arms": {name: {"prompt": f"{name} {{{{ product }}}}"} for name in "AB"},
    }
    del campaign["variables"]
    weights = score.pop("weights", {"technical": 1, "judge": 1})
    campaign["score"] = {"weights": weights, "judge": {"rubric": rubric}, **score}
    return load(folder, campaign)


def load(folder: Path, campaign: dict[str, Any]) -> Campaign:
    """Write it and read it."""
    from yaml import safe_dump

    file = folder / "campaign.yaml"
    file.write_text(safe_dump(campaign, sort_keys=False), encoding="utf-8")
    return load_campaign(file, CATALOGUE, PROVIDERS, scorers=SCORERS)


def fault(folder: Path, rubric: list[Any], **score: Any) -> str:
    """Read a wrong campaign; returns its only fault."""
    with pytest.raises(CampaignError) as caught:
        loaded(folder, rubric, **score)
    (found,) = caught.value.faults
    return found


def test_a_statement_is_asked_about_its_row_and_the_rows_own_follow(tmp_path: Path) -> None:
    """What is empty for a row is not asked; the template stays to sum the answers up by."""
    campaign = loaded(tmp_path, [COUNT, "{% if text %}It reads “{{ text }}”{% endif %}", "It is sharp"])
    assert [one.text for one in statements_of(campaign, 0, "A")] == [
        "The picture shows exactly one kettle",
        "It is sharp",
    ]
    first, second, *others = statements_of(campaign, 1, "B")
    assert first == AskedStatement("The picture shows exactly one lamp", str(COUNT["statement"]), must=True)
    assert second.text == "It reads “SALE”"
    assert [one.text for one in others] == ["It is sharp", "It is lit", "It is red"]
    assert statements_of(campaign, 1, "A") == statements_of(campaign, 1, "B")


def test_only_a_statement_that_says_so_may_name_the_arm(tmp_path: Path) -> None:
    """Otherwise arms would be asked different things, and the verdict would compare the questions."""
    told = fault(tmp_path, ["It shows {{ prompt }}"])
    assert "score.judge.rubric.0" in told
    assert "names prompt, so that arms would be asked different things" in told
    assert "per_arm: true" in told
    campaign = loaded(tmp_path, [{"statement": "It shows {{ prompt }}", "per_arm": True}])
    assert [statements_of(campaign, 0, arm)[0].text for arm in "AB"] == [
        "It shows A kettle",
        "It shows B kettle",
    ]


@pytest.mark.parametrize(
    ("rubric", "what"),
    [
        (["One {{ colour }} thing"], "names colour, which no row defines, accepted: product, rubric, text"),
        (["One {{ product"], "is not a valid template"),
        ([{"statement": "Sharp", "most": True}], "there is no such key (did you mean must?)"),
        (["{% if text %}It reads {{ text }}{% endif %}"], "row 1 has no statement"),
        ([f"Statement {number}" for number in range(31)], "row 1 has 31 statements, accepted: at most 30"),
        (["{{ product.lid.colour }}"], "row 1: a statement cannot be filled"),
    ],
)
def test_a_wrong_statement_is_one_fault(tmp_path: Path, rubric: list[Any], what: str) -> None:
    """Said before anything is bought, by the statement's key or the first row that fails."""
    assert what in fault(tmp_path, rubric)


def test_a_condition_needs_the_judges_answers(tmp_path: Path) -> None:
    """A weight of 0 asks without counting."""
    assert "a statement with must needs its answers" in fault(tmp_path, [COUNT], weights={"technical": 1})
    assert loaded(tmp_path, [COUNT], weights={"technical": 1, "judge": 0})


def test_rows_alone_may_bring_the_statements(tmp_path: Path) -> None:
    """In JSON lines as a list, in a CSV as lines of one cell."""
    (tmp_path / "rows.jsonl").write_text(
        '{"product": "kettle", "rubric": ["It has a lid", "It is white"]}\n'
        '{"product": "lamp", "rubric": "It is lit"}\n',
        encoding="utf-8",
    )
    campaign = loaded(tmp_path, [], rows="rows.jsonl")  # type: ignore[arg-type]
    assert [[one.text for one in statements_of(campaign, row, "A")] for row in (0, 1)] == [
        ["It has a lid", "It is white"],
        ["It is lit"],
    ]


def test_two_pictures_of_a_row_are_compared_by_its_statements(tmp_path: Path) -> None:
    """A duel's rubric is a template too."""
    campaign = loaded(tmp_path, [COUNT], duel={"rubric": ["The {{ product }} is the subject"]})
    assert duel_statements(campaign, 1) == ("The lamp is the subject",)


def test_an_empty_value_is_a_gap_in_a_statement_too(tmp_path: Path) -> None:
    """The plan warns as of a prompt, and knows which variables are used."""
    campaign = loaded(tmp_path, ["It reads {{ text }}", COUNT])
    plan = planned(campaign)
    assert any(
        "score.judge.rubric.0: text is empty in row 1, which leaves a gap in the statement" in warning
        for warning in plan.warnings
    )
    assert not any("no prompt uses" in note for note in plan.notes)
    told = plan.as_dict()["prompts"]
    assert told[-1]["statements"][1:] == ["The picture shows exactly one lamp", "It is lit", "It is red"]


def test_questions_of_unequal_length_are_priced_one_by_one(tmp_path: Path) -> None:
    """A row with more statements costs more: the plan's bound is the sum over rows and arms."""
    short, long = (
        planned(loaded(tmp_path, ["It is sharp"], rows=[{"product": "kettle", "rubric": own}])).judging
        for own in ("", "It is lit\nIt is red")
    )
    both = planned(
        loaded(
            tmp_path,
            ["It is sharp"],
            rows=[
                {"product": "kettle", "rubric": ""},
                {"product": "kettle", "rubric": "It is lit\nIt is red"},
            ],
        )
    ).judging
    assert short
    assert long
    assert both
    assert short.high_usd < long.high_usd
    assert both.high_usd == short.high_usd + long.high_usd
    assert both.pictures == short.pictures + long.pictures
