"""How drafts reach the provider: what a campaign may ask for, what is refused, and the way out."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.campaign_file.load import load_campaign
from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import Provider, Providers, load_providers
from tasks.errors import CampaignError
from tasks.plan import plan
from tests.support.builders import NOON, RUN_ID

CATALOGUE = load_catalogue(environ={})
PROVIDERS = load_providers()
SELLER = PROVIDERS.provider("cometapi").model_copy(
    update={
        "name": "seller",
        "capabilities": PROVIDERS.provider("openai").capabilities,
    }
)


def written(folder: Path, **drafts: Any) -> Path:
    """Write a small campaign."""
    campaign = {
        "name": "otters",
        "provider": drafts.pop("provider", "openai"),
        "budget": {"per_run_usd": 5.0},
        "arms": {"A": {"prompt": "an otter"}},
        "drafts": {"model": "gpt-image-2", "size": "1024x640", "per_prompt": 2} | drafts,
        "finalists": {"count": 0},
        "finals": {"model": "gpt-image-2", "method": "generate"},
    }
    file = folder / "campaign.yaml"
    file.write_text(yaml.safe_dump(campaign))
    return file


def faults(folder: Path, *sellers: Provider, **drafts: Any) -> tuple[str, ...]:
    """The faults of a campaign."""
    known = Providers({**PROVIDERS.by_name, **{seller.name: seller for seller in sellers}}, PROVIDERS.files)
    with pytest.raises(CampaignError) as caught:
        load_campaign(written(folder, **drafts), CATALOGUE, known)
    return caught.value.faults


@pytest.mark.parametrize(
    ("drafts", "what", "way_out"),
    [
        (
            {"lane": "batch", "model": "gpt-image-2.6-flare"},
            "gpt-image-2.6-flare has no batch",
            "a model that",
        ),
        ({"lane": "batch", "provider": "cometapi"}, "cometapi has no batch lane", "a provider that has one"),
        (
            {"lane": "batch", "provider": "seller"},
            "in the batch lane",
            "a batch_factor beside",
        ),
        ({"lane": "batch", "partial_images": 1}, "a batch does not stream", "lane: interactive"),
        ({"partial_images": 1, "provider": "cometapi"}, "cometapi does not stream", "a provider that does"),
        ({"partial_images": 1, "images_per_request": 2}, "does not say which picture", "1"),
        ({"partial_images": 4}, "partial_images", "3"),
        ({"partial_images": -1}, "partial_images", "0"),
    ],
)
def test_what_cannot_be_had_is_refused_with_the_way_out(
    tmp_path: Path, drafts: dict[str, Any], what: str, way_out: str
) -> None:
    """Before anything is sent, at the key at fault."""
    (fault,) = faults(tmp_path, SELLER, **drafts)
    assert what in fault
    assert way_out in fault


@pytest.mark.parametrize("partials", [0, 1, 3])
def test_a_stream_is_asked_for_under_the_names_of_the_api_and_its_tokens_are_estimated(
    tmp_path: Path, partials: int
) -> None:
    """A hundred output tokens for each partial picture, at the high end."""
    plain = load_campaign(written(tmp_path), CATALOGUE, PROVIDERS)
    whole = plan(plain, CATALOGUE, PROVIDERS, RUN_ID, NOON.date())
    campaign = load_campaign(written(tmp_path, partial_images=partials), CATALOGUE, PROVIDERS)
    streamed = plan(campaign, CATALOGUE, PROVIDERS, RUN_ID, NOON.date())
    assert streamed.orders[0].parameters["stream"] is True
    assert streamed.orders[0].parameters["partial_images"] == partials
    assert "stream" not in whole.orders[0].parameters
    extra = (streamed.drafts_high_usd - whole.drafts_high_usd) * 10**9
    assert extra == len(streamed.orders) * partials * 100 * 30_000
    assert streamed.drafts_low_usd == whole.drafts_low_usd


def test_the_batch_lane_is_planned_at_half_of_every_estimate_within_a_day(tmp_path: Path) -> None:
    """The same orders under the same names, each reserved at half."""
    dear = plan(
        load_campaign(written(tmp_path), CATALOGUE, PROVIDERS), CATALOGUE, PROVIDERS, RUN_ID, NOON.date()
    )
    campaign = load_campaign(written(tmp_path, lane="batch"), CATALOGUE, PROVIDERS)
    cheap = plan(campaign, CATALOGUE, PROVIDERS, RUN_ID, NOON.date())
    assert [order.order_id for order in cheap.orders] == [order.order_id for order in dear.orders]
    assert [order.estimate_usd * 2 for order in cheap.orders] == [order.estimate_usd for order in dear.orders]
    assert {order.lane for order in cheap.orders} == {"batch"}
    assert cheap.drafts_s == 24 * 3600
