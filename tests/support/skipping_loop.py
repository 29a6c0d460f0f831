"""An event loop whose clock skips what would be waited for: what goes by the clock is exact, and at once."""

import asyncio
import selectors
from collections.abc import Callable
from typing import Any


class SkippingLoop(asyncio.SelectorEventLoop):
    """A loop for what waits only for timers, not for threads or sockets; it begins at 0 s."""

    def __init__(self) -> None:
        self._now_s = 0.0
        super().__init__(_Skipping(self._skip))

    def time(self) -> float:
        """The loop's own clock, seconds."""
        return self._now_s

    def _skip(self, seconds: float) -> None:
        self._now_s += seconds


class _Skipping(selectors.DefaultSelector):
    def __init__(self, skip: Callable[[float], None]) -> None:
        super().__init__()
        self._skip_s = skip

    def select(self, timeout: float | None = None) -> Any:
        if timeout is not None and timeout > 0:
            self._skip_s(timeout)
            timeout = 0
        return super().select(timeout)
