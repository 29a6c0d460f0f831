"""The buyer and the official SDK against the emulator, over HTTP."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tasks.attachments.references import read_reference
from tasks.errors import BudgetError, SettingError, StopRunError
from tasks.images_api.recover_sent import is_recoverable, recover_sent
from tasks.images_api.retries import UNSENT_BACKOFF_S
from tasks.images_api.sidecars import sidecar_file
from tasks.images_api.terms import Terms
from tasks.ledger import Limits
from tasks.storage.parts import part_of
from tests.support.builders import RUN_ID, an_order
from tests.support.every_day import some_every_day
from tests.support.shop import FLARE, KEY, Opener, Shop, order_of


def test_an_order_is_bought_kept_and_settled(open_shop: Opener) -> None:
    """One request, the bytes on disk, a sidecar, and a cost equal to the bill."""
    shop = open_shop()
    buyer = shop.buy(order := order_of())
    record, bill = shop.record(), shop.bill()
    (candidate,) = shop.ledger.candidates.of_run(RUN_ID)
    assert record.state == "received"
    assert record.settlement.cost_usd == Decimal(bill["total"]["charged_usd"])
    assert record.settlement.vendor_request_id == bill["entries"][0]["request_id"]
    assert bill["entries"][0]["client_request_id"] == order.order_id
    assert (shop.folder / candidate.file).read_bytes().startswith(b"\x89PNG")
    assert candidate.file == "drafts/A-000-000.png"
    assert json.loads(sidecar_file(shop.folder, order.order_id).read_text())["order_id"] == order.order_id
    assert candidate.downgraded is None
    assert buyer.closed_by is None


def test_several_pictures_of_one_order_are_several_candidates(open_shop: Opener) -> None:
    """Each picture has its own replicate, file and name; the order is paid once."""
    shop = open_shop()
    shop.buy(order_of(replicate=4, n=3, output_format="jpeg"))
    found = shop.ledger.candidates.of_run(RUN_ID)
    assert [c.replicate for c in found] == [4, 5, 6]
    assert [c.file for c in found] == [f"drafts/A-000-00{k}.jpg" for k in (4, 5, 6)]
    assert len({c.candidate_id for c in found}) == 3


def test_an_edit_sends_its_references_and_mask(open_shop: Opener, tmp_path: Path) -> None:
    """The reference goes out with its name and type, and comes back in the usage."""
    shop = open_shop()
    shop.buy(order_of())
    (draft,) = shop.ledger.candidates.of_run(RUN_ID)
    Image.new("RGBA", (1024, 640)).save(tmp_path / "mask.png")
    edit = an_order(
        endpoint="edits",
        stage="final",
        provider="shop",
        parameters=FLARE,
        references=(read_reference(str(tmp_path / draft.file)),),
        mask=read_reference(str(tmp_path / "mask.png")),
        draft_id=draft.candidate_id,
    )
    shop.buy(edit)
    final = shop.ledger.orders.of_run(RUN_ID, "received")[1]
    assert final.settlement is not None
    assert final.settlement.usage.image_input_tokens is not None
    assert final.settlement.usage.image_input_tokens > 0
    assert shop.ledger.candidates.of_run(RUN_ID, "final")[0].file == "finals/A-000-000-try1.png"
    shop.buy(replace(edit, attempt=1, mask=None))
    assert len(shop.ledger.candidates.of_run(RUN_ID, "final")) == 2
    assert shop.ledger.orders.charged_usd(RUN_ID) == Decimal(shop.bill()["total"]["charged_usd"])


@pytest.mark.parametrize(
    ("fault", "state", "code"),
    [
        ({"kind": "moderation"}, "refused", "moderation_blocked"),
        ({"kind": "empty_data"}, "unknown", "empty_data"),
        ({"kind": "bill_then_drop"}, "unknown", "RemoteProtocolError"),
        ({"kind": "bill_then_hang", "duration_s": 10}, "unknown", "ReadTimeout"),
        ({"kind": "truncated_body"}, "unknown", "RemoteProtocolError"),
        ({"kind": "server_error", "status": 502}, "unknown", "http_502"),
        ({"kind": "server_error", "status": 504}, "unknown", "http_504"),
        ({"kind": "server_error", "status": 524}, "unknown", "http_524"),
        ({"kind": "comet_error"}, "failed", "invalid_request"),
    ],
)
def test_what_may_be_billed_is_sent_once(
    open_shop: Opener, fault: dict[str, Any], state: str, code: str
) -> None:
    """A failure that is final, or that may have been billed, is one request and one recorded order."""
    shop = open_shop(fault)
    shop.buy(order_of())
    record = shop.record()
    assert (record.state, record.settlement.error_code) == (state, code)
    assert shop.bill()["total"]["requests"] == 1
    assert record.charged_usd == (record.order.estimate_usd if state == "unknown" else 0)
    assert shop.ledger.verify() == []


@pytest.mark.parametrize(
    ("fault", "waits_s"),
    [
        ({"kind": "rate_limited", "retry_after": 12, "times": 1}, [12.5]),
        ({"kind": "rate_limited", "retry_after": 200, "times": 1}, [200.5]),
        ({"kind": "server_error", "status": 500, "times": 2}, [5.0, 20.0]),
        ({"kind": "server_error", "status": 503, "times": 1}, [5.0]),
    ],
)
def test_what_was_surely_not_billed_is_sent_again(
    open_shop: Opener, fault: dict[str, Any], waits_s: list[float]
) -> None:
    """It waits as it is told, sends again, and pays once."""
    shop = open_shop(fault)
    shop.buy(order_of())
    assert shop.record().state == "received"
    assert shop.record().n_sends == len(waits_s) + 1
    assert shop.waits_s == waits_s
    assert shop.bill()["total"]["charged_requests"] == 1


def test_a_server_that_keeps_failing_is_left_after_two_more_tries(open_shop: Opener) -> None:
    """Three requests, then the order has failed and costs nothing."""
    shop = open_shop({"kind": "server_error", "status": 500})
    shop.buy(order_of())
    assert shop.record().state == "failed"
    assert shop.bill()["total"]["requests"] == 3
    assert shop.ledger.orders.charged_usd(RUN_ID) == 0


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "invalid_key"}, "Set a valid key for the provider"),
        ({"kind": "quota", "code": "credit_balance_exhausted"}, "credit_balance_exhausted"),
        ({"kind": "billing_hard_limit"}, "billing_hard_limit_reached"),
        ({"kind": "unverified"}, "Verify the organization"),
        ({"kind": "retired"}, "--set drafts.model=NAME"),
        ({"kind": "redirect_html"}, "HTTP 301"),
    ],
)
def test_what_no_order_can_pass_stops_the_run(open_shop: Opener, fault: dict[str, Any], words: str) -> None:
    """The first such answer closes the buyer; what was not sent stays planned, nothing is charged."""
    shop = open_shop(fault)
    buyer = shop.buy(*(order_of(replicate=k) for k in range(12)))
    assert isinstance(buyer.closed_by, StopRunError)
    assert words in str(buyer.closed_by)
    assert KEY not in str(buyer.closed_by)
    assert {record.state for record in shop.ledger.orders.of_run(RUN_ID)} == {"planned"}
    assert shop.bill()["total"]["requests"] <= 4
    assert shop.ledger.orders.charged_usd(RUN_ID) == 0


def test_an_address_where_nobody_listens_stops_the_run(open_shop: Opener) -> None:
    """It is tried a few times, because nothing was sent; then the run stops and nothing is charged."""
    shop = open_shop()
    provider = shop.terms.provider.model_copy(update={"base_url": "http://127.0.0.1:9/v1"})
    shop.terms = Terms(provider, shop.terms.catalogue, shop.terms.environ)
    buyer = shop.buy(order_of())
    assert isinstance(buyer.closed_by, StopRunError)
    assert shop.waits_s == list(UNSENT_BACKOFF_S)
    assert (shop.record().state, shop.record().charged_usd) == ("planned", 0)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "wrong_size"}, "768x480 instead of 1024x640"),
        ({"kind": "wrong_format"}, "jpeg instead of png"),
        ({"kind": "no_picture"}, ""),
        ({"kind": "bomb"}, "20000"),
    ],
)
def test_what_differs_from_the_order_is_kept_and_said(
    open_shop: Opener, fault: dict[str, Any], words: str
) -> None:
    """It was paid for, so it is received; what is wrong stands beside it."""
    shop = open_shop(fault)
    shop.buy(order_of())
    (candidate,) = shop.ledger.candidates.of_run(RUN_ID)
    assert shop.record().state == "received"
    assert candidate.downgraded is not None
    assert words in candidate.downgraded
    assert (shop.folder / candidate.file).stat().st_size == candidate.n_bytes


def test_a_cheaper_tier_and_a_missing_picture_are_said(open_shop: Opener) -> None:
    """A gateway that sells less than was ordered is found out by its own usage and count."""
    shop = open_shop({"kind": "lower_tier", "nth": [1]}, {"kind": "fewer_pictures", "nth": [1]})
    shop.buy(order_of(replicate=0, quality="high"))
    shop.buy(order_of(replicate=1, n=2))
    tier, count = (candidate.downgraded for candidate in shop.ledger.candidates.of_run(RUN_ID))
    assert tier is not None
    assert "output tokens where this quality uses" in tier
    assert count == "1 of 2 pictures"


def test_an_answer_without_usage_stays_charged_at_its_estimate(open_shop: Opener) -> None:
    """An unknown cost is null, never zero, and the budget keeps the estimate."""
    shop = open_shop({"kind": "missing_usage"})
    shop.buy(order_of())
    record = shop.record()
    assert record.settlement.cost_usd is None
    assert record.charged_usd == record.order.estimate_usd


def test_foreign_usage_keys_do_no_harm(open_shop: Opener) -> None:
    """Gateways add keys of their own."""
    shop = open_shop({"kind": "foreign_usage_keys"})
    shop.buy(order_of())
    assert shop.record().settlement.cost_usd == Decimal(shop.bill()["total"]["charged_usd"])


def test_a_budget_is_used_up_and_not_passed(open_shop: Opener) -> None:
    """Orders wait for reservations to be settled, and the buyer closes when nothing more fits."""
    shop = open_shop()
    shop.buy(order_of())
    one_usd = shop.ledger.orders.charged_usd(RUN_ID)
    budget_usd = Decimal("0.01") + one_usd * 5
    limits = Limits(per_run_usd=budget_usd)
    buyer = shop.buy(*(order_of(replicate=k) for k in range(1, 30)), limits=limits)
    assert isinstance(buyer.closed_by, BudgetError)
    assert 5 <= shop.bill()["total"]["charged_requests"] <= 7
    assert shop.ledger.orders.charged_usd(RUN_ID) <= budget_usd


def test_a_picture_that_cannot_be_kept_stops_the_run(open_shop: Opener) -> None:
    """A picture that cannot be kept is told with its order and its price, and stays charged."""
    shop = open_shop()
    (shop.folder / "drafts").write_text("a file where the folder should be")
    with pytest.raises(SettingError, match=rf"order {order_of().order_id} arrived, was billed \(\$0\.00"):
        shop.buy(order_of(), order_of(replicate=1))
    record = shop.ledger.orders.of_run(RUN_ID)[0]
    assert (record.state, record.settlement and record.settlement.error_code) == ("unknown", "not_kept")
    assert shop.ledger.orders.charged_usd(RUN_ID) == Decimal(shop.bill()["total"]["charged_usd"])
    assert shop.ledger.verify() == []


class PowerCut(BaseException):
    """The machine goes off."""


def cut(*_: object, **__: object) -> None:
    """Go off here."""
    raise PowerCut


def buy_and_go_off(shop: Shop) -> None:
    """Let the machine go off when an order was answered and stored, and is to be settled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shop.ledger.orders, "begin_settle", cut)
        with pytest.raises(PowerCut):
            shop.buy(order_of())


