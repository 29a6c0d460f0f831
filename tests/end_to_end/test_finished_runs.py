"""Resuming a run of which nothing is left: no server is started, and nothing is bought or decided."""

import os
from pathlib import Path

import pytest

from flows.finished import NOTHING_LEFT, finished_outcome
from flows.session.prepare import prepare
from tasks.settings import Settings
from tests.support.provider import OpenProvider, Provider
from tests.support.shell import Shell

NOWHERE = "http://127.0.0.1:9/api"
WITHOUT_PICTURES = (
    {"kind": "bill_then_drop", "nth": [1], "path": "generations"},
    {"kind": "moderation", "nth": [2], "path": "generations"},
    {"kind": "comet_error", "nth": [3], "path": "generations"},
)
LEFT = {"unknown": 1, "refused": 1, "failed": 1}


def is_finished(shell: Shell, folder: Path) -> bool:
    """Whether the command would resume a run without a server."""
    with shell.seat():
        prepared = prepare(folder / "campaign.yaml", Settings(shell.home, os.environ), folder.name)
        return finished_outcome(prepared) is not None


@pytest.fixture
def ended(shell: Shell, open_provider: OpenProvider) -> tuple[Provider, Path]:
    """Make a run that ended without three of its pictures; returns its provider and its folder."""
    provider = open_provider(*WITHOUT_PICTURES)
    outcome = shell.json("run", shell.campaign({"finalists": {"count": 0}}))
    assert (outcome["exit_code"], outcome["orders"]) == (4, {"received": 9} | LEFT)
    return provider, shell.folder(outcome["run_id"])


def test_a_run_that_ended_without_some_pictures_is_resumed_without_a_server(
    shell: Shell, ended: tuple[Provider, Path]
) -> None:
    """What is unknown, refused or failed is not sent again: same figures, same exit code, nothing bought."""
    provider, folder = ended
    report = (folder / "report.csv").read_text()
    again = shell.runoff("run", "--resume", "latest", PREFECT_API_URL=NOWHERE)
    assert again.returncode == 4, again.stderr
    assert NOTHING_LEFT[:40] in again.stdout
    assert all(f"1 request {state}" in again.stdout for state in LEFT), again.stdout
    assert "runoff ledger unknown" in again.stdout
    assert provider.n_requests == 12
    assert (folder / "report.csv").read_text() == report


def test_a_run_that_ended_without_some_pictures_is_worked_on_where_that_changes_anything(
    shell: Shell, ended: tuple[Provider, Path]
) -> None:
    """An answer half written, a report that is gone, a verdict of a person: each is looked at again."""
    _, folder = ended
    assert is_finished(shell, folder)
    part = folder / "answers" / ".o-1.json.0123456789ab.part"
    part.write_bytes(b"{")
    assert not is_finished(shell, folder)
    part.unlink()
    page = (folder / "report.html").rename(folder / "elsewhere.html")
    assert not is_finished(shell, folder)
    page.rename(folder / "report.html")
    assert is_finished(shell, folder)
    (unknown,) = shell.json("ledger", "unknown")
    body = folder / "answers" / f"{unknown['order_id']}.body"
    body.write_text("an answer that could not be read")
    assert not is_finished(shell, folder)
    body.unlink()
    shell.json("ledger", "reconcile", unknown["order_id"], "--unbilled")
    assert not is_finished(shell, folder), "the report says what it was charged before"


def test_a_campaign_that_has_unknown_drafts_sent_again_is_worked_on_until_it_has(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """The rule sends each once: while one is left to send the run is resumed, and afterwards it is not."""
    provider = open_provider({"kind": "bill_then_drop", "path": "generations", "nth": [1, 13]})
    rule = {"finalists": {"count": 0}, "on_unknown": "resend"}
    outcome = shell.json("run", shell.campaign(rule))
    assert outcome["orders"] == {"received": 11, "unknown": 2}
    folder = shell.folder(outcome["run_id"])
    assert is_finished(shell, folder)
    assert provider.n_requests == 13
