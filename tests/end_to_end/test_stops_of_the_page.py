"""Thirty finals are in flight in a purchase of the review page when the page is told to stop."""

import json
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from flows.runs.stop_signals import SAME_STOP_S
from tests.support.child_process import TextProcess, end_by, read_line, started, wait_until
from tests.support.provider import OpenProvider
from tests.support.shell import COMMAND, Shell
from tests.support.stops import IN_FLIGHT, Busy, finals_to_buy


def confirm(page: str) -> None:
    """Confirm all finalists on the page, as its script does."""
    with urllib.request.urlopen(page, timeout=30) as answer:
        csrf = re.search(r'name="csrf" content="([^"]+)"', answer.read().decode())
    assert csrf is not None
    with urllib.request.urlopen(f"{page}/shortlist.json", timeout=60) as answer:
        offer = json.load(answer)
    body = {"by": "mara", "revision": offer["revision"], "most_usd": offer["price"]["most_usd"]}
    headers = {"content-type": "application/json", "x-runoff-csrf": csrf[1]}
    request = urllib.request.Request(f"{page}/confirm", json.dumps(body).encode(), headers)
    urllib.request.urlopen(request, timeout=60).close()


@contextmanager
def buying_page(shell: Shell, busy: Busy, run_id: str) -> Iterator[TextProcess]:
    """Open a page that buys a run's finals, thirty of which are in flight."""
    n_drafts = busy.provider.n_requests
    words = [COMMAND, "review", run_id, "--port", "0", "--no-browser"]
    shell.environ["PYTHONUNBUFFERED"] = "1"
    del shell.environ["PREFECT_API_URL"]  # the page's own child buys
    with started(
        words, env=shell.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as page:
        confirm(read_line(page).split()[1])
        wait_until(lambda: busy.provider.n_requests >= n_drafts + IN_FLIGHT)
        yield page


@pytest.mark.slow
@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, *(pytest.param(one, marks=pytest.mark.long) for one in (signal.SIGINT, signal.SIGHUP))],
)
def test_a_page_that_is_told_to_stop(
    shell: Shell, open_provider: OpenProvider, number: signal.Signals
) -> None:
    """SIGTERM ends the purchase in order, Ctrl-C lets it end, and so does a closed terminal, without waiting.

    All that is in flight comes in each time.
    """
    busy, made = finals_to_buy(shell, open_provider)
    n_drafts = busy.provider.n_requests
    with buying_page(shell, busy, made["run_id"]) as page:
        said, _ = end_by(page, number)
        if number == signal.SIGHUP:
            wait_until(lambda: busy.run_states() == ["done"])
    assert "Traceback" not in said
    states, n_sent = busy.states(), busy.provider.n_requests
    assert set(states) <= {"received", "planned"}, said
    assert states["received"] == n_sent
    if number == signal.SIGTERM:
        assert "Stopping: waiting for the requests in flight" in said
        assert "was interrupted" in said
        assert states["planned"] == len(made["finalists"]) - (n_sent - n_drafts) > 0
        busy.check_books("stopped")
    else:
        assert ("Still buying for" in said) == (number == signal.SIGINT)
        busy.check_books("done")


@pytest.mark.long  # every day: a second press, in test_every_way_to_stop.py
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_page_that_is_told_twice_loses_what_is_in_flight_and_says_so(
    shell: Shell, open_provider: OpenProvider, second: signal.Signals
) -> None:
    """The purchase records it and says it, in its own output; the page passes it on."""
    busy, made = finals_to_buy(shell, open_provider)
    with buying_page(shell, busy, made["run_id"]) as page:
        page.send_signal(signal.SIGTERM)
        time.sleep(SAME_STOP_S + 0.5)
        said, _ = end_by(page, second)
    lost = busy.states()["unknown"]
    assert 0 < lost <= IN_FLIGHT
    assert f"{lost} requests in flight may have been billed: recorded as unknown" in said
    assert f"Resume with: runoff promote {made['run_id']}" in said
    assert busy.run_states() == ["stopped"]