def test_a_sidecar_whose_picture_is_gone_proves_nothing_until_the_picture_comes(open_shop: Opener) -> None:
    """After a power cut the one may be there without the other: nobody can tell, so it stays charged."""
    shop = open_shop()
    buy_and_go_off(shop)
    picture = shop.folder / "drafts" / "A-000-000.png"
    picture.rename(shop.folder / "elsewhere.png")
    assert recover_sent(shop.ledger, RUN_ID, shop.folder, shop.terms) == {"received": 0, "unknown": 1}
    assert recover_sent(shop.ledger, RUN_ID, shop.folder, shop.terms) == {"received": 0, "unknown": 0}
    assert not is_recoverable(shop.ledger, RUN_ID, shop.folder, shop.terms)
    (shop.folder / "elsewhere.png").rename(picture)  # as when another machine brings it into the store later
    assert is_recoverable(shop.ledger, RUN_ID, shop.folder, shop.terms)
    assert recover_sent(shop.ledger, RUN_ID, shop.folder, shop.terms) == {"received": 1, "unknown": 0}
    assert shop.ledger.verify() == []


@pytest.mark.parametrize(("moment", "is_cost_known"), [("settlement", True), ("sidecar", False)])
def test_a_picture_on_disk_is_not_bought_again(
    open_shop: Opener, moment: str, *, is_cost_known: bool
) -> None:
    """Killed between the bytes and the settlement, the order is healed from what is on disk."""
    shop = open_shop()
    buy_and_go_off(shop)
    if moment == "sidecar":
        sidecar_file(shop.folder, order_of().order_id).unlink()
    (shop.folder / "drafts" / "A-000-000.json").write_text("{}")  # no picture, whatever wrote it
    assert shop.record().state == "sent"
    assert recover_sent(shop.ledger, RUN_ID, shop.folder, shop.terms) == {"received": 1, "unknown": 0}
    cost = shop.record().settlement.cost_usd
    assert cost == (Decimal(shop.bill()["total"]["charged_usd"]) if is_cost_known else None)
    assert len(shop.ledger.candidates.of_run(RUN_ID)) == 1
    assert {file.name for file in (shop.folder / "drafts").iterdir()} == {"A-000-000.png", "A-000-000.json"}
    assert shop.ledger.verify() == []


