"""What a campaign asks for is checked against the catalogue, the provider and its own pictures and rows."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.attachments import references
from tasks.campaign_file.load import load_campaign
from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import load_providers
from tasks.errors import CampaignError
from tests.support.campaign_files import basis, changed, faults, load, save
from tests.support.planning import CATALOGUE, PROVIDERS


def test_a_model_that_is_gone_needs_its_successor(tmp_path: Path) -> None:
    """Old campaigns still read when they name a living successor."""
    drafts = {"model": "gpt-image-1", "successor": {"model": "gpt-image-2.6-flare", "quality": "low"}}
    assert load(tmp_path, changed("drafts", drafts)).drafts.model == "gpt-image-1"


def test_a_provider_must_be_able_to_do_it(tmp_path: Path) -> None:
    """No edits, few pictures at once, unpriced models: each refused with the way out."""
    (tmp_path / "providers.yaml").write_text(
        'providers: {plain: {base_url: "https://x.example/v1", capabilities: {edits: false, max_n: 1}}}',
        "utf-8",
    )
    campaign = changed("drafts.images_per_request", 2) | {"provider": "plain"}
    file = tmp_path / "campaign.yaml"
    file.write_text(yaml.safe_dump(campaign), encoding="utf-8")
    with pytest.raises(CampaignError) as caught:
        load_campaign(file, CATALOGUE, load_providers(tmp_path), scorers=["technical"])
    told = " ".join(caught.value.faults)
    assert "finals.method" in told
    assert "2 is more than plain makes per request, accepted: at most 1" in told
    found = faults(tmp_path, basis() | {"provider": "cometapi"})
    assert "cometapi has no dated price for gpt-image-2.6-sunburst" in found[0]


def test_references_and_mask_become_absolute(tmp_path: Path) -> None:
    """Relative to the file, whatever the working directory; an arm's own replace the campaign's."""
    campaign = basis() | {"references": [save(tmp_path, "one.png", (64, 64))]}
    campaign["mask"] = save(tmp_path, "mask.png", (64, 64))
    campaign["arms"]["B"]["references"] = [save(tmp_path, "two.webp", (64, 64))]
    loaded = load(tmp_path, campaign)
    assert loaded.references_of("A") == (str(tmp_path / "one.png"),)
    assert loaded.references_of("B") == (str(tmp_path / "two.webp"),)
    assert loaded.mask == str(tmp_path / "mask.png")


@pytest.mark.parametrize(
    ("size", "mode", "name", "expected"),
    [
        ((64, 63), "RGBA", "mask.png", "mask.png is 64x63 and the first reference 64x64"),
        ((64, 64), "RGB", "mask.png", "is not a png with transparency"),
        ((64, 64), "RGBA", "mask.webp", "is not a png with transparency"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(
    tmp_path: Path, size: tuple[int, int], mode: str, name: str, expected: str
) -> None:
    """Another size, no transparency, no png."""
    campaign = basis() | {"references": [save(tmp_path, "one.png", (64, 64))]}
    campaign["mask"] = save(tmp_path, name, size, mode)
    found = faults(tmp_path, campaign)
    assert len(found) == 1
    assert expected in found[0]


def test_references_must_be_pictures_and_not_too_many(tmp_path: Path) -> None:
    """A gif, a text, and seventeen."""
    save(tmp_path, "one.png", (8, 8))
    save(tmp_path, "moving.gif", (8, 8), "P")
    (tmp_path / "words.png").write_text("no picture", encoding="utf-8")
    found = faults(tmp_path, basis() | {"references": ["moving.gif", "words.png", *["one.png"] * 15]})
    assert [fault.split(" ")[0] for fault in found] == ["references", "references.0", "references.1"]
    assert "17 pictures for gpt-image-2, accepted: at most 16" in found[0]


def test_a_reference_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    """With its file, what is wrong and what is accepted: half a picture is not paid for."""
    save(tmp_path, "half.png", (64, 64))
    file = tmp_path / "half.png"
    file.write_bytes(file.read_bytes()[:-20])
    (fault,) = faults(tmp_path, basis() | {"references": ["half.png"]})
    assert "half.png is truncated: its " in fault
    assert "accepted: a whole png, jpeg or webp file under 50 MB" in fault


def test_a_csv_with_ragged_rows_is_refused(tmp_path: Path) -> None:
    """Named by its line; templates are not blamed for rows that could not be read."""
    (tmp_path / "rows.csv").write_text("action,light\na,b\nc\n", encoding="utf-8")
    campaign = changed("rows", "rows.csv")
    del campaign["variables"]
    found = faults(tmp_path, campaign)
    assert len(found) == 1
    assert "rows.csv:3: has 1 value, but the first line has 2 names; light is missing" in found[0]
    (tmp_path / "rows.csv").write_text("action,light\n", encoding="utf-8")
    assert "has no rows" in faults(tmp_path, campaign)[0]


def test_empty_rows_are_no_rows(tmp_path: Path) -> None:
    """An empty list is a slip, not one empty row."""
    campaign = changed("rows", [])
    del campaign["variables"]
    assert "has no rows" in faults(tmp_path, campaign)[0]


@pytest.mark.parametrize(
    ("drafts", "provider", "expected"),
    [
        ({"model": "gpt-image-2.6-flare"}, "openai", "gpt-image-2.6-flare has no batch lane"),
        ({"model": "gpt-image-2"}, "cometapi", "cometapi has no batch lane"),
    ],
)
def test_the_batch_lane_is_refused_for_its_own_reason(
    tmp_path: Path, drafts: dict[str, Any], provider: str, expected: str
) -> None:
    """The model has none, or the provider has none."""
    campaign = basis() | {"drafts": drafts | {"lane": "batch"}, "provider": provider}
    campaign["finals"] = {"model": "gpt-image-2"}
    found = faults(tmp_path, campaign)
    assert len(found) == 1
    assert f"drafts.lane (line 20): {expected}" in found[0]


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        ({"weights": {"judge": 1}}, "score.judge (line 22): is missing, but score.weights uses it"),
        (
            {"weights": {"judge": 1}, "judge": {"model": "gpt-image-2", "rubric": ["x"]}},
            "gpt-image-2 makes pictures and cannot judge them",
        ),
        (
            {"weights": {"judge": 1}, "judge": {"model": "gpt-7", "rubric": ["x"]}},
            "there is no model 'gpt-7'",
        ),
        ({"weights": {"judge": 1}, "judge": {"model": "gpt-6-luna", "rubric": []}}, "score.judge.rubric"),
    ],
)
def test_a_judge_needs_a_model_that_answers(tmp_path: Path, score: dict[str, Any], expected: str) -> None:
    """Where a judge is installed, its settings are checked."""
    file = tmp_path / "campaign.yaml"
    file.write_text(yaml.safe_dump(changed("score", score), sort_keys=False), encoding="utf-8")
    with pytest.raises(CampaignError) as caught:
        load_campaign(file, CATALOGUE, PROVIDERS, scorers=["technical", "judge"])
    assert expected in caught.value.faults[0]


def test_a_model_that_cannot_edit_is_refused_for_edits(tmp_path: Path) -> None:
    """The user's own catalogue may hold one."""
    (tmp_path / "catalogue.yaml").write_text("models: {gpt-image-2: {capabilities: {edits: false}}}", "utf-8")
    file = tmp_path / "campaign.yaml"
    file.write_text(yaml.safe_dump(changed("finals.model", "gpt-image-2"), sort_keys=False), encoding="utf-8")
    catalogue = load_catalogue(tmp_path, environ={})
    with pytest.raises(CampaignError, match=r"finals\.model .*gpt-image-2 does not edit pictures"):
        load_campaign(file, catalogue, PROVIDERS, scorers=["technical"])


