"""`runoff models pull`: a seller's price list, shown as a difference, taken with a date and its address."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from flows.command_line import runoff
from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import load_providers
from tests.support.relay import Relay, relay

DATED = {"price_as_of": "2026-11-22", "source": "a contract", "checked_on": "2026-11-22"}
LISTED = {
    "group_ratio": {"default": 1, "vip": 0.8},
    "data": [
        {"model_name": "gpt-image-2", "quota_type": 1, "model_price": 0.05},
        {"model_name": "gpt-image-1.5", "quota_type": 0, "model_ratio": 2.5},
        {"model_name": "gpt-image-2.5-flare", "quota_type": 1, "model_price": float("inf")},
    ],
}


@pytest.fixture
def seller() -> Iterator[Relay]:
    """A seller with files at its addresses."""
    with relay() as served:
        yield served


def lists(seller: Relay, path: str, body: Any) -> None:
    """Put a list at an address of the seller."""
    seller.file(path, json.dumps(body).encode(), content_type="application/json")


def pull(home: Path, seller: Relay, *words: str, kind: str = "openai") -> Result:
    """Give the command for a provider at that seller."""
    home.mkdir(exist_ok=True)
    entry = {"base_url": seller.url, "key_variable": "SHOP_KEY", "kind": kind}
    (home / "providers.yaml").write_text(yaml.safe_dump({"providers": {"shop": entry}}))
    given = ["models", "pull", *words, "--provider", "shop", "--home", str(home)]
    return CliRunner().invoke(runoff, given, env={"SHOP_KEY": "sk-of-the-shop-0123456789"})


def price(home: Path, model: str) -> Any:
    """Return the price of a model at the shop."""
    return load_providers(home).provider("shop").prices_of(load_catalogue(home).model(model))


def test_a_list_is_shown_first_and_taken_with_yes(seller: Relay, tmp_path: Path) -> None:
    """With the day and the address that it is from; what cannot be read is told."""
    lists(seller, "/api/pricing", LISTED)
    named = ("gpt-image-2", "gpt-image-1.5", "gpt-image-2.5-flare", "painter")
    shown = pull(tmp_path, seller, *named, "--group", "vip")
    assert "gpt-image-2: text_input 5, image_input 8, image_output 30 → per_request 0.04" in shown.output
    assert "gpt-image-1.5: not taken, it is priced by ratios of tokens" in shown.output
    assert "gpt-image-2.5-flare: not taken" in shown.output
    assert "painter: not taken, it is not in the list" in shown.output
    assert "Nothing was written" in shown.output
    assert not (tmp_path / "prices").exists()
    assert pull(tmp_path, seller, *named, "--group", "vip", "--yes").exit_code == 0
    taken = price(tmp_path, "gpt-image-2")
    assert (taken.per_request, taken.image_output) == (Decimal("0.04"), None)
    assert taken.source == f"{seller.host}/api/pricing"
    again = pull(tmp_path, seller, "gpt-image-2", "--group", "vip")
    assert "No price differs" in again.output


def test_what_people_wrote_counts_before_a_list(seller: Relay, tmp_path: Path) -> None:
    """A price by contract stays."""
    lists(seller, "/api/pricing", LISTED)
    pull(tmp_path, seller, "gpt-image-2", "--yes")
    entries = yaml.safe_load((tmp_path / "providers.yaml").read_text())
    entries["providers"]["shop"]["prices"] = {"gpt-image-2": {"per_picture": "0.01"} | DATED}
    (tmp_path / "providers.yaml").write_text(yaml.safe_dump(entries))
    stated = price(tmp_path, "gpt-image-2")
    assert (stated.per_picture, stated.per_request) == (Decimal("0.01"), None)


def test_litellms_list_has_prices_by_picture_and_by_token(seller: Relay, tmp_path: Path) -> None:
    """Tokens are dollars each there, and for a million in the catalogue."""
    info = [
        {"model_name": "gpt-image-2", "model_info": {"output_cost_per_image": 0.04}},
        {"model_name": "gpt-image-1.5", "model_info": {
            "input_cost_per_token": 5e-06, "output_cost_per_image_token": 3.2e-05}},
        {"model_name": "gpt-image-2.5-flare", "model_info": {"input_cost_per_token": 5e-06}},
    ]  # fmt: skip
    lists(seller, "/v1/model/info", {"data": info})
    named = ("gpt-image-2", "gpt-image-1.5", "gpt-image-2.5-flare")
    done = pull(tmp_path, seller, *named, "--list", "litellm", "--yes")
    assert "gpt-image-2.5-flare: not taken, it has no price for pictures" in done.output
    assert price(tmp_path, "gpt-image-2").per_picture == Decimal("0.04")
    by_token = price(tmp_path, "gpt-image-1.5")
    assert (by_token.text_input, by_token.image_output) == (Decimal(5), Decimal(32))


def test_openrouters_dearest_endpoint_counts(seller: Relay, tmp_path: Path) -> None:
    """Any of them may be the one that sells; a unit that is not known is not guessed."""

    def endpoint(*lines: tuple[str, str, object]) -> dict[str, Any]:
        return {"pricing": [{"billable": b, "unit": u, "cost_usd": c} for b, u, c in lines]}

    dear = [endpoint(("output_image", "image", "0.04")), endpoint(("output_image", "image", "0.05"))]
    lists(seller, "/v1/images/models/gpt-image-2/endpoints", {"data": {"endpoints": dear}})
    odd = [endpoint(("output_image", "furlong", "0.04"))]
    lists(seller, "/v1/images/models/gpt-image-1.5/endpoints", {"data": {"endpoints": odd}})
    done = pull(tmp_path, seller, "gpt-image-2", "gpt-image-1.5", "--yes", kind="openrouter")
    assert "gpt-image-1.5: not taken" in done.output
    assert price(tmp_path, "gpt-image-2").per_picture == Decimal("0.05")


def test_prices_of_a_provider_that_is_gone_harm_nobody(seller: Relay, tmp_path: Path) -> None:
    """They are left out."""
    lists(seller, "/api/pricing", LISTED)
    pull(tmp_path, seller, "gpt-image-2", "--yes")
    (tmp_path / "providers.yaml").unlink()
    assert "shop" not in load_providers(tmp_path).by_name


def test_a_seller_without_a_list_is_told(seller: Relay, tmp_path: Path) -> None:
    """With what to do; no key stands in the message."""
    done = pull(tmp_path, seller, "gpt-image-2")
    assert "answers HTTP 404" in str(done.exception)
    assert "sk-of-the-shop" not in str(done.exception)
