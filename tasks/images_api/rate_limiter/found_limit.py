"""The limit of an account that nobody stated, found while buying and kept with the account.

It begins at the vendor's lowest limit. Each answer proves that as many pictures as were ordered by then are
within the limit, and twice as many may be tried: slow start (RFC 5681), by answers, as they come sooner than
minutes pass. Where the provider's answers state a limit, it goes straight there, and never above. The first
rate limit error ends that: the limit is what was proven. A day later it is tried again from there, because an
account may have been raised.
"""

from dataclasses import dataclass

from tasks.catalogue.providers import LEAST_IMAGES_PER_MINUTE

GROWTH = 2
PROBE_AGAIN_WINDOWS = 24 * 60
"""A day of one-minute windows."""


@dataclass(slots=True)
class FoundLimit:
    """What is known about an account's limit.

    Args:
        reach: Pictures per window that are tried while no limit is found.
        proven: The most pictures of a window that were answered without a rate limit error.
        limit: The limit that was found; ``None`` before.
        since_s: When it was found, seconds.
        stated: The limit that the provider states; ``None`` where it states none.
    """

    reach: float = LEAST_IMAGES_PER_MINUTE
    proven: int = 0
    limit: float | None = None
    since_s: float = 0.0
    stated: float | None = None

    def allowed(self, now_s: float, length_s: float) -> float:
        """Return how many pictures a window may have now."""
        if self.limit is not None and now_s - self.since_s >= PROBE_AGAIN_WINDOWS * length_s:
            self.reach, self.proven, self.limit = self.limit, 0, None
        if self.stated is None:
            return self.reach if self.limit is None else self.limit
        return self.stated if self.limit is None else min(self.limit, self.stated)

    def state(self, per_window: float) -> None:
        """Note what the provider states. Another number than before counts more than an earlier error."""
        if per_window != self.stated:
            self.stated, self.limit = per_window, None

    def answered(self, n_ordered: int) -> None:
        """Note an answer, by whose order so many pictures of the window had been ordered."""
        if self.limit is None:
            self.proven = max(self.proven, n_ordered)
            self.reach = max(self.reach, GROWTH * self.proven)

    def exceeded(self, now_s: float) -> bool:
        """Note a rate limit error; returns whether it found the limit, so that no rate must be halved."""
        if self.limit is not None:
            return False
        is_found = self.proven > 0
        self.limit, self.since_s = float(self.proven or self.reach), now_s
        return is_found
