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
from tasks.images_api.predictions import Prediction, Predictions, prediction_of
from tasks.images_api.receiving import Bounds
from tasks.images_api.recover_sent import recover_sent
from tasks.images_api.reread import kept_orders, reread
from tests.support.builders import RUN_ID
from tests.support.provider import Provider as Served
from tests.support.shop import KEY, Shop, order_of

KINDS: tuple[ProfileName, ...] = ("openrouter", "chat-images", "gemini", "predictions", "azure")
STATES_COST = ("openrouter", "chat-images")


class Counter:
    """A shop that buys from an emulator of one kind."""

    def __init__(self, kind: ProfileName, url: str, folder: Path) -> None:
        self.served, self.shop = Served(url), Shop(url, folder)
        own: dict[str, Any] = {"kind": kind, "bills_by": "answer" if kind in STATES_COST else "prices"}
        if kind == "gemini":
            own |= {"key_variable": None, "headers": {"x-goog-api-key": "${SHOP_KEY}"}}
        if kind == "azure":
            own |= {
                "key_variable": None, "headers": {"api-key": "${SHOP_KEY}"},
                "query": {"api-version": "2025-04-01-preview"},
                "base_url": url.removesuffix("/v1") + "/openai",
            }  # fmt: skip
        facts = self.shop.terms.provider.model_dump() | own
        self.shop.terms = replace(self.shop.terms, provider=Provider.model_validate(facts))

    def record(self) -> Any:
        """The only order's record, of a ledger that is consistent."""
        assert self.shop.ledger.verify() == []
        return self.shop.record()


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.images_api.predictions.FIRST_WAIT_S", 0.01)


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
    provider = counter.shop.terms.provider
    stated = provider.bills_by == "answer" or provider.kind == "azure"  # which has the vendor's usage
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


@pytest.fixture
def predicting(tmp_path: Path) -> Iterator[Counter]:
    """A shop that buys predictions."""
    settings = EmulatorSettings(paint="plain", profile="predictions", api_key=KEY)
    with emulator_server(settings) as url:
        opened = Counter("predictions", url, tmp_path)
        yield opened
        opened.shop.ledger.close()


ORDER = order_of(size="1024x1024", quality="high")


def read_again(counter: Counter) -> list[str]:
    """Read the kept answers again; returns why there is still no picture, empty texts where there is."""
    records = kept_orders(counter.shop.ledger, RUN_ID, counter.shop.folder)
    found = reread(counter.shop.ledger, records, counter.shop.folder, lambda _: counter.shop.terms)
    return [one.reason for one in found]


def test_a_prediction_that_a_kill_left_is_asked_for_and_not_bought_again(
    predicting: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its id was on the disk before it was asked for."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tasks.images_api.predictions.Predictions.finished", killed)
        with pytest.raises(KeyboardInterrupt):
            predicting.shop.buy(ORDER)
    recover_sent(predicting.shop.ledger, RUN_ID, predicting.shop.folder, predicting.shop.terms)
    assert predicting.shop.record().state == "unknown"
    assert read_again(predicting) == [""]
    assert predicting.record().state == "received"
    assert predicting.served.bill()["total"]["charged_requests"] == 1


def test_a_prediction_that_takes_too_long_is_kept_and_comes_later(
    predicting: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays charged, and is not bought again."""
    with monkeypatch.context() as patch:
        patch.setattr("tasks.images_api.terms.Terms.read_timeout_s", lambda *_: 0.0)
        patch.setattr("tasks.images_api.answer_bounds.growth", lambda _: 1.0)
        late = Predictions(predicting.shop.terms, 0.0)
        patch.setattr("tasks.images_api.reading.Predictions", lambda *_: late)
        patch.setattr("tasks.images_api.answer_bounds.AnswerBounds.of", lambda *_: Bounds(30.0, 20_000_000))
        predicting.shop.buy(ORDER)
    record = predicting.record()
    assert (record.state, record.settlement.error_code) == ("unknown", "unreadable")
    assert record.charged_usd == record.order.estimate_usd
    assert read_again(predicting) == [""]
    assert predicting.record().state == "received"
    assert predicting.served.bill()["total"]["charged_requests"] == 1


def test_a_prediction_is_asked_for_at_the_providers_own_address_only() -> None:
    """Whatever address the answer names; the id is one part of a path."""
    body = {"id": "../../evil?x=", "status": "starting", "urls": {"get": "https://evil.test/p"}}
    found = prediction_of(body)
    assert found is not None
    assert not found.is_over
    assert prediction_of({"data": {"task_id": "t", "status": "SUCCESS"}}) == Prediction("t", "success")
    assert prediction_of({"id": "x", "object": "chat"}) is None