def test_moderation_and_references_exclude_each_other(tmp_path: Path) -> None:
    """The edits endpoint takes no moderation; a provider without edits takes no references."""
    (tmp_path / "providers.yaml").write_text("providers: {openai: {capabilities: {edits: false}}}", "utf-8")
    campaign = changed("drafts.moderation", "low") | {"references": [save(tmp_path, "one.png", (64, 64))]}
    campaign["finals"]["method"] = "generate"
    assert "drafts.moderation" in faults(tmp_path, campaign)[0]
    with pytest.raises(CampaignError, match="openai does not edit pictures, accepted: no references"):
        load_campaign(tmp_path / "campaign.yaml", CATALOGUE, load_providers(tmp_path), scorers=["technical"])


def test_a_picture_too_large_to_send_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both limits from both sides, with limits that a small file reaches."""
    name = save(tmp_path, "one.png", (64, 64))
    n_bytes = (tmp_path / name).stat().st_size
    campaign = basis() | {"references": [name], "mask": name}
    for limit in ("MAX_REFERENCE_BYTES", "MAX_MASK_BYTES"):
        with monkeypatch.context() as patch:
            patch.setattr(references, limit, n_bytes)
            assert f"{n_bytes:,} bytes" in faults(tmp_path, campaign)[0]
            patch.setattr(references, limit, n_bytes + 1)
            load(tmp_path, campaign)
