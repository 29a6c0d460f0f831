"""The Batch lane at the real door: files, batches and results of an emulator over HTTP."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.batch_shop import BatchShop, open_batch_shop, orders

Open = Callable[..., BatchShop]


@pytest.fixture
def open_shop(tmp_path: Path) -> Iterator[Open]:
    """Open a shop with faults; closed at the end."""
    opened: list[Any] = []

    def open_one(*faults: dict[str, Any], **settings: Any) -> BatchShop:
        opened.append(open_batch_shop(tmp_path, *faults, **settings))
        shop: BatchShop = opened[-1].__enter__()
        return shop

    yield open_one
    for one in opened:
        one.__exit__(None, None, None)


def test_orders_go_out_in_one_sitting_and_come_in_in_another(open_shop: Open) -> None:
    """Nobody waits: the first sitting hands over, the next one finds it not ready, the third collects."""
    bench = open_shop()
    assert bench.sit(*orders(3)) == 1
    assert bench.states() == ["sent"] * 3
    assert bench.sit() == 1
    assert "0 of 3 orders done" in next(iter(bench.notes.values()))
    bench.later()
    assert bench.sit() == 0
    assert bench.states() == ["received"] * 3
    assert len(bench.created()) == 1
    assert bench.is_right()
