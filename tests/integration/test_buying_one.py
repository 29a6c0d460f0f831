"""`runoff doctor --buy-one`: a price first, one picture, and what it says of its provider."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from flows.command_line import runoff
from tests.support.ledgers import open_ledger
from tests.support.provider import Provider, providers

KEY = "sk-of-the-shop-0123456789"


@pytest.fixture
def open_one() -> Iterator[Any]:
    """Open an emulator with faults and other settings."""
    with providers() as opened:
        yield opened


def doctor(home: Path, provider: Provider, *words: str, **entry: Any) -> dict[str, Any]:
    """Give the command, and return what it found by subject."""
    home.mkdir(exist_ok=True)
    facts = {"base_url": provider.url, "key_variable": "SHOP_KEY", "images_per_minute": 1000} | entry
    (home / "providers.yaml").write_text(yaml.safe_dump({"providers": {"shop": facts}}))
    given = ["doctor", "--provider", "shop", "--buy-one", "--json", "--home", str(home), *words]
    done = CliRunner().invoke(runoff, given, env={"SHOP_KEY": KEY})
    found = json.loads(done.stdout)["findings"]
    return {one["subject"]: one for one in found} | {"said": done.stderr}


def test_the_price_is_said_and_nothing_bought_without_agreement(open_one: Any, tmp_path: Path) -> None:
    """Without a terminal nobody can agree but by --yes."""
    provider = open_one()
    found = doctor(tmp_path, provider)
    assert "One picture of gpt-image" in found["said"]
    assert "at most $0.0" in found["said"]
    assert found["picture"]["what"] == "none was bought"
    assert provider.n_requests == 0


def test_a_good_provider_passes_and_the_ledger_has_what_it_cost(open_one: Any, tmp_path: Path) -> None:
    """One request, of the cheapest picture, in a run of its own."""
    provider = open_one()
    found = doctor(tmp_path, provider, "--yes")
    states = {name: found[name]["state"] for name in ("picture", "form", "price", "request id", "time")}
    assert set(states.values()) == {"ok"}
    assert provider.n_requests == 1
    with open_ledger(tmp_path) as ledger:
        (spent,) = ledger.spending.by("provider")
        assert spent.spent_usd == Decimal(provider.charged_nanousd) / 10**9
        assert ledger.verify(tmp_path) == []


@pytest.mark.parametrize(
    ("fault", "subject", "state", "said"),
    [
        ({"kind": "missing_usage"}, "price", "warning", "no usage that a price follows from"),
        ({"kind": "wrong_size"}, "form", "warning", "instead of"),
        ({"kind": "moderation"}, "picture", "fault", "refused"),
        ({"kind": "bill_then_drop"}, "picture", "fault", "unknown"),
        ({"kind": "invalid_key"}, "picture", "fault", "key"),
    ],
)
def test_what_is_amiss_is_told_in_words(
    open_one: Any, tmp_path: Path, fault: dict[str, Any], subject: str, state: str, said: str
) -> None:
    """With the state of the money and what to do; nothing is sent twice."""
    provider = open_one(fault | {"path": "images", "times": 9})
    found = doctor(tmp_path, provider, "--yes")
    assert found[subject]["state"] == state
    assert said in found[subject]["what"]
    assert provider.n_requests == 1


def test_another_protocol_passes_too(open_one: Any, tmp_path: Path) -> None:
    """By the cost that its answer states."""
    provider = open_one(profile="openrouter")
    found = doctor(tmp_path, provider, "--yes", kind="openrouter", bills_by="answer")
    assert found["picture"]["state"] == "ok"
    assert "by the cost that the answer states" in found["price"]["what"]


def test_a_model_that_is_not_sold_is_told(open_one: Any, tmp_path: Path) -> None:
    """With how to add it."""
    found = doctor(tmp_path, open_one(), "--yes", "--model", "dall-e-3")
    assert "runoff models add" in found["picture"]["way_out"]


def test_a_cost_that_no_answer_states_is_not_said_to_be_stated(open_one: Any, tmp_path: Path) -> None:
    """Where ``bills_by: answer`` found nothing, the model's own price was charged."""
    found = doctor(tmp_path, open_one(), "--yes", bills_by="answer")
    assert found["price"]["state"] == "warning"
    assert "the answer states no cost that is known" in found["price"]["what"]
    assert "by its price" in found["price"]["what"]


def test_a_model_that_is_sold_here_by_name_is_bought_before_the_catalogues(
    open_one: Any, tmp_path: Path
) -> None:
    """Though one of the catalogue's costs less: a provider without prices is only assumed to sell it."""
    provider = open_one()
    doctor(tmp_path, provider)
    words = ["models", "add", "painter", "--provider", "shop", "--per-picture", "0.5", "--size", "1024x1024"]
    CliRunner().invoke(runoff, [*words, "--source", "https://shop.test", "--yes", "--home", str(tmp_path)])
    found = doctor(tmp_path, provider)
    assert "One picture of painter, standard 1024x1024" in found["said"]
    found = doctor(tmp_path, provider, prices={})
    assert found["models"]["what"] == "1 of 1 image models have a recent price and no shutdown date"
