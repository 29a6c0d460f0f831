"""How much work an order makes, counted where seconds would depend on the machine's load.

Each number is what it takes today, with what it is for. Whoever needs more of them writes down why.
"""

from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from tasks import inspect as inspecting
from tasks.inspect import inspect_pictures
from tasks.ledger import Ledger
from tasks.pictures.decoding import decode
from tests.support.builders import RUN_ID
from tests.support.shop import Opener, order_of

TRANSACTIONS_PER_ORDER = 2
"""One before it is sent, and one when its answer is on disk: less could be paid twice after a kill."""
STATEMENTS_PER_ORDER = 14
"""Sending: the team's limit, three budgets, the order. Settling: the order read, written and charged, three
budgets, its picture. Both: the beginning of the transaction."""
N_ORDERS = 10


def count_statements(ledger: Ledger) -> Counter[str]:
    """Count the statements that a ledger gives from now on."""
    counted: Counter[str] = Counter()

    def note(*facts: object) -> None:
        counted[str(facts[2])] += 1

    sa.event.listen(ledger.database.engine, "before_cursor_execute", note)
    return counted


def test_an_order_takes_two_transactions_and_fourteen_statements(open_shop: Opener) -> None:
    """Whatever a batch takes once does not count: ten orders are held against one."""
    shop = open_shop()
    counted = count_statements(shop.ledger)
    shop.buy(order_of())
    counted.clear()
    shop.buy(order_of(replicate=1))
    of_one = Counter(counted)
    counted.clear()
    shop.buy(*(order_of(replicate=2 + k) for k in range(1 + N_ORDERS)))
    per_order = {words: round((counted[words] - of_one[words]) / N_ORDERS) for words in counted}
    assert per_order["BEGIN IMMEDIATE"] == TRANSACTIONS_PER_ORDER
    assert sum(per_order.values()) == STATEMENTS_PER_ORDER


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
