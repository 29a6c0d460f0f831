"""Orders that may have been billed: listed by the command, settled by a person, found again in the sums."""

from decimal import Decimal
from typing import Any

import pytest
import yaml

from tests.support.provider import OpenProvider
from tests.support.shell import Shell

LOST = {"kind": "bill_then_drop", "nth": [1, 2, 3], "path": "generations"}
DRAFTS_ONLY = {"finalists": {"count": 0}}


def usd(text: object) -> Decimal:
    """Read an amount out of an answer."""
    return Decimal(str(text))


def spent(shell: Shell) -> Decimal:
    """Ask what the only run is charged."""
    (run,) = shell.json("ledger", "spend")["groups"]
    return usd(run["spent_usd"])


def test_three_lost_answers_get_three_verdicts(shell: Shell, open_provider: OpenProvider) -> None:
    """Billed at a cost, unbilled, and sent again: each moves the sums by what it says and by no more."""
    provider = open_provider(LOST)
    assert shell.runoff("run", shell.campaign(DRAFTS_ONLY)).returncode == 4
    assert provider.n_requests == 12
    billed, unbilled, again = shell.json("ledger", "unknown")
    before = spent(shell)
    assert billed["order_id"] in shell.runoff("ledger", "unknown").stdout
    shell.json("ledger", "reconcile", billed["order_id"], "--billed", "--cost", "0.001")
    shell.json("ledger", "reconcile", unbilled["order_id"], "--unbilled")
    saved = usd(billed["estimate_usd"]) - Decimal("0.001") + usd(unbilled["estimate_usd"])
    assert spent(shell) == before - saved

    said = shell.runoff("ledger", "reconcile", again["order_id"], "--resend").stdout
    assert "planned again as" in said
    assert provider.n_requests == 12, "saying so buys nothing"
    shell.runoff("run", "--resume", "latest")
    assert provider.n_requests == 13
    (left,) = shell.json("ledger", "unknown")
    assert left["order_id"] == again["order_id"], "the first may have been billed still"
    assert shell.runoff("ledger", "verify").returncode == 0


def test_a_provider_that_loses_every_answer_is_not_paid_for_them_all(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """More losses in a row than one broken connection can cause end the run; it can go on later."""
    provider = open_provider({"kind": "bill_then_drop", "path": "generations", "times": 10})
    shell.home.mkdir()
    limits = {"providers": {"openai": {"concurrency": 2}}}
    (shell.home / "providers.yaml").write_text(yaml.safe_dump(limits))
    done = shell.runoff("run", shell.campaign(DRAFTS_ONLY))
    assert done.returncode == 1
    assert "the answers to 8 requests in a row were lost" in done.stderr
    assert "runoff ledger unknown" in done.stderr
    n_lost = len(shell.json("ledger", "unknown"))
    assert 8 <= n_lost == provider.n_requests <= 10
    assert shell.runoff("run", "--resume", "latest").returncode == 4
    assert provider.n_requests == 12
    assert shell.runoff("ledger", "verify").returncode == 0


@pytest.mark.slow
def test_an_unknown_order_is_found_by_what_the_provider_knows(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """The list names the id that was sent along, so that the provider's records can be searched for it."""
    provider = open_provider(LOST)
    shell.runoff("run", shell.campaign(DRAFTS_ONLY))
    listed = {order["client_request_id"] for order in shell.json("ledger", "unknown")}
    entries: list[dict[str, Any]] = provider.orders()
    assert listed <= {entry["client_request_id"] for entry in entries}
    assert len(listed) == 3


@pytest.mark.slow
def test_a_verdict_needs_an_order_and_one_of_the_three(shell: Shell, open_provider: OpenProvider) -> None:
    """What cannot be meant is a usage error, and what is not unknown is left alone."""
    open_provider()
    outcome = shell.json("run", shell.campaign(DRAFTS_ONLY))
    assert shell.runoff("ledger", "reconcile", "--billed").returncode == 2
    assert shell.runoff("ledger", "reconcile", "o-1").returncode == 2
    assert shell.runoff("ledger", "reconcile", "o-1", "--unbilled", "--cost", "1").returncode == 2
    missing = shell.runoff("ledger", "reconcile", "o-1", "--billed")
    assert missing.returncode == 1
    assert "o-1" in missing.stderr
    nothing = shell.runoff("ledger", "reconcile", "--all-of", outcome["run_id"], "--billed")
    assert "Nothing was changed" in nothing.stdout
