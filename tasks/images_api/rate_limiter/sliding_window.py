"""The sliding window of an account: what each process ordered in the last minute.

The window slides, so that a provider's limit is kept whether it counts by sliding or by fixed minutes, and
the first pictures still start at once. A rate limit error halves the rate, once for all requests then in
flight; each minute without one restores a tenth of the limit (additive increase, multiplicative decrease).
Where no limit is known the rate grows by half a minute (slow start).

When several processes wait for one allowance, the next order goes to the one with the fewest pictures in the
window, then to the one with the fewest while it waited, then to the one that has waited longest. A killed
process is forgotten when its pictures leave the window; one killed while waiting, ``GRACE_PERIOD`` after it
should have asked again.

Nothing here waits or reads a clock; the caller passes the time, in seconds.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from tasks.images_api.rate_limiter.adaptive_rate import halved, recovered
from tasks.images_api.rate_limiter.found_limit import FoundLimit

WINDOW_S = 60.0
"""Providers count pictures, or requests, per minute."""

# Durations, as shares of the window:
BURST = 1 / 60
"""The shortest time over which the speed of a burst is measured; over an instant it would be infinite."""
ARRIVAL_MARGIN = 1 / 60
"""How much longer pictures count: a later request may reach the provider sooner than an earlier one."""
RESOLUTION = 1 / 240
"""A process's orders within this time are counted as one, at the time of the last, which keeps the ledger's
row small.
"""
SHORTEST_WAIT = 1 / 6000
"""The shortest wait: waiting zero seconds would spin."""
POLL_INTERVAL = 1 / 60
"""When to try again after another process was preferred, which may have died."""
GRACE_PERIOD = 1 / 12
"""How long a place is kept for a process that should have asked again by now: a busy machine is that late."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Pictures that count in the window.

    Args:
        since_s: When the first of them was ordered, seconds.
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
    """A process that waits to order.

    Args:
        since_s: Since when it has been waiting, seconds.
        until_s: When it must have asked again; after that it loses its place.
        counts: How many pictures each of its orders needs, the first order first.
        n_served: How many pictures it has ordered while waiting without a break, starting from the lowest
            count among the waiting processes.
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
        seen_s: When it was last used, seconds.
        rate: Pictures per window since a rate limit error; ``None`` before the first.
        not_before_s: Nothing is ordered before this time.
        slowed_at_s: When the rate was last halved.
        recovers_from_s: When the rate starts to grow again.
        taken: What was ordered in the last window, oldest first.
        waiting: The waiting processes, by name.
        found: What was found of a limit that nobody stated; ``None`` while it is not asked for.
    """

    length_s: float = WINDOW_S
    seen_s: float = 0.0
    rate: float | None = None
    not_before_s: float = 0.0
    slowed_at_s: float = 0.0
    recovers_from_s: float = 0.0
    taken: list[Taken] = field(default_factory=list)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    found: FoundLimit | None = None

    @classmethod
    def of(cls, state: dict[str, Any]) -> Self:
        """Restore a window from what ``state`` returned."""
        taken = [Taken(*values) for values in state["taken"]]
        waiting = {by: Waiting(*values) for by, values in state["waiting"].items()}
        found = FoundLimit(**state["found"]) if state.get("found") else None
        return cls(**(state | {"taken": taken, "waiting": waiting, "found": found}))

    def state(self) -> dict[str, Any]:
        """Return it as JSON."""
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
            "found": asdict(self.found) if self.found else None,
        }

    def find_limit(self, now_s: float) -> float:
        """Return the limit as far as it is found; see ``FoundLimit``."""
        self._look(now_s)
        self.found = self.found or FoundLimit()
        return self.found.allowed(now_s, self.length_s)

    def note_answer(self, now_s: float, ordered_at_s: float) -> None:
        """Note that an order was answered: the pictures ordered by then are within the account's limit."""
        self._look(now_s)
        if self.found is not None:
            self.found.answered(sum(entry.n for entry in self.taken if entry.at_s <= ordered_at_s))

    def note_stated(self, now_s: float, per_window: float) -> None:
        """Note the limit that the provider states; it counts while the limit is being found."""
        self._look(now_s)
        self.found = self.found or FoundLimit()
        self.found.state(per_window)

    def exceeds_found(self, now_s: float, wait_s: float) -> bool:
        """Note a rate limit error while the limit is being found.

        Returns:
            Whether it found the limit: then all pause, and continue at that limit.
        """
        if self.found is None or not self.found.exceeded(now_s):
            return False
        self.not_before_s = max(self.not_before_s, now_s + wait_s)
        self.slowed_at_s = now_s  # what is in flight says nothing about the limit
        return True

    def take(self, now_s: float, counts: Sequence[int], *, by: str, limit: float | None) -> tuple[int, float]:
        """Admit as many orders as possible now, the first ones first; the others wait.

        Args:
            now_s: The time.
            counts: How many pictures each order needs.
            by: The process that asks.
            limit: The provider's limit as that process knows it; ``None`` when not known.

        Returns:
            How many orders are admitted, and in how many seconds to ask again for the others.
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

    def give_back(self, ordered_at_s: float, n: int, *, by: str) -> None:
        """Count pictures no longer that a process ordered and did not send.

        Args:
            ordered_at_s: When they were counted, seconds.
            n: How many.
            by: The process.
        """
        for place, entry in enumerate(self.taken):
            if entry.by == by and entry.since_s <= ordered_at_s <= entry.at_s:
                self.taken[place] = replace(entry, n=max(entry.n - n, 0))
        self.taken = [entry for entry in self.taken if entry.n]

    def allowed(self, limit: float | None) -> float | None:
        """Return how many pictures may be ordered per window now; ``None`` when no limit is known."""
        return min((one for one in (self.rate, limit) if one is not None), default=None)

    def slow_down(
        self, now_s: float, *, ordered_at_s: float, wait_s: float, for_s: float, limit: float | None
    ) -> None:
        """Pause, and continue at half the rate, after a rate limit error.

        Args:
            now_s: The time.
            ordered_at_s: When the rejected pictures were counted. Requests in flight at the last slowdown say
                nothing about the slower rate.
            wait_s: For how long nothing is ordered, seconds.
            for_s: How long to stay at the lower rate before it recovers, seconds.
            limit: The provider's limit; ``None`` when not known.
        """
        self._look(now_s)
        self._recover(now_s, limit)
        self.not_before_s = max(self.not_before_s, now_s + wait_s)
        self.recovers_from_s = max(self.recovers_from_s, now_s + for_s)
        if ordered_at_s > self.slowed_at_s:
            began_s = self.taken[0].since_s if self.taken else now_s
            speed = self._n_taken() * self.length_s / max(now_s - began_s, BURST * self.length_s)
            allowed = self.allowed(limit)
            self.rate = halved(speed if allowed is None else min(allowed, speed))
            self.slowed_at_s = now_s

    def _look(self, now_s: float) -> None:
        """Forget what has left the window; if the clock was set back, shift all times back with it."""
        if (back_s := self.seen_s - now_s) > 0:
            self._shift(-back_s)
        self.seen_s = now_s
        self.taken = [entry for entry in self.taken if now_s < self._until_s(entry)]
        self.waiting = {by: one for by, one in self.waiting.items() if now_s <= one.until_s}

    def _shift(self, by_s: float) -> None:
        self.not_before_s += by_s
        self.slowed_at_s += by_s
        if self.found is not None:
            self.found.since_s += by_s
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
        if self.rate is not None:
            self.rate = recovered(self.rate, limit, n_windows)

    def _until_s(self, entry: Taken) -> float:
        """Return when pictures stop counting, seconds."""
        return entry.at_s + self.length_s * (1 + ARRIVAL_MARGIN)

    def _n_taken(self) -> int:
        return sum(entry.n for entry in self.taken)

    def _n_going(self, now_s: float, counts: Sequence[int], by: str, rate: float | None) -> int:
        """Count the orders that may be sent, after simulating those of other processes that go first."""
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
            if n_taken and n_taken + n > rate:  # an order larger than the limit needs an empty window
                break
            n_taken += n
            had[first] += n
            n_served[first] += n
            since_s[first] = now_s
            n_going += first == by
        return n_going

    def _n_served(self, by: str) -> int:
        """Return a process's pictures while waiting; a new one starts at the lowest count."""
        if by in self.waiting:
            return self.waiting[by].n_served
        return min((one.n_served for one in self.waiting.values()), default=0)

    def _count(self, now_s: float, n: int, by: str) -> None:
        """Count pictures, merged with those that the process ordered just before."""
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
        """Return the seconds until the next attempt: until there is room, or briefly when others go first."""
        allowed = self.allowed(limit)
        if not counts or allowed is None or not self.taken:
            return POLL_INTERVAL * self.length_s
        if self._n_taken() + counts[0] <= allowed:
            return POLL_INTERVAL * self.length_s
        return max(SHORTEST_WAIT * self.length_s, self._until_s(self.taken[0]) - now_s)

    def _wait(
        self, now_s: float, counts: Sequence[int], by: str, wait_s: float, n_going: int
    ) -> tuple[int, float]:
        """Record that a process waits, and for how many pictures."""
        n_served = self._n_served(by) + sum(counts[:n_going])
        before = self.waiting.pop(by, None)
        left = list(counts[n_going:])
        if not left:
            return n_going, 0.0
        since_s = before.since_s if before and not n_going else now_s
        until_s = now_s + wait_s + GRACE_PERIOD * self.length_s
        self.waiting[by] = Waiting(since_s, until_s, left, n_served)
        return n_going, wait_s
