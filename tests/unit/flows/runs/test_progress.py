"""What a run shows while it buys."""

import io
import os
from decimal import Decimal

import pytest
from rich.console import Console

from flows.runs.progress import (
    LiveDisplay,
    PlainDisplay,
    Tally,
    current_display,
    lasting_outputs,
    showing,
)
from tasks.images_api.buyer import Purchase
from tasks.order import OrderState
from tests.support.builders import an_order


def a_purchase(replicate: int = 0, *, n_pictures: int = 1, charged_usd: str = "0.0022") -> Purchase:
    """Make the end of an order."""
    state: OrderState = "received" if n_pictures else "unknown"
    return Purchase(an_order(replicate), state, n_pictures, Decimal(charged_usd))


def test_a_tally_says_pictures_dollars_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four of ten orders after eight seconds: thirty a minute, twelve seconds left."""
    clock = iter([100.0, 108.0])
    monkeypatch.setattr("flows.runs.progress.time.monotonic", lambda: next(clock))
    tally = Tally("drafts", 10)
    for replicate in range(4):
        tally.add(a_purchase(replicate))
    assert str(tally) == "4 pictures · $0.0088 · 30/min · 12 s left"


def test_a_tally_says_what_brought_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown order is charged, and is no picture."""
    monkeypatch.setattr("flows.runs.progress.time.monotonic", lambda: 100.0)
    tally = Tally("drafts", 1)
    tally.add(a_purchase(n_pictures=0))
    assert "0 pictures · $0.0022" in str(tally)
    assert "1 without a picture" in str(tally)


@pytest.mark.parametrize("lost", ["a pipe that nobody reads", "a full disk"])
def test_progress_that_cannot_be_shown_ends_no_work(lost: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does a log line of Prefect's, whose console was made before."""
    reading, writing = os.pipe()
    os.close(reading)
    is_pipe = lost == "a pipe that nobody reads"
    with open(writing if is_pipe else "/dev/full", "w") as file:  # noqa: PTH123
        monkeypatch.setattr("sys.stderr", file)
        prefects = Console(file=file)
        with lasting_outputs():
            if is_pipe:  # any other error is handled by Prefect's own handler
                prefects.print("Beginning flow run")
            display = PlainDisplay()
            display.start("drafts", 1)
            display.bought(a_purchase())
            display.finish()


def test_without_a_terminal_there_are_plain_lines() -> None:
    """One at the end of each stage, no control characters, nothing for an empty stage."""
    stream = io.StringIO()
    display = PlainDisplay(Console(file=stream, width=100))
    display.start("drafts", 2)
    display.bought(a_purchase(0))
    display.bought(a_purchase(1))
    display.finish()
    display.start("finals", 0)
    display.finish()
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("drafts 2/2: 2 pictures · $0.0044")
    assert "\x1b" not in line


def test_at_a_terminal_one_line_moves() -> None:
    """The bar holds the stage, how many are done, and the figures."""
    stream = io.StringIO()
    display = LiveDisplay(Console(file=stream, width=100, force_terminal=True))
    display.start("drafts", 2)
    display.bought(a_purchase(0))
    display.bought(a_purchase(1))
    display.finish()
    shown = stream.getvalue()
    assert "drafts" in shown
    assert "2/2" in shown
    assert "$0.0044" in shown


def test_a_run_finds_the_display_of_whoever_started_it() -> None:
    """And plain lines when nobody put one in place."""
    display = PlainDisplay(Console(file=io.StringIO()))
    with showing(display):
        assert current_display() is display
    assert isinstance(current_display(), PlainDisplay)
