"""One sitting of the Batch lane in a process of its own, killed at a named instant."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from tasks.images_api.batch_lane.batch_client import BatchClient
from tasks.images_api.batch_lane.lane import BatchLane
from tasks.ledger.batches import Batches
from tasks.ledger.orders import Orders
from tests.support.batch_bench import Clock
from tests.support.batch_shop import BatchShop, orders
from tests.support.shop import Shop


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _dying_at(state: str) -> Any:
    advance = Batches.advance

    def change(self: Batches, batch_key: str, to: Any, **facts: Any) -> None:
        if to == state and ("vendor_batch_id" in facts or state != "created"):
            _die()
        advance(self, batch_key, to, **facts)

    return change


def _dying_after_settling(self: Orders, *facts: Any) -> None:
    _SETTLE(self, *facts)
    _die()


_SETTLE = Orders.settle
INSTANTS: dict[str, tuple[type, str, Any]] = {
    "reserved, nothing written": (BatchLane, "_hand_over", _die),
    "lines written, not uploaded": (BatchClient, "upload", _die),
    "uploaded, not noted": (Batches, "advance", _dying_at("uploaded")),
    "uploaded, not asked": (BatchLane, "_ask", _die),
    "noted as asked, not asked": (BatchClient, "create", _die),
    "created, not noted": (Batches, "advance", _dying_at("created")),
    "picture kept, not settled": (Orders, "settle", _die),
    "one picture settled": (Orders, "settle", _dying_after_settling),
    "all settled, not noted": (Batches, "advance", _dying_at("collected")),
}


def main(url: str, folder: str, instant: str, now_s: str) -> None:
    """Plan three orders and take them as far as they go, up to that instant."""
    owner, name, stand_in = INSTANTS[instant]
    setattr(owner, name, stand_in)
    BatchShop(Shop(url, Path(folder)), Clock(float(now_s))).sit(*orders(3))


if __name__ == "__main__":
    main(*sys.argv[1:])
