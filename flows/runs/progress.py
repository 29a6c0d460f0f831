"""Progress of a run while it buys: pictures, dollars, rate and remaining time.

A terminal shows one live line, other outputs a plain line every few seconds. The code that starts a run sets
the display with ``showing``; the default is plain lines.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.table import Column

from tasks.money import count_of, format_usd
from tasks.redaction import hide_secrets, redacted_outputs

if TYPE_CHECKING:
    from tasks.images_api.buyer import Purchase

SAY_EVERY_S = 5.0
WIDTH_WITH_BAR = 100
"""A narrower terminal has no bar, so that its figures are whole."""
JUDGE = "judge"
"""The stage whose orders return answers, not pictures."""


class Display(Protocol):
    """Where progress is shown."""

    def say(self, line: str) -> None:
        """Show one line for people."""

    def start(self, stage: str, n_orders: int) -> None:
        """Begin a stage of that many orders."""

    def bought(self, purchase: "Purchase") -> None:
        """Count one finished order."""

    def finish(self) -> None:
        """End the stage that is being counted."""


class Tally:
    """The figures of one stage."""

    def __init__(self, stage: str, n_orders: int) -> None:
        self.stage = stage
        self.n_orders = n_orders
        self.n_done = 0
        self.n_pictures = 0
        self.n_without = 0
        self.charged_usd = Decimal(0)
        self._began_s = time.monotonic()

    def add(self, purchase: "Purchase") -> None:
        """Count one finished order."""
        self.n_done += 1
        self.n_pictures += purchase.n_pictures
        self.n_without += purchase.state != "received"
        self.charged_usd += purchase.charged_usd

    def __str__(self) -> str:
        elapsed_s = max(time.monotonic() - self._began_s, 0.001)
        is_judge = self.stage == JUDGE
        noun, n_come = ("answer", self.n_done - self.n_without) if is_judge else ("picture", self.n_pictures)
        parts = [
            count_of(n_come, noun),
            format_usd(self.charged_usd),
            f"{n_come / elapsed_s * 60:.0f}/min",
        ]
        if self.n_without:
            parts.append(f"{self.n_without} without {'an' if is_judge else 'a'} {noun}")
        if 0 < self.n_done < self.n_orders:
            parts.append(f"{_duration(elapsed_s / self.n_done * (self.n_orders - self.n_done))} left")
        return " · ".join(parts)


class PlainDisplay:
    """Lines for logs and pipes: one every few seconds, and one at the end of each stage."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(file=sys.stderr, soft_wrap=True)
        self._tally: Tally | None = None
        self._n_shown = 0
        self._shown_s = 0.0

    def say(self, line: str) -> None:
        """Write one line, however long."""
        self._console.print(hide_secrets(line), markup=False, highlight=False, soft_wrap=True)

    def start(self, stage: str, n_orders: int) -> None:
        """Begin a stage."""
        self._tally = Tally(stage, n_orders)
        self._n_shown = 0
        self._shown_s = time.monotonic()

    def bought(self, purchase: "Purchase") -> None:
        """Count one finished order, and write a line if the last one is some seconds old."""
        if self._tally is None:
            return
        self._tally.add(purchase)
        if time.monotonic() - self._shown_s >= SAY_EVERY_S:
            self._shown_s = time.monotonic()
            self._line()

    def finish(self) -> None:
        """Write the stage's last line."""
        self._line()
        self._tally = None

    def _line(self) -> None:
        if self._tally is not None and self._tally.n_done > self._n_shown:
            self._n_shown = self._tally.n_done
            self.say(f"{self._tally.stage} {self._tally.n_done}/{self._tally.n_orders}: {self._tally}")


class LiveDisplay:
    """One live line at a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tally: Tally | None = None
        self._bar: Progress | None = None
        self._task = TaskID(0)

    def say(self, line: str) -> None:
        """Write one line above the live one."""
        self._console.print(hide_secrets(line), markup=False, highlight=False)

    def start(self, stage: str, n_orders: int) -> None:
        """Begin a stage with a new bar."""
        self._tally = Tally(stage, n_orders)
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn(f"{stage:<7}"),
            *([BarColumn(bar_width=24)] if self._console.width >= WIDTH_WITH_BAR else []),
            TextColumn("{task.completed}/{task.total}"),
            TextColumn("{task.fields[figures]}", table_column=Column(overflow="fold")),
            console=self._console,
        )
        self._task = self._bar.add_task(stage, total=n_orders, figures="")
        self._bar.start()

    def bought(self, purchase: "Purchase") -> None:
        """Move the bar."""
        if self._tally is not None and self._bar is not None:
            self._tally.add(purchase)
            self._bar.update(self._task, completed=self._tally.n_done, figures=str(self._tally))

    def finish(self) -> None:
        """Stop the bar."""
        if self._bar is not None:
            self._bar.stop()
        self._bar = self._tally = None


class RelayDisplay:
    """Passes everything on to a display that can be replaced while work goes on.

    Args:
        to: The display.
    """

    def __init__(self, to: Display) -> None:
        self._to = to

    @contextmanager
    def replaced(self, by: Callable[[Display], Display]) -> Iterator[None]:
        """Pass everything on to another display inside, made of the one before."""
        before = self._to
        self._to = by(before)
        try:
            yield
        finally:
            self._to = before

    def say(self, line: str) -> None:
        """Show one line for people."""
        self._to.say(line)

    def start(self, stage: str, n_orders: int) -> None:
        """Begin a stage."""
        self._to.start(stage, n_orders)

    def bought(self, purchase: "Purchase") -> None:
        """Count one finished order."""
        self._to.bought(purchase)

    def finish(self) -> None:
        """End the stage."""
        self._to.finish()


_SHOWN: ContextVar[Display | None] = ContextVar("display", default=None)


@contextmanager
def showing(display: Display) -> Iterator[None]:
    """Use a display for every run started inside."""
    token = _SHOWN.set(display)
    try:
        yield
    finally:
        _SHOWN.reset(token)


@contextmanager
def lasting_outputs() -> Iterator[None]:
    """Let work go on inside where nothing can be printed any more: a log's disk is full, its reader has gone.

    Prefect's log is printed by ``rich`` too, which would end the process with requests in flight.
    """
    replaceable: Any = Console
    before = Console.on_broken_pipe
    print_unheard()
    try:
        with redacted_outputs():
            yield
    finally:
        replaceable.on_broken_pipe = before


def print_unheard() -> None:
    """Let ``rich`` print into the void where nobody reads any more: by itself it ends the process."""
    replaceable: Any = Console
    replaceable.on_broken_pipe = _be_quiet


def _be_quiet(console: Console) -> None:
    console.quiet = True


def current_display(default: Display | None = None) -> Display:
    """Return the display set by ``showing``; otherwise the default, or plain lines.

    Args:
        default: What is shown where nothing was set.
    """
    return _SHOWN.get() or default or PlainDisplay()


def without_repeats(say: Callable[[str], None]) -> Callable[[str], None]:
    """Return what says each line once where several processes say the same one after another."""
    last = ""

    def say_new(line: str) -> None:
        nonlocal last
        if line != last:
            last = line
            say(line)

    return say_new


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
