"""Rows of a file that leave a gap in a prompt, what is no text, and paths as people write them."""

from pathlib import Path
from typing import Any

import pytest

from tasks.campaign import Campaign
from tasks.campaign_file.load import check_built_campaign
from tasks.errors import CampaignError
from tasks.plan import plan
from tests.support.campaign_files import basis, faults, load, save
from tests.support.planning import CATALOGUE, PROVIDERS, RUN, TODAY


def with_rows(
    folder: Path, text: str, prompt: str = "otter in {{ scene }}", **changes: Any
) -> dict[str, Any]:
    """Write rows into a file, and a campaign of two arms that uses them."""
    (folder / "r.csv").write_text(text, "utf-8")
    campaign = {key: value for key, value in basis().items() if key != "variables"}
    arms = {"A": {"prompt": prompt}, "B": {"prompt": f"drawn {prompt}"}}
    return campaign | {"rows": "r.csv", "arms": arms} | changes


@pytest.mark.parametrize("empty", ["", " ", "\u200b", "\u00a0\u3000", "\u2060\ufeff", "\u2800"])
def test_an_empty_value_that_a_prompt_uses_is_a_fault_with_its_line(tmp_path: Path, empty: str) -> None:
    """Whatever makes it look empty; a column that no prompt uses may have gaps."""
    campaign = with_rows(tmp_path, f"scene,note\nkelp,\n{empty},seen\nice,\n{empty},\n")
    (fault,) = faults(tmp_path, campaign)
    assert "r.csv:3: scene is empty, and the prompt of arm A uses it, accepted: a value in every row" in fault
    (tmp_path / "r.csv").write_text(f"scene,note\nkelp,{empty}\n", "utf-8")
    assert load(tmp_path, campaign).all_rows == ({"scene": "kelp", "note": empty},)


def test_an_empty_value_of_json_lines_is_a_fault_with_its_line(tmp_path: Path) -> None:
    """As in a table."""
    campaign = with_rows(tmp_path, "") | {"rows": "r.jsonl"}
    (tmp_path / "r.jsonl").write_text('{"scene": "kelp"}\n{"scene": ""}\n', "utf-8")
    (fault,) = faults(tmp_path, campaign)
    assert "r.jsonl:2: scene is empty, and the prompt of arm A uses it" in fault


def test_more_empty_values_are_counted(tmp_path: Path) -> None:
    """The first is named."""
    (fault,) = faults(tmp_path, with_rows(tmp_path, "scene,note\n,1\n,2\n,3\n"))
    assert "r.csv:2: scene is empty" in fault
    assert "; and 2 more rows" in fault


@pytest.mark.parametrize(
    "prompt",
    [
        "otter{% if scene %} in {{ scene }}{% endif %}",
        "otter in {{ scene or 'the sea' }}",
        "otter in {{ scene | default('the sea', true) }}",
        "otter in {{ scene if scene else 'the sea' }}",
    ],
)
def test_a_prompt_that_tests_a_value_is_written_for_rows_without_it(tmp_path: Path, prompt: str) -> None:
    """Then an empty cell is no gap."""
    assert load(tmp_path, with_rows(tmp_path, "scene,note\nkelp,1\n,2\n", prompt)).n_rows == 2


def test_a_final_prompt_needs_its_values_too(tmp_path: Path) -> None:
    """It is the dearer one."""
    finals = basis()["finals"] | {"prompt": "{{ prompt }} at {{ light }}"}
    (fault,) = faults(tmp_path, with_rows(tmp_path, "scene,light\nkelp,\n", finals=finals))
    assert "r.csv:2: light is empty, and the prompt of finals uses it" in fault


def test_empty_values_in_the_campaign_itself_are_meant(tmp_path: Path) -> None:
    """Somebody wrote the quotes: one level of a factor is nothing."""
    campaign = basis() | {"variables": {"action": ["", "asleep"], "light": ["dawn"]}}
    assert load(tmp_path, campaign).n_rows == 2


def test_the_plan_says_how_many_blank_lines_were_left_out(tmp_path: Path) -> None:
    """And a run's own copy of the campaign no longer has them."""
    campaign = load(tmp_path, with_rows(tmp_path, "scene,note\nkelp,1\n,\n,\n"))
    warnings = plan(campaign, CATALOGUE, PROVIDERS, RUN, TODAY, home=tmp_path).warnings
    assert warnings[0] == "rows: r.csv: 2 blank lines left out."
    assert load(tmp_path, campaign.as_yaml()).notes == ()


def test_what_is_no_text_is_a_fault_with_its_key(tmp_path: Path) -> None:
    """In a campaign built in Python as in one that is read: no request and no database could hold it."""
    campaign = Campaign.model_validate(basis() | {"references": ["a\0.png"], "variables": {"light": ["\0"]}})
    with pytest.raises(CampaignError) as caught:
        check_built_campaign(campaign, tmp_path, CATALOGUE, PROVIDERS)
    assert caught.value.faults == (
        "references.0: holds a NUL character at position 2, accepted: text",
        "variables.light.0: holds a NUL character at position 1, accepted: text",
    )


def test_a_template_cannot_write_what_is_no_text(tmp_path: Path) -> None:
    """Into a prompt or a path."""
    campaign = with_rows(tmp_path, "scene\nkelp\n", r'{{ "\0" }} {{ scene }}', references=[r'{{ "\0" }}.png'])
    found = " ".join(faults(tmp_path, campaign))
    assert found.count("holds a NUL character at position") == 3


def test_an_address_is_said_not_to_be_fetched(tmp_path: Path) -> None:
    """As a reference, a mask, rows, or in a row's own cell."""
    address = "https://pictures.example/a.png"
    campaign = with_rows(tmp_path, f'scene,file\nkelp,"{address}"\nice,"data:image/png;base64,{"A" * 500}"\n')
    told = "is an address, and addresses are not fetched: download it and name the file"
    (fault,) = faults(tmp_path, campaign | {"references": [address]})
    assert fault.startswith("references.0")
    assert f": {address} {told}" in fault
    (fault,) = faults(tmp_path, campaign | {"references": ["{{ file }}"]})
    assert f"row 1: {address} {told}; and 1 more row" in fault
    campaign["references"] = [save(tmp_path, "a.png", (64, 64))]
    (fault,) = faults(tmp_path, campaign | {"mask": address})
    assert fault.startswith("mask")
    assert f": {address} {told}" in fault
    (fault,) = faults(tmp_path, campaign | {"rows": "s3://bucket/rows.csv"})
    assert f": s3://bucket/rows.csv {told}" in fault


def test_paths_from_the_users_home_are_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the campaign, in a template, and in a row's cell."""
    home = tmp_path / "{{ me }}"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    save(home, "logo.png", (64, 64))
    campaign = with_rows(tmp_path, "scene,file,name\nkelp,~/logo.png,logo\n")
    written = ["~/logo.png", "~/{{ name }}.png", "{{ file }}"]
    loaded = load(tmp_path, campaign | {"references": written})
    orders = plan(loaded, CATALOGUE, PROVIDERS, RUN, TODAY, home=tmp_path).orders
    assert {reference.file for order in orders for reference in order.references} == {str(home / "logo.png")}
