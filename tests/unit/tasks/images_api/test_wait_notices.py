"""No long wait is silent, and none is told all the time."""

import asyncio
import math
import re

from tasks.images_api.wait_notices import WaitNotices
from tests.support.skipping_loop import SkippingLoop


async def wait(notices: WaitNotices, seconds: float, *reasons: str, within_s: float | None = None) -> None:
    """Wait for as many reasons at once."""

    async def one(reason: str) -> None:
        with notices.waiting(reason, within_s, details=f"because of {reason}"):
            await asyncio.sleep(seconds)

    await asyncio.gather(*map(one, reasons))


def lines_of(seconds: float, *reasons: str, within_s: float | None = None) -> list[str]:
    """Wait, and tell what was said, where a wait may be silent for a tenth of a second."""
    lines: list[str] = []
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        notices = WaitNotices(lines.append, show_after_s=0.1, clock=runner.get_loop().time)
        runner.run(wait(notices, seconds, *reasons, within_s=within_s))
    return lines


def test_a_short_wait_is_silent() -> None:
    """People are told of what lasts."""
    assert lines_of(0.03, "for an answer") == []


def test_a_long_wait_says_for_what_how_long_until_when_and_why() -> None:
    """The end is a time of day and a number of seconds."""
    first, *_ = lines_of(0.3, "for an answer", within_s=900.0)
    assert re.fullmatch(
        r"1 request waits for an answer, 0 s so far; until \d\d:\d\d:\d\d at the latest \(in 900 s\): "
        r"because of for an answer",
        first,
    )


def test_waits_for_the_same_are_told_together_and_others_apart() -> None:
    """Without a known end none is made up."""
    lines = lines_of(0.3, "for an answer", "for an answer", "for its turn")
    assert lines[:2] == [
        "2 requests wait for an answer, 0 s so far: because of for an answer",
        "1 request waits for its turn, 0 s so far: because of for its turn",
    ]


def test_a_wait_is_told_again_at_growing_intervals() -> None:
    """Ten times the silence is four lines, not ten."""
    assert len(lines_of(1.0, "for an answer")) in (3, 4)


def test_waits_one_after_another_are_no_more_talkative_than_one() -> None:
    """A rate limit makes every order wait: that is said at doubling intervals, however long it takes."""
    lines: list[str] = []

    async def many() -> None:
        notices = WaitNotices(lines.append, show_after_s=0.05, clock=asyncio.get_running_loop().time)
        for _ in range(6):
            await wait(notices, 0.12, "for its turn")

    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        runner.run(many())
        n_doublings = math.log2(runner.get_loop().time() / 0.05)
    assert 2 <= len(lines) <= 1 + n_doublings
