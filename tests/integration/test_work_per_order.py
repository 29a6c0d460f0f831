"""How much work an order makes, counted where seconds would depend on the machine's load.

Each number is what it takes today, with what it is for. Whoever needs more of them writes down why.
"""

import base64
import io
import json
import tracemalloc
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import httpx2
import numpy as np
import pytest
from PIL import Image

from tasks import inspect as inspecting
from tasks.images_api.recover_sent import recover_sent
from tasks.images_api.sidecars import sidecar_file
from tasks.inspect import inspect_pictures
from tasks.ledger import Ledger, Limits, Settlement
from tasks.pictures.decoding import decode
from tests.support.builders import NOON, RUN_ID, a_receipt
from tests.support.ledgers import count_statements
from tests.support.shop import Opener, order_of

TRANSACTIONS_ALONE = 2
"""One before it is sent, and one when its answer is on disk: less could be paid twice after a kill."""
STATEMENTS_ALONE = 12
"""Both: the beginning of the transaction, the order read and written, the budgets read and written. Sending:
the team's limit. Settling: the picture."""
MEMORY_PER_BYTE = 2.7
"""The answer as text and the Base64 in it, each a third larger than the picture; the first is gone when the
picture is decoded. The body itself is the transport's."""
FULL_SIZE_SHRINKS = 2
N_ORDERS = 10


def move_together(ledger: Ledger, begin: Callable[[], list["Future[None]"]]) -> None:
    """Begin moves while another transaction is under way, so that they share the next one."""
    with ledger.database.write():
        moves = begin()
    for move in moves:
        move.result()


@pytest.mark.parametrize("n_orders", [1, N_ORDERS])
def test_orders_bought_at_the_same_time_take_the_work_of_one(open_shop: Opener, n_orders: int) -> None:
    """Whatever their number: each statement writes a row for each of them."""
    ledger = open_shop().ledger
    first, *orders = [order_of(replicate=k) for k in range(1 + n_orders)]
    ledger.orders.plan([first, *orders])
    ledger.orders.send(first, Limits(), NOON)  # the first of a month and of a run opens their budgets
    counted = count_statements(ledger)
    move_together(ledger, lambda: [ledger.orders.begin_send(one, Limits(), NOON) for one in orders])
    end = Settlement("received", cost_usd=orders[0].estimate_usd / 2)
    settle = ledger.orders.begin_settle
    move_together(ledger, lambda: [settle(one.order_id, end, [a_receipt(one)]) for one in orders])
    n_others = 2  # the transactions that they waited for
    assert counted["BEGIN IMMEDIATE"] == TRANSACTIONS_ALONE + n_others
    assert counted.total() == STATEMENTS_ALONE + n_others
    assert len(ledger.orders.of_run(RUN_ID, "received")) == n_orders


def test_buying_an_order_takes_no_more_of_the_ledger_than_its_two_moves(open_shop: Opener) -> None:
    """Fewer where orders meet. Whatever a batch takes once does not count: ten are held against one."""
    shop = open_shop()
    counted = count_statements(shop.ledger)
    shop.buy(order_of())
    counted.clear()
    shop.buy(order_of(replicate=1))
    of_one = counted.total(), counted["BEGIN IMMEDIATE"]
    counted.clear()
    shop.buy(*(order_of(replicate=2 + k) for k in range(1 + N_ORDERS)))
    of_more = counted.total(), counted["BEGIN IMMEDIATE"]
    n_statements, n_transactions = (more - one for more, one in zip(of_more, of_one, strict=True))
    assert n_transactions <= TRANSACTIONS_ALONE * N_ORDERS
    assert n_statements <= STATEMENTS_ALONE * N_ORDERS


def test_orders_that_a_kill_left_are_settled_in_few_transactions(open_shop: Opener) -> None:
    """A night's batch may leave thousands, and a commit waits for the disk."""
    shop = open_shop()
    orders = [order_of(replicate=k) for k in range(6 * N_ORDERS)]
    shop.ledger.orders.plan(orders)
    move_together(shop.ledger, lambda: [shop.ledger.orders.begin_send(one, Limits(), NOON) for one in orders])
    counted = count_statements(shop.ledger)
    found = recover_sent(shop.ledger, RUN_ID, shop.folder, shop.terms)
    assert found == {"received": 0, "unknown": len(orders)}
    assert counted["BEGIN IMMEDIATE"] <= len(orders) / 4
    assert all(sidecar_file(shop.folder, one.order_id).is_file() for one in orders)
    assert shop.ledger.verify() == []


def test_a_picture_is_decoded_once_when_it_is_inspected(
    open_shop: Opener, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Decoding is more than half of the work of inspecting."""
    shop = open_shop()
    shop.buy(*(order_of(replicate=k) for k in range(3)))
    decoded: list[int] = []

    def counted(source: bytes, where: str | None = None) -> object:
        decoded.append(len(source))
        return decode(source, where)

    monkeypatch.setattr(inspecting, "decode", counted)
    drafts = shop.ledger.candidates.of_run(RUN_ID)
    seen = dict(inspect_pictures(tmp_path, [(draft.file, f"{draft.name}.webp") for draft in drafts]))
    assert [one.fault for one in seen.values()] == [None] * 3
    assert sorted(decoded) == sorted(draft.n_bytes for draft in drafts)


def test_pillow_shrinks_a_picture_from_its_full_size_twice_and_never_copies_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """For its hashes and its thumbnail; its figures are taken from the same pixels, and a copy is 4 MB."""
    pixels = np.random.default_rng(2).integers(0, 256, (768, 1024, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png", compress_level=1)
    done: Counter[str] = Counter()

    def counted(name: str) -> None:
        whole = getattr(Image.Image, name)

        def count(picture: Image.Image, *words: object, **named: object) -> object:
            done[name] += picture.size == (1024, 768)
            return whole(picture, *words, **named)

        monkeypatch.setattr(Image.Image, name, count)

    for name in ("reduce", "resize", "convert", "copy", "tobytes"):
        counted(name)
    assert inspecting.inspect_picture(tmp_path, "picture.png", "picture.webp").fault is None
    assert +done == Counter(reduce=FULL_SIZE_SHRINKS)


def test_an_answer_takes_less_than_three_times_its_picture_in_memory(open_shop: Opener) -> None:
    """Whoever copies its bytes once more is seen here."""
    shop = open_shop()
    pixels = np.random.default_rng(1).integers(0, 256, (640, 1024, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", compress_level=0)
    picture = stream.getvalue()
    body = json.dumps({"created": 1, "data": [{"b64_json": base64.b64encode(picture).decode()}]}).encode()
    shop.transport = httpx2.MockTransport(
        lambda _: httpx2.Response(200, content=body, headers={"content-type": "application/json"})
    )
    shop.buy(order_of())  # what is loaded once does not count
    tracemalloc.start()
    try:
        shop.buy(order_of(replicate=1))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [record.state for record in shop.records()] == ["received"] * 2
    assert peak / len(picture) == pytest.approx(MEMORY_PER_BYTE, abs=0.15)
