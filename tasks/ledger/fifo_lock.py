"""A lock that is handed to whoever has waited longest.

Python's own goes to any thread that asks at the right moment, which is nearly always the one that has just
released it: a thread that writes transaction after transaction would keep all others waiting.
"""

import threading
from collections import deque


class FifoLock:
    """A lock among threads, in the sequence in which they asked for it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._is_held = False

    @property
    def n_waiting(self) -> int:
        """How many threads wait for it."""
        return len(self._waiting)

    def acquire(self, timeout_s: float) -> bool:
        """Take the lock; returns whether it was taken within the time."""
        with self._guard:
            if not self._is_held:
                self._is_held = True
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=timeout_s):
            return True
        with self._guard:
            if mine not in self._waiting:  # it was handed over meanwhile
                return True
            self._waiting.remove(mine)
            return False

    def release(self) -> None:
        """Hand the lock to the thread that has waited longest, if one waits."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_held = False