@pytest.mark.parametrize("renamed", [[], ["drafts"], ["answers"]])
@pytest.mark.parametrize("is_whole", [True, False])
def test_an_answer_that_was_written_and_not_named_is_received_at_its_cost(
    open_shop: Opener, renamed: list[str], *, is_whole: bool
) -> None:
    """All bytes are on disk before a file has its name: a kill between the two loses nothing of them."""
    shop = open_shop()
    buy_and_go_off(shop)
    files = [shop.folder / "drafts" / "A-000-000.png", sidecar_file(shop.folder, order_of().order_id)]
    for file in files:
        if file.parent.name not in renamed:
            part = file.rename(part_of(file))
            if not is_whole:
                part.write_bytes(part.read_bytes()[:-9])
    is_received = is_whole or "drafts" in renamed
    found = recover_sent(shop.ledger, RUN_ID, shop.folder, shop.terms)
    assert found == {"received": int(is_received), "unknown": int(not is_received)}
    cost = shop.record().settlement.cost_usd
    assert cost == (Decimal(shop.bill()["total"]["charged_usd"]) if is_whole else None)
    assert list(shop.folder.rglob(".*.part")) == []
    assert shop.ledger.verify() == []


@pytest.mark.parametrize(
    "content",
    some_every_day(
        [b'{"order_id": ', b'{"pictures": 7}', b"", b"\xff\xfe{}", b"[]"], lambda content: len(content) > 4
    ),
)
@pytest.mark.parametrize("has_picture", [True, False])
def test_a_damaged_sidecar_is_named_and_the_run_goes_on(
    open_shop: Opener, content: bytes, *, has_picture: bool
) -> None:
    """Its order is received without a known cost if its picture is whole, else unknown; resuming works."""
    shop = open_shop()
    buy_and_go_off(shop)
    sidecar = sidecar_file(shop.folder, order_of().order_id)
    sidecar.write_bytes(content)
    if not has_picture:
        (shop.folder / "drafts" / "A-000-000.png").unlink()
    said: list[str] = []
    counts = recover_sent(shop.ledger, RUN_ID, shop.folder, shop.terms, said.append)
    assert counts == {"received": int(has_picture), "unknown": int(not has_picture)}
    assert (shop.record().cost_usd, shop.record().charged_usd) == (None, order_of().estimate_usd)
    (sentence,) = said
    assert f"sidecar {sidecar} is damaged" in sentence
    assert sentence in shop.ledger.runs.find(RUN_ID).warnings
    assert recover_sent(shop.ledger, RUN_ID, shop.folder, shop.terms)["unknown"] == 0
    assert sidecar.read_bytes() == content, "left for people"
    assert shop.ledger.verify() == []


def test_an_order_that_was_refused_stays_refused_after_a_kill(open_shop: Opener) -> None:
    """Its end is on disk before the ledger has it: it is not charged as unknown."""
    shop = open_shop({"kind": "moderation"})
    buy_and_go_off(shop)
    assert shop.record().state == "sent"
    assert recover_sent(shop.ledger, RUN_ID, shop.folder, shop.terms)["unknown"] == 0
    assert (shop.record().state, shop.record().charged_usd) == ("refused", 0)
    assert shop.record().settlement.error_code == "moderation_blocked"
