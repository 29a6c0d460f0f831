"""Thirty requests are in flight at the stop, whichever it is: none is lost, and the bills agree."""

import json
import signal

import pytest

from flows.runs.stop_signals import SAME_PRESS_S
from tests.support.child_process import wait_until
from tests.support.provider import OpenProvider
from tests.support.shell import CAMPAIGN, Shell
from tests.support.stops import IN_FLIGHT, PLANNED, Busy, finals_to_buy, make_busy, told_to_stop

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture
def busy(shell: Shell, open_provider: OpenProvider) -> Busy:
    """A home with thirty requests in flight."""
    return make_busy(shell.home, open_provider)


@pytest.mark.slow  # every day: a second press, below
@pytest.mark.parametrize("number", SIGNALS)
def test_a_run_that_is_told_to_stop(shell: Shell, busy: Busy, number: signal.Signals) -> None:
    """Ctrl-C, a scheduler, a closed terminal."""
    with told_to_stop(busy.wait_until_full, [number]):
        done = shell.runoff("run", busy.campaign())
    assert done.returncode == 130, done.stderr
    assert done.stderr.count("was interrupted") == 1
    busy.check_nothing_lost()


@pytest.mark.slow  # every day: a second press, below
@pytest.mark.parametrize(
    "number", [signal.SIGTERM, *(pytest.param(one, marks=pytest.mark.long) for one in SIGNALS[::2])]
)
def test_a_promotion_that_is_told_to_stop(
    shell: Shell, open_provider: OpenProvider, number: signal.Signals
) -> None:
    """Thirty finals are in flight: all come in, and the next promotion buys only the rest."""
    busy, made = finals_to_buy(shell, open_provider)
    n_drafts = busy.provider.n_requests
    n_finals = len(made["finalists"])
    full = lambda: wait_until(lambda: busy.provider.n_requests >= n_drafts + IN_FLIGHT)  # noqa: E731
    with told_to_stop(full, [number]):
        done = shell.runoff("promote", made["run_id"], "--yes")
    assert done.returncode == 130, done.stderr
    n_sent = busy.provider.n_requests
    assert busy.states() == {"received": n_sent, "planned": n_drafts + n_finals - n_sent}
    assert n_drafts + IN_FLIGHT <= n_sent < n_drafts + n_finals
    assert busy.run_states() == ["stopped"]
    assert shell.runoff("promote", made["run_id"], "--yes").returncode == 0
    assert busy.provider.n_requests == n_drafts + n_finals
    busy.check_books("done")


@pytest.mark.slow  # every day: a second press, below
def test_more_that_is_told_to_stop_names_what_buys_the_rest_and_no_finals(shell: Shell, busy: Busy) -> None:
    """Thirty of forty come in; the command that is named buys ten, and the run still awaits review."""
    review = {"arms": CAMPAIGN["arms"], "finalists": {"count": 2, "approval": "review"}}
    drafts = {"drafts": CAMPAIGN["drafts"] | {"per_prompt": 3}}
    made = json.loads(shell.runoff("run", busy.campaign(review | drafts), "--json").stdout)
    n_before = busy.provider.n_requests
    full = lambda: wait_until(lambda: busy.provider.n_requests >= n_before + IN_FLIGHT)  # noqa: E731
    with told_to_stop(full, [signal.SIGINT]):
        done = shell.runoff("more", made["run_id"], "A-000-000", "--row", "--n", "40", "--yes")
    assert done.returncode == 130, done.stderr
    assert f"Resume it with: runoff run --resume {made['run_id']}" in done.stderr
    assert n_before + IN_FLIGHT <= busy.provider.n_requests < n_before + 40
    assert shell.runoff("run", "--resume", made["run_id"]).returncode == 0
    assert busy.provider.n_requests == n_before + 40
    busy.check_books("awaiting review")


@pytest.mark.long  # every day: a second press while drafts come, below
def test_a_second_press_at_a_promotion_loses_what_is_in_flight_and_says_so(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """As with drafts; the next promotion leaves what may have been billed alone and buys the rest."""
    busy, made = finals_to_buy(shell, open_provider)
    n_drafts = busy.provider.n_requests
    full = lambda: wait_until(lambda: busy.provider.n_requests >= n_drafts + IN_FLIGHT)  # noqa: E731
    with told_to_stop(full, [signal.SIGINT, signal.SIGINT], every_s=SAME_PRESS_S + 0.2):
        done = shell.runoff("promote", made["run_id"], "--yes")
    assert done.returncode == 130, done.stderr
    n_unknown = busy.states()["unknown"]
    assert 0 < n_unknown <= IN_FLIGHT
    assert f"{n_unknown} requests in flight may have been billed: recorded as unknown" in done.stdout
    assert busy.run_states() == ["stopped"]
    n_sent = busy.provider.n_requests
    assert shell.runoff("promote", made["run_id"], "--yes").returncode == 4
    assert busy.provider.n_requests == n_drafts + len(made["finalists"])
    assert busy.states()["unknown"] == n_unknown
    assert n_sent <= busy.provider.n_requests


@pytest.mark.slow  # every day: a second press, below
def test_one_stop_that_is_told_twice(shell: Shell, busy: Busy) -> None:
    """A terminal or an init system signals the parent and the child, and the parent passes it on."""
    with told_to_stop(busy.wait_until_full, SIGNALS):
        done = shell.runoff("run", busy.campaign())
    assert done.returncode == 130, done.stderr
    busy.check_nothing_lost()


def test_a_second_press_loses_what_is_in_flight_and_says_so(shell: Shell, busy: Busy) -> None:
    """As fast as a person presses. One line: how many, what they are charged, how to go on."""
    with told_to_stop(busy.wait_until_full, [signal.SIGINT, signal.SIGINT], every_s=SAME_PRESS_S + 0.2):
        done = shell.runoff("run", busy.campaign())
    assert done.returncode == 130
    assert "Stopping: waiting for the " in done.stdout
    states = busy.states()
    assert f"{states['unknown']} requests in flight may have been billed: recorded as unknown" in done.stdout
    assert "Resume with: runoff run --resume" in done.stdout
    assert 0 < states["unknown"] <= IN_FLIGHT
    assert states["planned"] == PLANNED - busy.provider.n_requests
    assert busy.run_states() == ["stopped"]
