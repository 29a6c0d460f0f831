"""Overrides for one run: values, arms and rows that are not as the file says."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.campaign import Campaign
from tasks.campaign_file.load import load_campaign
from tasks.campaign_file.overrides import Overrides, read_rows_wanted
from tasks.errors import CampaignError
from tests.support.campaign_files import basis
from tests.support.planning import CATALOGUE, PROVIDERS


def loaded(folder: Path, campaign: dict[str, Any] | None = None, **overrides: Any) -> Campaign:
    """Write a campaign with two arms and six rows, and read it with overrides."""
    file = folder / "campaign.yaml"
    file.write_text(yaml.safe_dump(campaign or basis(), sort_keys=False))
    return load_campaign(file, CATALOGUE, PROVIDERS, overrides=Overrides(**overrides))


def refusal(folder: Path, **overrides: Any) -> str:
    """Read it with wrong overrides, and return the message."""
    with pytest.raises(CampaignError) as caught:
        loaded(folder, **overrides)
    return str(caught.value)


def test_values_are_read_as_yaml_and_sections_are_added(tmp_path: Path) -> None:
    """A number, a mapping, a section that the file lacks, a place in a list."""
    campaign = basis() | {
        "finals": [{"name": "a", "model": "gpt-image-2"}, {"name": "b", "model": "gpt-image-2"}]
    }
    values = {
        "drafts.per_prompt": "2",
        "finalists.count": "1",
        "score.weights": "{technical: 2}",
        "finals.1.size": "1536x1024",
        "provider": "emulator",
        "images_per_minute": "50",
    }
    changed = loaded(tmp_path, campaign, values=values)
    assert (changed.drafts.per_prompt, changed.finalists.count) == (2, 1)
    assert changed.score.weights == {"technical": 2.0}
    assert [edition.size for edition in changed.editions] == ["1024x1024", "1536x1024"]
    assert (changed.provider, changed.images_per_minute) == ("emulator", 50)


def test_what_was_changed_is_in_the_campaign_that_a_run_keeps(tmp_path: Path) -> None:
    """Read again without any option, it is the same."""
    changed = loaded(tmp_path, values={"drafts.per_prompt": "2"}, only_arms=("B",), only_rows="2,4-5")
    again = Campaign.model_validate(yaml.safe_load(changed.as_yaml()))
    assert again.model_dump() == changed.model_dump()
    assert (again.drafts.per_prompt, list(again.arms), again.n_rows) == (2, ["B"], 3)


def test_rows_are_kept_in_their_order_and_told(tmp_path: Path) -> None:
    """Counted from 1; the run counts those that it has from 1 again."""
    whole, some = loaded(tmp_path), loaded(tmp_path, only_rows="6, 1-2")
    assert some.all_rows == (whole.all_rows[0], whole.all_rows[1], whole.all_rows[5])
    assert some.notes == ("Only rows 6, 1-2 of 6; this run counts them from 1.",)


def test_without_any_the_campaign_is_as_written(tmp_path: Path) -> None:
    """Combinations stay combinations."""
    assert loaded(tmp_path).variables is not None
    assert not Overrides().is_any


@pytest.mark.parametrize("rows", ["0", "7", "1-9", "3-2", "a", "", "1,,2", "-1", "1-", "²"])
def test_rows_that_are_not_there_are_refused(rows: str) -> None:
    """With how many there are."""
    with pytest.raises(CampaignError, match="accepted: rows from 1 to 6"):
        read_rows_wanted(rows, 6)


@pytest.mark.parametrize(
    ("overrides", "what"),
    [
        ({"only_arms": ("C",)}, "there is no arm C, accepted: A, B"),
        ({"values": {"drafts.per_promt": "2"}}, "drafts.per_promt (line"),
        (
            {"values": {"drafts.per_prompt": "-2"}},
            "-2 is not accepted for gpt-image-2, accepted: a whole",
        ),
        ({"values": {"name.first": "x"}}, "leads through the value 'sea-otter'"),
        ({"values": {"references.3": "x.png"}}, "references"),
        ({"values": {"drafts": "{a: ["}}, "is not a value"),
    ],
)
def test_a_wrong_override_is_refused_by_its_option(
    tmp_path: Path, overrides: dict[str, Any], what: str
) -> None:
    """The message has the option, as it was given."""
    message = refusal(tmp_path, **overrides)
    assert what in message
    assert "--only-arm" in message or "--set" in message
