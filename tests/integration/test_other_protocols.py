"""Sellers by other protocols than the Images API: bought from over HTTP, and billed as the ledger says."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tasks.attachments.references import read_reference
from tasks.catalogue.providers import Provider
from tasks.emulator.server import emulator_server
from tasks.emulator.settings import EmulatorSettings, ProfileName
from tasks.images_api.recover_sent import recover_sent
from tests.support.builders import RUN_ID
from tests.support.provider import Provider as Served
from tests.support.shop import KEY, Shop, order_of

KINDS: tuple[ProfileName, ...] = ("openrouter", "chat-images", "gemini")
STATES_COST = ("openrouter", "chat-images")


class Counter:
    """A shop that buys from an emulator of one kind."""

    def __init__(self, kind: ProfileName, url: str, folder: Path) -> None:
        self.served, self.shop = Served(url), Shop(url, folder)
        own: dict[str, Any] = {"kind": kind, "bills_by": "answer" if kind in STATES_COST else "prices"}
        if kind == "gemini":
            own |= {"key_variable": None, "headers": {"x-goog-api-key": "${SHOP_KEY}"}}
        facts = self.shop.terms.provider.model_dump() | own
        self.shop.terms = replace(self.shop.terms, provider=Provider.model_validate(facts))

    def record(self) -> Any:
        """The only order's record, of a ledger that is consistent."""
        assert self.shop.ledger.verify() == []
        return self.shop.record()


@pytest.fixture(params=KINDS)
def counter(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Counter]:
    """A shop that buys from an emulator of each kind, which accepts its key only."""
    settings = EmulatorSettings(paint="plain", profile=request.param, api_key=KEY)
    with emulator_server(settings) as url:
        opened = Counter(request.param, url, tmp_path)
        yield opened
        opened.shop.ledger.close()


def test_a_picture_is_bought_and_its_bill_is_the_ledgers(counter: Counter) -> None:
    """What an answer says that it cost is what is charged; where it says nothing, the estimate."""
    counter.shop.buy(order_of(size="1024x1024", quality="high"))
    record = counter.record()
    assert record.state == "received"
    (candidate,) = counter.shop.ledger.candidates.of_run(RUN_ID)
    assert candidate.downgraded is None
    with Image.open(counter.shop.folder / candidate.file) as picture:
        assert picture.size == (1024, 1024)
    billed_usd = Decimal(counter.served.charged_nanousd) / 10**9
    stated = counter.shop.terms.provider.bills_by == "answer"
    assert record.cost_usd == (billed_usd if stated else None)
    assert record.charged_usd == (billed_usd if stated else record.order.estimate_usd)


def test_a_stated_cost_survives_a_kill(counter: Counter) -> None:
    """The sidecar has it."""
    counter.shop.buy(order_of(size="1024x1024", quality="high"))
    before = counter.record()
    from tasks.ledger.schema import candidates, orders

    with counter.shop.ledger.database.write() as connection:
        connection.execute(candidates.delete())
        connection.execute(orders.update().values(state="sent"))
    assert recover_sent(counter.shop.ledger, RUN_ID, counter.shop.folder, counter.shop.terms)["received"] == 1
    assert counter.shop.record().cost_usd == before.cost_usd


def test_pictures_are_sent_along(counter: Counter, tmp_path: Path) -> None:
    """As the protocol carries them."""
    Image.new("RGB", (640, 640), "teal").save(tmp_path / "logo.png")
    order = order_of(size="1024x1024", quality="high")
    edit = replace(order, endpoint="edits", references=(read_reference(str(tmp_path / "logo.png")),))
    counter.shop.buy(edit)
    assert counter.record().state == "received"
    entries = [entry for entry in counter.served.bill()["entries"] if entry["charged_nanousd"]]
    assert entries[0]["usage"]["input_tokens_details"]["image_tokens"] > 0


@pytest.mark.parametrize(
    ("cost", "believed"),
    [
        (0.04, Decimal("0.04")), ("0.04", Decimal("0.04")), ({"total_cost": 0.04}, Decimal("0.04")),
        (0, None), (-1, None), (float("nan"), None), (float("inf"), None), (10**9, None), (True, None),
        ("free", None), ([], None),
    ],
)  # fmt: skip
def test_only_a_cost_that_can_be_is_believed(cost: object, believed: Decimal | None) -> None:
    """Nothing absurd passes a budget."""
    from tasks.images_api.reported_cost import reported_cost_usd

    assert reported_cost_usd({"usage": {"cost": cost}}, {}) == believed


def test_a_cost_in_ticks_or_in_a_header_is_read() -> None:
    """As xAI and LiteLLM state it."""
    from tasks.images_api.reported_cost import reported_cost_usd

    assert reported_cost_usd({"usage": {"cost_in_usd_ticks": 200_000_000}}, {}) == Decimal("0.02")
    assert reported_cost_usd([], {"x-litellm-response-cost": "0.011"}) == Decimal("0.011")


def test_an_account_that_is_blocked_stops_the_run(counter: Counter) -> None:
    """By its status, in any protocol."""
    counter.shop.terms = replace(counter.shop.terms, environ={"SHOP_KEY": "sk-another-0123456789"})
    buyer = counter.shop.buy(order_of(size="1024x1024", quality="high"))
    assert buyer.closed_by is not None
    assert (counter.record().state, counter.record().charged_usd) == ("planned", 0)
