"""An allowance in many hands: never above the limit, to each its share, and nobody held up by the dead."""

import heapq
import json
import random
from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.images_api.rate_limiter.sliding_window import GRACE_PERIOD, SlidingWindow

Turn = tuple[float, int, str]
Orders = st.lists(st.integers(1, 4), min_size=1, max_size=40)


def play(
    limit: int, wanted: Mapping[str, Sequence[int]], *, seed: int = 0, dead: Sequence[str] = ()
) -> list[Turn]:
    """Let processes order through one window until all have what they want; returns every order's turn.

    Each comes back a little late, as processes do; of the dead each asks once and never comes back.
    """
    chance = random.Random(seed)
    window = SlidingWindow()
    left = {by: list(counts) for by, counts in wanted.items()}
    due = [(1000.0 + 0.3 * place, by) for place, by in enumerate(left)]
    turns: list[Turn] = []
    while due:
        now_s, by = heapq.heappop(due)
        window = SlidingWindow.of(json.loads(json.dumps(window.state())))  # as the ledger keeps it
        n_going, wait_s = window.take(now_s, left[by], by=by, limit=limit)
        turns += [(now_s, n, by) for n in left[by][:n_going]]
        left[by] = left[by][n_going:]
        if left[by] and by not in dead:
            assert wait_s > 0
            heapq.heappush(due, (now_s + wait_s + chance.random() * 0.2, by))
    return turns


def most_in_a_window(turns: Sequence[Turn], window_s: float = 60.0) -> int:
    """Count the most pictures in any window."""
    return max(
        sum(n for moment, n, _ in turns if start <= moment < start + window_s) for start, _, _ in turns
    )


@given(st.integers(4, 30), st.lists(Orders, min_size=1, max_size=5), st.integers(0, 99))
def test_no_minute_of_any_number_of_processes_holds_more_than_the_limit(
    limit: int, wanted: list[list[int]], seed: int
) -> None:
    """And all of them get everything they want, in the time that the limit needs and a few minutes."""
    processes = {f"p{k}": counts for k, counts in enumerate(wanted)}
    turns = play(limit, processes, seed=seed)
    assert most_in_a_window(turns) <= limit
    for by, counts in processes.items():
        assert [n for _, n, who in turns if who == by] == counts
    n_minutes = sum(map(sum, wanted)) / (limit - 3) + 2
    assert turns[-1][0] - turns[0][0] <= n_minutes * 65


@given(st.integers(2, 30), st.integers(2, 4), st.integers(0, 99))
@example(2, 3, 19)  # these three went to whoever came back first, as long as nothing told equals apart
@example(3, 2, 16)
@example(4, 3, 87)
def test_processes_that_wait_share_alike(limit: int, n_processes: int, seed: int) -> None:
    """The first one takes a whole minute's; when it has had four of them, no other has had less than half."""
    turns = play(limit, {f"p{k}": [1] * limit * 4 for k in range(n_processes)}, seed=seed)
    had = dict.fromkeys((f"p{k}" for k in range(n_processes)), 0)
    for _, _, by in turns:
        had[by] += 1
        if had[by] == limit * 4:
            break
    assert min(had.values()) >= limit * 2, had


def test_one_that_takes_its_turns_singly_is_not_overrun_by_one_that_wants_many() -> None:
    """The first takes all at once; when that falls out of the window, each gets half."""
    turns = play(60, {"many": [1] * 500, "some": [1] * 60})
    second = [by for moment, _, by in turns if 1061 <= moment < 1100]
    assert second.count("some") >= 29


def test_a_large_order_is_not_starved_by_small_ones() -> None:
    """Four pictures at once need room that a stream of single ones would never leave."""
    turns = play(5, {"small": [1] * 60, "large": [4, 4, 4]})
    assert [n for _, n, by in turns if by == "large"] == [4, 4, 4]
    assert max(moment for moment, _, by in turns if by == "large") < 1000 + 61 * 8


