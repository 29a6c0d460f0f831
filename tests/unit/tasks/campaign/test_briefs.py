"""Statements from briefs: what the arms share, what is still to be written, and what a row is asked."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tasks.campaign import Campaign
from tasks.campaign.briefs import (
    brief_of,
    brief_template,
    briefs_of,
    missing_briefs,
    unfilled,
    with_statements,
)
from tasks.campaign.choice import Statement
from tasks.campaign.statements import AskedStatement, statements_of
from tasks.campaign_file.load import load_campaign
from tasks.errors import CampaignError
from tests.support.campaign_files import basis
from tests.support.planning import CATALOGUE, PROVIDERS, planned

ROWS = [{"animal": "fox"}, {"animal": "owl"}, {"animal": "fox"}]
FOX = (
    Statement(statement="There is a fox", kind="object"),
    Statement(statement="The fox is asleep", depends_on="There is a fox"),
)


def loaded(folder: Path, *prompts: str, rows: list[dict[str, Any]] = ROWS, **judge: Any) -> Campaign:
    """Read a campaign whose statements a model writes."""
    campaign = basis() | {
        "rows": rows,
        "arms": {name: {"prompt": text} for name, text in zip("AB", prompts or PROMPTS, strict=False)},
        "score": {"weights": {"judge": 1}, "judge": {"questions": "from_brief", **judge}},
    }
    del campaign["variables"]
    file = folder / "campaign.yaml"
    file.write_text(yaml.safe_dump(campaign, sort_keys=False), encoding="utf-8")
    return load_campaign(file, CATALOGUE, PROVIDERS, scorers=["judge"])


PROMPTS = ("A {{ animal }} asleep, watercolour", "A {{ animal }} asleep. Studio photograph")


def test_the_brief_is_what_all_prompts_share_or_what_the_campaign_says(tmp_path: Path) -> None:
    """Each row has its own; equal ones are asked about once."""
    campaign = loaded(tmp_path)
    assert brief_template(campaign) == "A {{ animal }} asleep"
    assert briefs_of(campaign) == {"A fox asleep": 0, "A owl asleep": 1}
    named = loaded(tmp_path, brief="one {{ animal }}")
    assert brief_of(named, 1) == "one owl"


def test_a_row_is_asked_what_was_written_from_its_brief(tmp_path: Path) -> None:
    """After the campaign's own statements; a child knows its parent, and the template is without the row."""
    campaign = with_statements(loaded(tmp_path, rubric=["It is sharp"]), {"A fox asleep": FOX, "A hen": FOX})
    assert missing_briefs(campaign) == {"A owl asleep": 1}
    assert statements_of(campaign, 2, "B") == (
        AskedStatement("It is sharp", "It is sharp"),
        AskedStatement("There is a fox", "There is a {{ animal }}"),
        AskedStatement("The fox is asleep", "The {{ animal }} is asleep", parent=1),
    )
    assert [one.text for one in statements_of(campaign, 1, "B")] == ["It is sharp"]


def test_a_run_keeps_its_statements_in_its_own_campaign(tmp_path: Path) -> None:
    """Written and read again they are the same, without the file beside it."""
    campaign = with_statements(loaded(tmp_path), {"A fox asleep": FOX})
    (tmp_path / "run").mkdir()
    file = tmp_path / "run" / "campaign.yaml"
    file.write_text(campaign.as_yaml(), encoding="utf-8")
    again = load_campaign(file, CATALOGUE, PROVIDERS, scorers=["judge"])
    assert statements_of(again, 0, "A") == statements_of(campaign, 0, "A")


def test_the_plan_prices_what_is_still_to_be_written_and_then_asked(tmp_path: Path) -> None:
    """Twelve statements a picture at most, until they are known."""
    before = planned(loaded(tmp_path)).judging
    known = with_statements(loaded(tmp_path), {"A fox asleep": FOX, "A owl asleep": FOX})
    after = planned(known).judging
    assert before is not None
    assert after is not None
    assert (before.briefs, after.briefs) == (2, 0)
    assert before.orders == after.orders + 2
    assert before.high_usd > after.high_usd


FAULTS: tuple[tuple[tuple[str, ...], dict[str, Any], str], ...] = (
    (("A dog", "Two cats"), {}, "is missing, and the arms' prompts have too little in common"),
    (
        ("{% if animal %}A {{ animal }}{% endif %}", "A fox"),
        {},
        "is missing, and the arms' prompts have too little in common",
    ),
    (PROMPTS, {"brief": "a {{ colour }} fox"}, "names colour, which no row defines, accepted: animal"),
    (PROMPTS, {"brief": "a {{ animal"}, "is not a valid template"),
    (PROMPTS, {"brief": "{% if animal == 'fox' %}fox{% endif %}"}, "is empty for row 2"),
    (PROMPTS, {"questions": None, "rubric": ["It is sharp"], "brief": "a fox"}, "questions: from_brief"),
)


@pytest.mark.parametrize(("prompts", "judge", "what"), FAULTS)
def test_a_brief_that_cannot_be_asked_about_is_a_fault(
    tmp_path: Path, prompts: tuple[str, ...], judge: dict[str, Any], what: str
) -> None:
    """At plan, before anything is spent."""
    with pytest.raises(CampaignError) as caught:
        loaded(tmp_path, *prompts, **judge)
    assert any(what in line for line in caught.value.faults)


@given(text=st.text(max_size=60), value=st.text(max_size=12))
def test_a_statement_without_its_row_never_fails(text: str, value: str) -> None:
    """Whatever the values are; what does not occur changes nothing."""
    assert unfilled("There is an ox", {"animal": "zebra", "n": 7}) == "There is an ox"
    assert isinstance(unfilled(text, {"animal": value}), str)
