"""A gateway that answers as told, in shapes of its own."""

import json
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import httpx2

from tasks.order import Order
from tests.support.shop import Shop, order_of


class Gateway:
    """A gateway that always gives one answer, and counts."""

    def __init__(self, folder: Path) -> None:
        self.shop = Shop("http://gateway.test/v1", folder)
        self.n_requests = 0

    def answers(self, status: int, body: object, *orders: Order, **headers: str) -> Any:
        """Buy one order, or those given, from a gateway that answers so; returns the record of the first."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.answers_in_turn(repeat((status, content)), *(orders or (order_of(),)), **headers)

    def answers_in_turn(self, answers: Iterator[tuple[int, bytes]], *orders: Order, **headers: str) -> Any:
        """Buy orders from a gateway that gives each request the next answer; returns the first record."""

        def answer(_: httpx2.Request) -> httpx2.Response:
            self.n_requests += 1
            status, content = next(answers)
            return httpx2.Response(status, content=content, headers=headers)

        self.shop.transport = httpx2.MockTransport(answer)
        self.buyer = self.shop.buy(*orders)
        return self.shop.records()[0]