def test_an_order_above_the_limit_waits_for_an_empty_window_of_all_processes() -> None:
    """The provider will say that it is too much; here nobody must wait for ever."""
    turns = play(5, {"small": [1] * 30, "huge": [9]})
    (huge_s,) = (moment for moment, n, _ in turns if n == 9)
    assert not [moment for moment, n, _ in turns if n == 1 and huge_s - 60 < moment < huge_s + 60]


@given(st.integers(1, 20), st.integers(0, 99))
def test_a_process_that_was_killed_holds_up_nobody_for_long(limit: int, seed: int) -> None:
    """What it took falls out of the window; its place is given away soon after it should have been back."""
    turns = play(limit, {"dead": [1] * 500, "alive": [1] * limit * 3}, seed=seed, dead=["dead"])
    assert sum(by == "alive" for _, _, by in turns) == limit * 3
    assert turns[-1][0] - turns[0][0] <= 4 * 61 + 60 * GRACE_PERIOD + 10


def test_a_limit_that_one_process_met_slows_all_of_them_once() -> None:
    """What was under way in another process at that moment halves nothing again; both wait as long."""
    window = SlidingWindow()
    for by in ("one", "two"):
        assert window.take(1000.0, [1] * 30, by=by, limit=60) == (30, 0.0)
    for moment_s in (1002.0, 1003.0):
        window.slow_down(moment_s, ordered_at_s=1000.0, wait_s=10, for_s=0, limit=60)
    assert window.allowed(60) == 30
    assert window.take(1004.0, [1], by="two", limit=60) == (0, 9.0)
    assert window.take(1064.0, [1] * 60, by="two", limit=60)[0] == 36


def test_the_process_with_the_lower_limit_keeps_to_its_own() -> None:
    """Two settings for one account: whoever was told less orders less, and neither passes the higher one."""
    window = SlidingWindow()
    assert window.take(1000.0, [1] * 10, by="low", limit=6)[0] == 6
    assert window.take(1001.0, [1] * 20, by="high", limit=10)[0] == 4
    assert window.take(1070.0, [1] * 20, by="high", limit=10)[0] == 10


@pytest.mark.parametrize("back_s", [0.5, 3600.0])
def test_a_clock_that_is_put_back_neither_stops_orders_nor_lets_more_through(back_s: float) -> None:
    """Everything counts as that much earlier: a minute on, by the new time, there is room again."""
    window = SlidingWindow()
    window.take(10_000.0, [1] * 5, by="one", limit=5)
    n_going, wait_s = window.take(10_000.0 - back_s, [1], by="one", limit=5)
    assert (n_going, round(wait_s)) == (0, 61)
    assert window.take(10_000.0 - 2 * back_s, [1], by="two", limit=5)[0] == 0
    assert window.take(10_000.0 - 2 * back_s + 62, [1, 1], by="one", limit=5)[0] == 2


def test_what_is_kept_does_not_grow_with_the_orders() -> None:
    """Thousands a minute are a few hundred entries."""
    window = SlidingWindow()
    for k in range(20_000):
        window.take(1000.0 + k * 0.01, [1], by="one", limit=None)
    assert len(window.taken) < 300
    assert sum(entry.n for entry in window.taken) >= 6000
    assert all(earlier.at_s <= later.at_s for earlier, later in pairwise(window.taken))


def test_a_window_written_by_an_earlier_version_is_read() -> None:
    """It does not say how many pictures those who wait have had."""
    state = SlidingWindow().state() | {
        "taken": [[1000.0, 1000.0, 2, "one"]],
        "waiting": {"two": [1001.0, 1070.0, [1]]},
    }
    window = SlidingWindow.of(json.loads(json.dumps(state)))
    assert window.take(1002.0, [1], by="one", limit=3)[0] == 0
    assert window.take(1003.0, [1], by="two", limit=3)[0] == 1
