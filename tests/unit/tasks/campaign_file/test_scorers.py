"""What a campaign must give its scorers is asked for before anything is bought."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks import scorers
from tasks.campaign import Campaign
from tasks.campaign_file.load import load_campaign
from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import load_providers
from tasks.errors import CampaignError

BASIS: dict[str, Any] = {
    "name": "signs", "provider": "openai", "budget": {"per_run_usd": 5},
    "rows": [{"slogan": "Fresh bread"}, {"slogan": ""}],
    "arms": {"A": {"prompt": "A shop sign {{ slogan }}"}},
    "drafts": {"model": "gpt-image-2"}, "finals": {"model": "gpt-image-2"},
}  # fmt: skip


def load(folder: Path, score: dict[str, Any], **changes: Any) -> Campaign:
    """Write and read a campaign with this score section."""
    file = folder / "campaign.yaml"
    file.write_text(yaml.safe_dump({**BASIS, "score": score, **changes}, sort_keys=False))
    return load_campaign(file, load_catalogue(folder), load_providers(folder))


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        ({"weights": {"palette": 1}}, "has no colour, but score.weights uses it"),
        ({"weights": {"palette": 1}, "palette": {"colors": []}}, "has no colour"),
        (
            {"weights": {"technical": 1}, "palette": {"colors": ["blue"]}},
            "'blue' is not accepted, accepted: red",
        ),
        ({"weights": {"legibility": 1}}, "no row expects text, but score.weights uses legibility"),
        ({"weights": {"legibility": 1}, "expect_text": "{{ sloagn }}"}, "row 1 cannot be filled"),
        ({"weights": {"technical": 1}, "expect_text": "{{ slogan"}, "score.expect_text"),
    ],
)
def test_a_scorer_without_what_it_needs_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, score: dict[str, Any], expected: str
) -> None:
    """Each fault has its key, and what would do."""
    monkeypatch.setattr(scorers, "find_spec", lambda module: module)
    with pytest.raises(CampaignError) as caught:
        load(tmp_path, score)
    assert len(caught.value.faults) == 1
    assert expected in caught.value.faults[0]


def test_a_scorer_with_what_it_needs_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row may expect no text; the variable of that name will do instead of the template."""
    monkeypatch.setattr(scorers, "find_spec", lambda module: module)
    score = {"weights": {"legibility": 2, "palette": 1}, "expect_text": "{{ slogan }}"}
    assert load(tmp_path, score | {"palette": {"colors": ["#0a1B2c"]}}).score.weights["legibility"] == 2
    rows = [{"slogan": "Fresh bread", "expect_text": "Bread"}]
    assert load(tmp_path, {"weights": {"legibility": 1}}, rows=rows).score.expect_text is None


def test_an_extra_that_is_not_installed_is_named_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is bought that nobody could read."""
    monkeypatch.setattr(scorers, "find_spec", lambda module: None if module == "rapidocr" else module)
    with pytest.raises(CampaignError, match=r"needs the extra 'ocr'.*pip install 'rapidocr>=3.10'"):
        load(tmp_path, {"weights": {"legibility": 1}, "expect_text": "{{ slogan }}"})


def test_weights_are_looked_for_beside_the_campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model's file is relative to the campaign; one that is not there is named whole."""
    monkeypatch.setattr(scorers, "find_spec", lambda module: module)
    score = {"weights": {"clip": 1}, "clip": {"weights": "models/vit.pt"}}
    with pytest.raises(CampaignError, match=f"there is no file {tmp_path / 'models' / 'vit.pt'}"):
        load(tmp_path, score)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "vit.pt").touch()
    clip = load(tmp_path, score).score.clip
    assert clip is not None
    assert (clip.model, clip.weights) == ("ViT-B-32", str(tmp_path / "models" / "vit.pt"))
