"""The orders in flight of one run, whichever seller they are at: those that wait for money wait for them."""

import asyncio


class InFlight:
    """A count of orders in flight, and an event for each time that one ends."""

    def __init__(self) -> None:
        self.n = 0
        self._freed = asyncio.Event()

    @property
    def freed(self) -> asyncio.Event:
        """Set when the next order ends, and frees what it reserved too much."""
        return self._freed

    def begin(self) -> None:
        """Count one order more."""
        self.n += 1

    def end(self) -> None:
        """Count one order less, and wake what waits for the money that it freed."""
        self.n -= 1
        self.wake()

    def wake(self) -> None:
        """Let what waits for money look again: there may be nothing left to wait for."""
        freed, self._freed = self._freed, asyncio.Event()
        freed.set()
