"""Campaign files with and without faults, and the pictures that they name."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from tasks.campaign import Campaign
from tasks.campaign_file.load import load_campaign
from tasks.errors import CampaignError
from tests.support.planning import CATALOGUE, PROVIDERS


def basis() -> dict[str, Any]:
    """Write a small campaign without faults."""
    return {
        "name": "sea-otter",
        "provider": "openai",
        "budget": {"per_run_usd": 5.0},
        "variables": {"action": ["swimming", "asleep"], "light": ["dawn", "dusk", "noon"]},
        "arms": {"A": {"prompt": "otter {{ action }} at {{ light }}"}, "B": {"prompt": "drawn {{ action }}"}},
        "drafts": {"model": "gpt-image-2"},
        "finals": {"model": "gpt-image-2.6-sunburst"},
    }


def changed(path: str, value: Any) -> dict[str, Any]:
    """Change one key of the small campaign."""
    campaign = basis()
    part: Any = campaign
    *above, last = path.split(".")
    for key in above:
        part = part.setdefault(key, {})
    part[last] = value
    return campaign


def load(folder: Path, campaign: dict[str, Any] | str) -> Campaign:
    """Write a campaign into a folder and read it."""
    file = folder / "campaign.yaml"
    text = campaign if isinstance(campaign, str) else yaml.safe_dump(campaign, sort_keys=False)
    file.write_text(text, encoding="utf-8")
    return load_campaign(file, CATALOGUE, PROVIDERS, scorers=["technical", "palette"])


def faults(folder: Path, campaign: dict[str, Any] | str) -> tuple[str, ...]:
    """Read a wrong campaign and list its faults."""
    with pytest.raises(CampaignError) as caught:
        load(folder, campaign)
    assert caught.value.exit_code == 2
    assert "Nothing was bought." in str(caught.value)
    return caught.value.faults


def save(folder: Path, name: str, size: tuple[int, int], mode: str = "RGBA") -> str:
    """Save a small picture."""
    Image.new(mode, size).save(folder / name)
    return name
