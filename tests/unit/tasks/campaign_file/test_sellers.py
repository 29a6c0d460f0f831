"""Who sells what: providers of arms and finals that there are not, and what each of them cannot do."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tasks.campaign import Campaign
from tasks.campaign_file.sellers import edit_faults, seller_faults
from tasks.catalogue.providers import Provider, Providers
from tests.support.campaign_files import basis


def seller(name: str, **own: Any) -> Provider:
    """Describe a provider."""
    return Provider.model_validate({"name": name, "base_url": f"https://{name}.test/v1"} | own)


KNOWN = (
    seller("openai", capabilities={"edits": True, "batch": True, "max_n": 10}),
    seller("cloud", kind="azure", capabilities={"max_n": 10}),
    seller("router", kind="openrouter", capabilities={"max_n": 10}),
    seller("chat", kind="chat-images", capabilities={"max_n": 10}),
    seller("texts", capabilities={"edits": False}),
)
PROVIDERS = Providers({one.name: one for one in KNOWN}, (Path("providers.yaml"),))


def faults(changes: Mapping[str, Any]) -> list[str]:
    """Find the faults of a small campaign with changes, as `key: what`."""
    campaign = Campaign.model_validate(basis() | dict(changes))
    found = [*seller_faults(campaign, PROVIDERS), *edit_faults(campaign, PROVIDERS)]
    return [f"{'.'.join(fault.path)}: {fault.what}" for fault in dict.fromkeys(found)]


def arms(**own: Any) -> dict[str, Any]:
    """Two arms, the second with settings of its own."""
    return {"arms": {"A": {"prompt": "an otter"}, "B": {"prompt": "an otter"} | own}}


def finals(**own: Any) -> dict[str, Any]:
    """Finals with settings of their own."""
    return {"finals": {"model": "gpt-image-2.6-sunburst"} | own}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (arms(provider="clod"), "arms.B.provider: there is no provider 'clod'"),
        (finals(provider="nobody"), "finals.provider: there is no provider 'nobody'"),
        (arms(provider="texts") | {"references": ["a.png"]}, "arms.B.provider: texts does not edit pictures"),
        (finals(provider="texts"), "finals.method: texts does not edit pictures"),
        (arms(provider="router", mask="m.png"), "arms.B.mask: router takes no mask"),
        (finals(provider="chat", mask="m.png"), "finals.mask: chat takes no mask"),
        (arms(provider="cloud", drafts={"format": "webp"}), "arms.B.drafts.format: cloud makes no webp"),
        (finals(provider="cloud", format="webp"), "finals.format: cloud makes no webp"),
        (
            arms(provider="chat") | {"drafts": {"model": "gpt-image-2", "images_per_request": 2}},
            "drafts.images_per_request: 2 pictures cannot be asked for at once of chat",
        ),
        (
            arms(provider="cloud") | {"drafts": {"model": "gpt-image-2", "lane": "batch"}},
            "drafts.lane: a batch is bought at one provider, and the arms have 2",
        ),
        (
            arms(budget_usd="1.00") | {"drafts": {"model": "gpt-image-2", "lane": "batch"}},
            "arms.B.budget_usd: an arm's own limit does not hold in a batch",
        ),
    ],
)
def test_what_a_provider_cannot_do_is_told_at_its_key(changes: dict[str, Any], said: str) -> None:
    """Before anything is bought."""
    assert any(fault.startswith(said) for fault in faults(changes)), faults(changes)


def test_arms_at_several_providers_are_no_fault() -> None:
    """Nor finals somewhere else."""
    assert faults(arms(provider="cloud", budget_usd="0.50") | finals(provider="cloud")) == []


@pytest.mark.parametrize("can", ["batch", "streaming"])
def test_another_protocol_has_neither_batch_nor_streaming(can: str) -> None:
    """A provider that says so is described wrongly."""
    with pytest.raises(ValueError, match="neither batch nor streaming"):
        seller("router", kind="openrouter", capabilities={can: True})
