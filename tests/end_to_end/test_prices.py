"""Prices as data: shown with their source, added by a user, and nothing is bought without one."""

import json
from decimal import Decimal
from typing import Any

import pytest
import yaml

from tests.support.provider import OpenProvider
from tests.support.shell import CAMPAIGN, Shell

NEW_MODEL: dict[str, Any] = {
    "kind": "image",
    "lifecycle": {"source": "https://example.org/models", "checked_on": "2026-11-22"},
    "capabilities": {
        "sizes": ["1024x1024"],
        "qualities": ["low"],
        "formats": ["png"],
        "backgrounds": ["auto"],
        "edits": True,
        "max_references": 1,
    },
    "output_tokens": {"formula": "gpt-image-1"},
    "reference_tokens": "tiles",
}
PRICES = {
    "text_input": "1.00",
    "image_input": "1.00",
    "image_output": "10.00",
    "price_as_of": "2026-11-20",
    "source": "https://example.org/prices",
    "checked_on": "2026-11-22",
}
DRAFTS = {"model": "gpt-image-9-test", "quality": "low", "size": "1024x1024", "per_prompt": 1}


def write_catalogue(shell: Shell, model: dict[str, Any]) -> None:
    """Write the home's own catalogue."""
    shell.home.mkdir(exist_ok=True)
    # Days must be days, not text in quotes: YAML knows the difference and so does the catalogue.
    text = yaml.safe_dump({"models": {"gpt-image-9-test": model}}).replace("'2026", "2026")
    (shell.home / "catalogue.yaml").write_text(text.replace("-22'", "-22").replace("-20'", "-20"))


def test_every_price_has_its_source_and_day(shell: Shell) -> None:
    """As JSON for programs: what can be bought has dollars by quality and size; what cannot has null."""
    for fact in shell.json("models"):
        if fact["qualities"]:
            assert fact["source"].startswith("https://")
            assert fact["price_as_of"] <= fact["price_checked_on"]
            for sizes in fact["picture_usd"].values():
                for price in sizes.values():
                    assert 0 < Decimal(price["low_usd"]) <= Decimal(price["high_usd"])
        elif fact["kind"] == "image":
            assert fact["image_output_usd_per_mtok"] is None
            assert fact["picture_usd"] == {}


def test_a_models_page_shows_what_a_picture_costs(shell: Shell) -> None:
    """Sizes, qualities, prices, source and last day, in 80 columns."""
    page = shell.runoff("models", "gpt-image-1-mini", RUNOFF_TODAY="2026-11-22").stdout
    for said in ("2026-12-01, in 9 days", "1024x1536", "medium", "0.008–0.011", "https://developers"):
        assert said in page
    assert all(len(line.rstrip()) <= 80 for line in page.splitlines())
    unknown = shell.runoff("models", "gpt-image-1-mimi")
    assert unknown.returncode == 2
    assert "gpt-image-1-mini" in unknown.stderr


@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_model_without_a_price_is_refused_with_how_to_add_one(shell: Shell, command: str) -> None:
    """Exit 2 and the very key to write; nothing bought. Its page says so too."""
    write_catalogue(shell, NEW_MODEL)
    file = shell.campaign({"drafts": DRAFTS, "provider": "emulator"})
    done = shell.runoff(command, file)
    assert done.returncode == 2
    assert "models.gpt-image-9-test.prices" in done.stderr
    assert "RUNOFF_HOME/catalogue.yaml" in done.stderr
    assert "cannot be bought" in shell.runoff("models", "gpt-image-9-test").stdout


def test_a_price_added_is_a_price_planned(shell: Shell) -> None:
    """The home's file is enough: the model has a page, and a plan counts its tokens at that price."""
    write_catalogue(shell, NEW_MODEL | {"prices": PRICES})
    fact = shell.json("models", "gpt-image-9-test")
    assert (fact["source"], fact["price_as_of"]) == ("https://example.org/prices", "2026-11-20")
    price = fact["picture_usd"]["low"]["1024x1024"]
    assert Decimal("0.00272") < Decimal(price["low_usd"]) < Decimal("0.0028")  # 272 tokens and a line of text
    plan = shell.json("plan", shell.campaign({"drafts": DRAFTS, "provider": "emulator"}))
    orders = sum(arm["orders"] for arm in plan["arms"])
    assert orders == len(CAMPAIGN["arms"]) * 2
    assert Decimal(plan["drafts_low_usd"]) == pytest.approx(
        orders * Decimal(price["low_usd"]), rel=Decimal("0.01")
    )


def test_another_sellers_prices_are_its_own(shell: Shell) -> None:
    """What a gateway sells at its price, and what nobody has published a price for there."""
    sold = json.loads(shell.runoff("models", "gpt-image-2", "--provider", "cometapi", "--json").stdout)
    assert sold["image_output_usd_per_mtok"] == "24.00"
    other = shell.json("models", "gpt-image-2.6-flare", "--provider", "cometapi")
    assert other["image_output_usd_per_mtok"] is None
    assert other["picture_usd"] == {}


@pytest.mark.slow
def test_a_run_tells_how_far_its_estimates_were_from_the_bill(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Billed is the provider's bill and lies between the ends; an unknown cost is left out."""
    provider = open_provider({"kind": "missing_usage", "nth": [1], "path": "generations"})
    outcome = shell.json("run", shell.campaign())
    summary = json.loads((shell.folder(outcome["run_id"]) / "summary.json").read_text())
    errors = summary["money"]["estimate_error_by_stage"]
    assert (errors["draft"]["orders"], errors["final"]["orders"]) == (11, 2)
    charged = [entry["charged_nanousd"] for entry in provider.orders()]
    assert sum(error["billed_usd"] for error in errors.values()) == pytest.approx(sum(charged[1:]) / 1e9)
    for error in errors.values():
        assert error["low_usd"] <= error["billed_usd"] <= error["high_usd"]
        assert error["low_error_percent"] <= 0 <= error["high_error_percent"]
