"""What was ordered in the last minute, by whom, and what the provider said to it: one account's allowance.

The window slides, so that a provider's limit holds whether it counts by sliding or by fixed minutes, and the
first pictures still start at once. A rate limit met all the same halves the rate, once for all that was under
way together; each minute without one gives a tenth of the limit back (additive increase, multiplicative
decrease). Where no limit is known the rate grows by half a minute (slow start).

Where many processes wait for one allowance, the next order goes to the one that had the fewest pictures in
the window, of equals to the one that had the fewest while it waited, and then to the one that waits longest.
A process that ordered and was killed is forgotten
with its pictures; one that waited and was killed, ``GRACE_PERIOD`` after it should have come back.

Nothing here waits or reads a clock; time is what the caller says, in seconds.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

WINDOW_S = 60.0
"""Providers count pictures, or requests, a minute."""

# How the rate answers to the provider; the names are those of congestion control in TCP (RFC 5681).
MULTIPLICATIVE_DECREASE = 1 / 2
"""A rate limit that is met leaves this share of the rate: whatever piled up drains within a window."""
ADDITIVE_INCREASE = 1 / 10
"""A window without one gives this share of the known limit back: five windows from half to all of it, slow
enough that a limit which was lowered for good is met once in some minutes, not in each.
"""
SLOW_START = 1.5
"""Where no limit is known the rate grows by this factor a window. TCP doubles; but here a rate that is too
high costs refusals and a wait of the whole account, and twice the rate is too high at once.
"""
MOST_SLOW_START_WINDOWS = 60
"""So many windows are made up for at most after a pause: the rate stays a number."""
LEAST_RATE = 1.0
"""Pictures a window: slower than that nothing would ever find out that the limit was lifted."""

# Shares of the window:
BURST = 1 / 60
"""Pictures ordered at one moment count as the speed of this long: of an instant it would be infinite."""
ARRIVAL_MARGIN = 1 / 60
"""By it pictures count longer: of two requests the later one may be the quicker to reach the provider."""
RESOLUTION = 1 / 240
"""Within it a process's orders are counted as one, at the moment of the last, which keeps the ledger's row
small and lets nothing count too short.
"""
SHORTEST_WAIT = 1 / 6000
"""One does not come back sooner: a wait of nothing would spin."""
POLL_INTERVAL = 1 / 60
"""After it one looks again when another process goes first, which may have died."""
GRACE_PERIOD = 1 / 12
"""For it a place is kept for a process that should be back by now: a busy machine is that late."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Pictures that count in the window.

    Args:
        since_s: When the first of them was ordered.
        at_s: When the last of them was; all count from then.
        n: How many.
        by: The process.
    """

    since_s: float
    at_s: float
    n: int
    by: str


@dataclass(slots=True)
class Waiting:
    """A process that waits for its turn.

    Args:
        since_s: Since when it has had none.
        until_s: When it is to be back at the latest; then its place is given away.
        counts: How many pictures each of its orders wants, first ones first.
        n_served: How many pictures it has had while it waited without a break, beginning at as many as the
            one that had the fewest then.
    """

    since_s: float
    until_s: float
    counts: list[int]
    n_served: int = 0


@dataclass(slots=True)
class SlidingWindow:
    """One account's allowance.

    Args:
        length_s: How long the window is.
        seen_s: When it was last looked at.
        rate: Pictures a window since a limit was met; ``None`` when none ever was.
        not_before_s: Nothing is ordered before.
        slowed_at_s: When the rate was last halved.
        recovers_from_s: From when on the rate grows again.
        taken: What was ordered in the last window, oldest first.
        waiting: Who waits, by process.
    """

    length_s: float = WINDOW_S
    seen_s: float = 0.0
    rate: float | None = None
    not_before_s: float = 0.0
    slowed_at_s: float = 0.0
    recovers_from_s: float = 0.0
    taken: list[Taken] = field(default_factory=list)
    waiting: dict[str, Waiting] = field(default_factory=dict)

    @classmethod
    def of(cls, state: dict[str, Any]) -> Self:
        """Read what ``state`` wrote."""
        taken = [Taken(*values) for values in state["taken"]]
        waiting = {by: Waiting(*values) for by, values in state["waiting"].items()}
        return cls(**(state | {"taken": taken, "waiting": waiting}))

    def state(self) -> dict[str, Any]:
        """Write it as JSON."""
        return {
            "length_s": self.length_s,
            "seen_s": self.seen_s,
            "rate": self.rate,
            "not_before_s": self.not_before_s,
            "slowed_at_s": self.slowed_at_s,
            "recovers_from_s": self.recovers_from_s,
            "taken": [[entry.since_s, entry.at_s, entry.n, entry.by] for entry in self.taken],
            "waiting": {
                by: [one.since_s, one.until_s, one.counts, one.n_served] for by, one in self.waiting.items()
            },
        }

    def take(self, now_s: float, counts: Sequence[int], *, by: str, limit: float | None) -> tuple[int, float]:
        """Count as many orders as may go now, first ones first; the others wait.

        Args:
            now_s: The time.
            counts: How many pictures each order wants.
            by: The process that asks.
            limit: The provider's limit as that process knows it; ``None`` is none known.

        Returns:
            How many orders may go, and in how many seconds to come back for the others.
        """
        self._look(now_s)
        if now_s < self.not_before_s:
            return self._wait(now_s, counts, by, self.not_before_s - now_s, n_going=0)
        self._recover(now_s, limit)
        n_going = self._n_going(now_s, counts, by, self.allowed(limit))
        n_pictures = sum(counts[:n_going])
        if n_pictures:
            self._count(now_s, n_pictures, by)
        return self._wait(now_s, counts, by, self._next_s(now_s, counts[n_going:], limit), n_going)

    def allowed(self, limit: float | None) -> float | None:
        """Tell how many pictures may be ordered in a window now; ``None`` when nobody knows a limit."""
        return min((one for one in (self.rate, limit) if one is not None), default=None)

    def slow_down(
        self, now_s: float, *, ordered_at_s: float, wait_s: float, for_s: float, limit: float | None
    ) -> None:
        """Wait, and go on at half the rate: the provider said that it was too much.

        Args:
            now_s: The time.
            ordered_at_s: When the refused pictures were counted. What was under way at the last slowing tells
                nothing about the slower rate.
            wait_s: For how long nothing is ordered.
            for_s: How long to stay there before the rate recovers.
            limit: The provider's limit as known; ``None`` is none known.
        """
        self._look(now_s)
        self._recover(now_s, limit)
        self.not_before_s = max(self.not_before_s, now_s + wait_s)
        self.recovers_from_s = max(self.recovers_from_s, now_s + for_s)
        if ordered_at_s > self.slowed_at_s:
            began_s = self.taken[0].since_s if self.taken else now_s
            speed = self._n_taken() * self.length_s / max(now_s - began_s, BURST * self.length_s)
            allowed = self.allowed(limit)
            reached = speed if allowed is None else min(allowed, speed)
            self.rate = max(LEAST_RATE, reached * MULTIPLICATIVE_DECREASE)
            self.slowed_at_s = now_s

    def _look(self, now_s: float) -> None:
        """Forget what is past; where the clock was put back, everything happened that much earlier."""
        if (back_s := self.seen_s - now_s) > 0:
            self._shift(-back_s)
        self.seen_s = now_s
        self.taken = [entry for entry in self.taken if now_s < self._until_s(entry)]
        self.waiting = {by: one for by, one in self.waiting.items() if now_s <= one.until_s}

    def _shift(self, by_s: float) -> None:
        self.not_before_s += by_s
        self.slowed_at_s += by_s
        self.recovers_from_s += by_s
        self.taken = [
            Taken(entry.since_s + by_s, entry.at_s + by_s, entry.n, entry.by) for entry in self.taken
        ]
        for one in self.waiting.values():
            one.since_s += by_s
            one.until_s += by_s

    def _recover(self, now_s: float, limit: float | None) -> None:
        """Raise the rate for each window without a rate limit: by slow start where no limit is known."""
        n_windows = int((now_s - self.recovers_from_s) // self.length_s)
        if n_windows < 1:
            return
        self.recovers_from_s += n_windows * self.length_s
        if self.rate is not None and limit is None:
            self.rate *= SLOW_START ** min(n_windows, MOST_SLOW_START_WINDOWS)
        elif self.rate is not None and limit is not None and self.rate < limit:
            self.rate = min(limit, self.rate + n_windows * ADDITIVE_INCREASE * limit)

    def _until_s(self, entry: Taken) -> float:
        """Tell from when on pictures count no longer."""
        return entry.at_s + self.length_s * (1 + ARRIVAL_MARGIN)

    def _n_taken(self) -> int:
        return sum(entry.n for entry in self.taken)

    def _n_going(self, now_s: float, counts: Sequence[int], by: str, rate: float | None) -> int:
        """Count the orders that may go, those that others should send first played through."""
        if rate is None:
            return len(counts)
        had = Counter[str]()
        for entry in self.taken:
            had[entry.by] += entry.n
        since_s = {other: one.since_s for other, one in self.waiting.items()}
        since_s.setdefault(by, now_s)
        n_served = {other: one.n_served for other, one in self.waiting.items()} | {by: self._n_served(by)}
        queues = {other: iter(one.counts) for other, one in self.waiting.items()} | {by: iter(counts)}
        n_taken, n_going = had.total(), 0
        while by in queues:
            first = min(queues, key=lambda other: (had[other], n_served[other], since_s[other]))
            n = next(queues[first], None)
            if n is None:
                del queues[first]
                continue
            if n_taken and n_taken + n > rate:  # an order above the limit goes into an empty window
                break
            n_taken += n
            had[first] += n
            n_served[first] += n
            since_s[first] = now_s
            n_going += first == by
        return n_going

    def _n_served(self, by: str) -> int:
        """Tell how many pictures a process has had while it waited; a new one has no claim on the past."""
        if by in self.waiting:
            return self.waiting[by].n_served
        return min((one.n_served for one in self.waiting.values()), default=0)

    def _count(self, now_s: float, n: int, by: str) -> None:
        """Count pictures, with those that the process ordered a moment ago."""
        since_s, resolution_s = now_s, RESOLUTION * self.length_s
        for place in range(len(self.taken) - 1, -1, -1):
            entry = self.taken[place]
            if entry.at_s < now_s - resolution_s:
                break
            if entry.by == by and entry.since_s >= now_s - resolution_s:
                since_s, n = entry.since_s, n + entry.n
                del self.taken[place]
                break
        self.taken.append(Taken(since_s, now_s, n, by))

    def _next_s(self, now_s: float, counts: Sequence[int], limit: float | None) -> float:
        """Tell when to look again, in seconds: when room is made, or soon when others go first."""
        allowed = self.allowed(limit)
        if not counts or allowed is None or not self.taken:
            return POLL_INTERVAL * self.length_s
        if self._n_taken() + counts[0] <= allowed:
            return POLL_INTERVAL * self.length_s
        return max(SHORTEST_WAIT * self.length_s, self._until_s(self.taken[0]) - now_s)

    def _wait(
        self, now_s: float, counts: Sequence[int], by: str, wait_s: float, n_going: int
    ) -> tuple[int, float]:
        """Note who waits, and for what."""
        n_served = self._n_served(by) + sum(counts[:n_going])
        before = self.waiting.pop(by, None)
        left = list(counts[n_going:])
        if not left:
            return n_going, 0.0
        since_s = before.since_s if before and not n_going else now_s
        until_s = now_s + wait_s + GRACE_PERIOD * self.length_s
        self.waiting[by] = Waiting(since_s, until_s, left, n_served)
        return n_going, wait_s
