"""A provider for ``benchmarks.chaos``: the emulator, with faults that depend on the order's id only.

A killed run sends its orders in a different sequence than an undisturbed one. Which fault an order meets, and
which picture it gets, therefore depends on its id only, so that both runs have the same outcomes.
"""

import json
import random
import sys
from collections import Counter
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from tasks.emulator import server
from tasks.emulator.app import create_app
from tasks.emulator.faults import FaultBook, FaultRule
from tasks.emulator.settings import EmulatorSettings

FAULT_SHARE = 0.1
LATENCY = 0.02
"""The emulator's pace: 0.16 s for a draft, 0.3 s for a final."""

# Each with how often an order meets it; ``None`` is every time.
FAULTS: Sequence[tuple[dict[str, Any], int | None]] = (
    ({"kind": "bill_then_hang", "duration_s": 30}, None),
    ({"kind": "bill_then_drop"}, None),
    ({"kind": "drop"}, None),
    ({"kind": "slow_body", "duration_s": 0.5}, None),
    ({"kind": "truncated_body"}, None),
    ({"kind": "rate_limited", "retry_after": 1}, 1),
    ({"kind": "server_error", "status": 500}, 1),
    ({"kind": "server_error", "status": 502}, None),
    ({"kind": "server_error", "status": 503}, 1),
    ({"kind": "server_error", "status": 504}, None),
    ({"kind": "comet_error"}, None),
    ({"kind": "moderation"}, None),
    ({"kind": "empty_data"}, None),
    ({"kind": "html_200"}, None),
    ({"kind": "wrong_size"}, None),
    ({"kind": "wrong_format"}, None),
    ({"kind": "foreign_usage_keys"}, None),
    ({"kind": "missing_usage"}, None),
    ({"kind": "no_picture"}, None),
    ({"kind": "truncated_png"}, None),
)
UNKNOWN_KINDS = {
    "bill_then_hang", "bill_then_drop", "drop", "truncated_body", "server_error", "empty_data", "html_200",
}  # fmt: skip
_caller: ContextVar[str] = ContextVar("caller", default="")


def current_caller() -> str:
    """Return the id of the order that is being answered."""
    return _caller.get()


def is_unknown_kind(kind: str | None) -> bool:
    """Whether an order may be unknown after a fault."""
    return kind in UNKNOWN_KINDS


class FaultsByOrder(FaultBook):
    """Decides by an order's name which fault it meets.

    Args:
        seed: Decides them all.
        dropped: Orders whose connection is dropped, unbilled: those that a kill left unknown elsewhere.
    """

    def __init__(self, seed: int, dropped: Sequence[str]) -> None:
        super().__init__((), seed)
        self._chance_seed = seed
        self._dropped = frozenset(dropped)
        self._met: Counter[str] = Counter()

    def choose(self, *_: object) -> FaultRule | None:
        """Find the fault of the order that is being answered."""
        name = current_caller()
        if name in self._dropped:
            return FaultRule(kind="drop")
        chance = random.Random(f"{self._chance_seed}:{name}")
        if not name or chance.random() >= FAULT_SHARE:
            return None
        fault, times = chance.choice(FAULTS)
        self._met[name] += 1
        return FaultRule(**fault) if times is None or self._met[name] <= times else None


def knowing_callers(app: ASGIApp) -> ASGIApp:
    """Note whose request is being answered."""

    async def noted(scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        _caller.set(headers.get(b"x-client-request-id", b"").decode())
        await app(scope, receive, send)

    return noted


def main() -> None:
    """Serve on a free port until terminated; the first line printed is the address."""
    seed, dropped = int(sys.argv[1]), json.loads(sys.argv[2])
    settings = EmulatorSettings(seed=seed, paint="plain", pace=LATENCY, picture_by_client_request_id=True)

    def create(settings: EmulatorSettings | None = None) -> Any:  # noqa: ANN401 - an ASGI application
        app = create_app(settings)
        app.state.emulator.fault_book = FaultsByOrder(seed, dropped)
        return knowing_callers(app)

    server.create_app = create  # type: ignore[attr-defined]  # the door to its faults by order
    server.serve(settings, ready=lambda url: print(url, flush=True))


if __name__ == "__main__":
    main()
