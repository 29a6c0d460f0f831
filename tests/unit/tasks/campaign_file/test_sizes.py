"""How much a campaign may ask for: what is more is refused with its number, before any of it is made."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tasks.campaign_file.load import load_campaign
from tasks.errors import CampaignError
from tests.support.campaign_files import basis, changed, faults
from tests.support.fuzzing import bounded
from tests.support.planning import CATALOGUE, PROVIDERS

MANY = [f"v{n}" for n in range(100)]


def _alone(key: str, value: Any, **others: Any) -> dict[str, Any]:
    campaign = basis() | {"arms": {"A": {"prompt": "x"}}, key: value} | others
    if key == "rows":
        del campaign["variables"]
    return campaign


@pytest.mark.parametrize(
    ("campaign", "expected"),
    [
        (
            _alone("variables", {f"v{n}": MANY for n in range(6)}),
            "variables (line 1): make 1,000,000,000,000 rows, accepted: at most 100,000",
        ),
        (
            _alone("variables", {f"v{n}": ["x"] for n in range(5000)} | {"w": MANY, "x": MANY}),
            "make 50,020,000 values: 10,000 rows of 5,002 variables, accepted: at most 1,000,000",
        ),
        (_alone("rows", [{"a": 1}] * 100_001), "rows (line 1): make 100,001 rows"),
        (_alone("rows", [{"a": "x" * 10_000}] * 3_000), "have 30,003,000 characters, names included"),
        (
            _alone("variables", {"a": MANY, "b": MANY}, drafts={"model": "gpt-image-2", "per_prompt": 1000}),
            "drafts.per_prompt (line 1): makes 10,000,000 orders: 10,000 rows, 1 arms, 1,000 requests"
            " of each, accepted: at most 1,000,000 orders in a run",
        ),
        (_alone("references", ["x.png"] * 6_000), "has 6,001 values, accepted: at most 5,000"),
        (
            _alone("finals", [{"model": "gpt-image-2", "name": f"n{n}"} for n in range(51)]),
            "at most 50",
        ),
    ],
    ids=["rows", "values", "listed rows", "characters", "orders", "references", "editions"],
)
def test_too_much_is_refused_at_once_with_its_number(
    tmp_path: Path, campaign: dict[str, Any], expected: str
) -> None:
    """One fault, from the lengths alone."""
    text = json.dumps(campaign)
    with bounded(memory_mb=300):
        found = faults(tmp_path, text)
    assert len(found) == 1, found
    assert expected in found[0]


def test_too_many_keys_are_no_campaign(tmp_path: Path) -> None:
    """One line, not one for each key."""
    found = faults(tmp_path, "\n".join(f"k{n}: 1" for n in range(20_000)))
    assert found == ("has 20,000 keys, accepted: name, provider, budget, arms, …",)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            "null",
            "variables.action.0 (line 5): is null, accepted: text, a number, true or false",
        ),
        ("[a]", "variables.action.0 (line 5): is a list, accepted: text"),
        ("{a: b}", "variables.action.0 (line 5): is a mapping, accepted: text"),
    ],
)
def test_what_is_no_value_is_one_fault(tmp_path: Path, value: str, expected: str) -> None:
    """Not one for each type that it might have had."""
    text = f"""\
name: x
provider: openai
budget: {{per_run_usd: 5}}
arms: {{A: {{prompt: "{{{{ action }}}}"}}}}
variables: {{action: [{value}]}}
drafts: {{model: gpt-image-2}}
finals: {{model: gpt-image-2}}
"""
    found = faults(tmp_path, text)
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_a_name_that_no_template_can_use_is_one_fault(tmp_path: Path) -> None:
    """Of variables and of rows."""
    (fault,) = faults(tmp_path, changed("variables", {"light": ["x"], "action": ["x"], "a b": ["y"]}))
    assert "variables.a b (line 10): 'a b' is no name of a variable (did you mean a_b?)" in fault
    (fault,) = faults(tmp_path, _alone("rows", [{"a": 1, "2b": 2}]))
    assert "rows.0.2b" in fault


def test_a_flood_of_wrong_values_is_cut(tmp_path: Path) -> None:
    """Fifty are shown, whatever the file holds."""
    text = json.dumps(_alone("rows", [[]] * 5_000))
    with bounded(memory_mb=300):
        found = faults(tmp_path, text)
    assert len(found) == 51


def test_nothing_is_said_of_prompts_whose_rows_are_not_known(tmp_path: Path) -> None:
    """What follows from the first fault is none of its own."""
    campaign = changed("references", ["{{ action }}.png"]) | {"variables": {"action": [None], "light": ["x"]}}
    assert [fault.partition(" ")[0] for fault in faults(tmp_path, campaign)] == ["variables.action.0"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such files on this system")
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_a_campaign_that_is_no_regular_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    """A pipe would be waited for, a device read without end."""
    file = tmp_path / "campaign.yaml"
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    else:
        file.symlink_to("/dev/zero")
    with pytest.raises(CampaignError, match=f"campaign.yaml is a {kind}, not a regular file"):
        load_campaign(file, CATALOGUE, PROVIDERS, scorers=["technical"])
