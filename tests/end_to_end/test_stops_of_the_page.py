"""Thirty finals are in flight in a purchase of the review page when the page is told to stop."""

import json
import re
import signal
import subprocess
import urllib.request

import pytest

from tests.support.child_process import end_by, read_line, started, wait_until
from tests.support.provider import OpenProvider
from tests.support.shell import COMMAND, Shell
from tests.support.stops import IN_FLIGHT, finals_to_buy


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


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_a_page_that_is_told_to_stop(
    shell: Shell, open_provider: OpenProvider, number: signal.Signals
) -> None:
    """SIGTERM ends the purchase in order, Ctrl-C lets it end; both times all that is in flight comes in."""
    busy, made = finals_to_buy(shell, open_provider)
    n_drafts = busy.provider.n_requests
    words = [COMMAND, "review", made["run_id"], "--port", "0", "--no-browser"]
    shell.environ["PYTHONUNBUFFERED"] = "1"
    del shell.environ["PREFECT_API_URL"]  # the page's own child buys
    with started(
        words, env=shell.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as page:
        confirm(read_line(page).split()[1])
        wait_until(lambda: busy.provider.n_requests >= n_drafts + IN_FLIGHT)
        said, _ = end_by(page, number)
    assert "Traceback" not in said
    states, n_sent = busy.states(), busy.provider.n_requests
    assert set(states) <= {"received", "planned"}, said
    assert states["received"] == n_sent
    if number == signal.SIGTERM:
        assert "Stopping: waiting for the requests in flight" in said
        assert states["planned"] == len(made["finalists"]) - (n_sent - n_drafts) > 0
        busy.check_books("stopped")
    else:
        assert "Still buying finals" in said
        busy.check_books("done")
