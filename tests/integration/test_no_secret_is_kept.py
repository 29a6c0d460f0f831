"""Whatever fault an answer has, and however it repeats the key: it stands nowhere afterwards."""

from typing import Any

import pytest

from tasks.emulator import server
from tasks.emulator.app import create_app
from tasks.emulator.faults import FAULT_KINDS
from tests.support import shop as shop_module
from tests.support.batch_shop import DOWNLOAD, LOOK, UPLOAD, Open, end
from tests.support.planted import KEY, Parrot, leaks, told
from tests.support.shop import OF_OTHER_LANES, Opener, Shop, order_of

SECRETS = {"the key": KEY}
STOPPING = ("quota", "billing_hard_limit", "retired", "unverified", "invalid_key", "redirect_html")
LEFT_OUT = ("bill_then_hang", "bill_then_drop", "drop", "slow_body", "truncated_body", "bomb")
"""They bring no text, or none for which there is time every day."""

ONE_AFTER_ANOTHER = sorted(
    kind for kind in FAULT_KINDS if not kind.startswith(OF_OTHER_LANES) and kind not in STOPPING + LEFT_OUT
)


@pytest.fixture(autouse=True)
def _parrot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every emulator repeat the key that it is called with."""
    monkeypatch.setattr(server, "create_app", lambda settings: Parrot(create_app(settings)))
    monkeypatch.setattr(shop_module, "KEY", KEY)


def hold(shop: Shop, *errors: object) -> None:
    """Expect that the key is found in no file, no record and no error, however it is written."""
    shop.ledger.close()
    assert leaks(shop.folder, SECRETS) == []
    shown = "".join(map(repr, [*shop.purchases, *errors])) + "".join(map(str, errors))
    assert told(shown, SECRETS) == []


def test_no_fault_of_a_picture_leaves_the_key(open_shop: Opener) -> None:
    """One order for each fault that does not stop a run."""
    shop = open_shop(*({"kind": kind, "times": 1} for kind in ONE_AFTER_ANOTHER))
    buyer = shop.buy(*(order_of(number) for number in range(len(ONE_AFTER_ANOTHER) + 3)))
    messages = [one.settlement.error_message for one in shop.records() if one.settlement]
    assert any("[secret]" in str(message) for message in messages)
    hold(shop, buyer.closed_by, *shop.records())


@pytest.mark.parametrize("kind", STOPPING)
def test_no_fault_that_stops_a_run_leaves_the_key(open_shop: Opener, kind: str) -> None:
    """The sentence that ends the run has the provider's words, without the key."""
    shop = open_shop({"kind": kind})
    buyer = shop.buy(order_of())
    assert "[secret]" in str(buyer.closed_by) or kind == "redirect_html"  # whose page is not told
    hold(shop, buyer.closed_by, *shop.records())


@pytest.mark.parametrize(
    "rules",
    [
        [{"kind": "batch_invalid"}],
        [{"kind": "batch_expires"}],
        [{"kind": "batch_all_failed"}],
        [UPLOAD | {"kind": "invalid_key"}],
        [LOOK | {"kind": "server_error"}, DOWNLOAD | {"kind": "html_200", "times": 1}],
        [
            {"kind": kind, "times": 1, "path": "/v1/images/generations"}
            for kind in ("moderation", "no_picture")
        ],
    ],
    ids=lambda rules: rules[0]["kind"],
)
def test_no_fault_of_a_batch_leaves_the_key(open_bench: Open, rules: list[dict[str, Any]]) -> None:
    """Nor do the batch's own errors, its files, and what the list says of it."""
    bench = open_bench()
    end(bench, *rules, count=3)
    hold(bench.shop, bench.closed_by, *bench.notes.values(), *bench.shop.records())
