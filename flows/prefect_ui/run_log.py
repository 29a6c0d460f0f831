"""The log of a run in Prefect: what its display says, and the figures of each stage now and then.

Lines of the display go to the terminal, or to the log of the process, as before.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prefect.exceptions import MissingContextError
from prefect.logging import get_run_logger

from flows.runs.log_lines import LineDisplay, log_format_of
from flows.runs.progress import Display, RelayDisplay, Tally, current_display, showing
from tasks.money import count_of, format_usd
from tasks.redaction import hide_secrets

if TYPE_CHECKING:
    from flows.engine.start_server import Say
    from flows.session.prepare import Prepared
    from tasks.images_api.buyer import Purchase
    from tasks.plan import Plan

LOG_EVERY_S = 30.0


class LoggedDisplay:
    """A display whose lines are logged in Prefect too.

    Args:
        shown: Where else they are shown.
        log: Logs one line.
    """

    def __init__(self, shown: Display, log: "Say") -> None:
        self._shown, self._log = shown, log
        self._tally: Tally | None = None
        self._logged_s = 0.0

    def say(self, line: str) -> None:
        """Show and log one line."""
        self._shown.say(line)
        self._log(hide_secrets(line))

    def start(self, stage: str, n_orders: int) -> None:
        """Begin a stage."""
        self._shown.start(stage, n_orders)
        self._tally, self._logged_s = Tally(stage, n_orders), time.monotonic()

    def bought(self, purchase: "Purchase") -> None:
        """Count one finished order, and log the figures if the last ones are some time old."""
        self._shown.bought(purchase)
        if self._tally is not None:
            self._tally.add(purchase)
            if time.monotonic() - self._logged_s >= LOG_EVERY_S:
                self._log_figures()

    def finish(self) -> None:
        """Log the stage's last figures."""
        self._shown.finish()
        if self._tally is not None and self._tally.n_done:
            self._log_figures()
        self._tally = None

    def _log_figures(self) -> None:
        self._logged_s = time.monotonic()
        if self._tally is not None:
            self._log(f"{self._tally.stage} {self._tally.n_done}/{self._tally.n_orders}: {self._tally}")


@contextmanager
def logged_run(prepared: "Prepared") -> Iterator[None]:
    """Log what a run says inside; outside a flow run, nothing changes.

    A flow run that nobody watches at a terminal writes lines with a time, its campaign and its run.

    Args:
        prepared: The prepared run.
    """
    try:
        log = get_run_logger().info
    except MissingContextError:
        yield
        return
    log_format = log_format_of(prepared.settings.environ)
    log(plan_line(prepared.plan))
    shown = current_display(LineDisplay(log_format, prepared.campaign.name, prepared.run_id))
    if isinstance(shown, RelayDisplay):  # a run that is open already has it
        with shown.replaced(lambda before: LoggedDisplay(before, log)):
            yield
        return
    with showing(LoggedDisplay(shown, log)):
        yield


def plan_line(planned: "Plan") -> str:
    """Say in one line what a run is about to buy, and within what.

    Args:
        planned: Its plan.
    """
    budget = planned.campaign.budget
    parts = [count_of(planned.pictures, "draft"), f"in {count_of(len(planned.arms), 'arm')}"]
    if n_finals := planned.finals.finalists:
        parts.append(f"and at most {count_of(n_finals, 'finalist')}")
    cost = f"{format_usd(planned.low_usd)} to {format_usd(planned.high_usd)}"
    return f"Planned: {' '.join(parts)}, {cost} of {format_usd(budget.per_run_usd)} a run."
