"""A run goes on without the pictures that its drafts were made from, as far as nothing left sends them."""

from typing import Any

import pytest
from PIL import Image

from tests.support.provider import OpenProvider
from tests.support.shell import CAMPAIGN, Shell

WITH_LOGO = {"references": ["logo.png"]}
DOORS = [
    pytest.param(("promote",), id="promote"),
    pytest.param(("run", "--resume"), id="resume", marks=pytest.mark.slow),
]


def run_until(n_requests: int, shell: Shell, opened: OpenProvider, changes: dict[str, Any]) -> str:
    """Run a campaign that sends a logo until its account is empty; then the logo is gone. Returns the run."""
    opened({"kind": "quota", "nth": list(range(n_requests + 1, n_requests + 9)), "path": "images"})
    logo = shell.home.parent / "logo.png"
    Image.new("RGB", (128, 64), "#0f6b57").save(logo)
    assert shell.runoff("run", shell.campaign(WITH_LOGO | changes)).returncode == 1
    logo.unlink()
    with shell.ledger() as ledger:
        (run,) = ledger.runs.all()
    return run.run_id


@pytest.mark.parametrize("words", DOORS)
def test_finals_that_do_not_need_it_are_bought(
    words: tuple[str, ...], shell: Shell, open_provider: OpenProvider
) -> None:
    """Its drafts were all bought; each final sends its draft alone. Afterwards nothing is left."""
    run_id = run_until(12, shell, open_provider, {})
    provider = open_provider()
    done = shell.runoff(*words, run_id, "--yes")
    assert done.returncode == 0, done.stderr
    assert [entry["path"] for entry in provider.orders()] == ["/v1/images/edits"] * 2
    again = shell.runoff("run", "--resume", run_id, "--yes")
    assert (again.returncode, provider.n_requests) == (0, 2), again.stderr


@pytest.mark.slow
@pytest.mark.parametrize("words", DOORS)
def test_finals_that_need_it_name_it(
    words: tuple[str, ...], shell: Shell, open_provider: OpenProvider
) -> None:
    """Nothing is sent; with the file back the finals are bought."""
    run_id = run_until(12, shell, open_provider, {"finals": CAMPAIGN["finals"] | WITH_LOGO})
    provider = open_provider()
    done = shell.runoff(*words, run_id, "--yes")
    assert (done.returncode, provider.n_requests) == (1, 0)
    assert "logo.png" in done.stderr
    assert "Restore the picture" in done.stderr
    Image.new("RGB", (128, 64), "#0f6b57").save(shell.home.parent / "logo.png")
    assert shell.runoff(*words, run_id, "--yes").returncode == 0
    assert provider.n_requests == 2


def test_drafts_that_need_it_name_it(shell: Shell, open_provider: OpenProvider) -> None:
    """The error is the one of the run's campaign file, with what to do; nothing is sent."""
    run_id = run_until(5, shell, open_provider, {})
    provider = open_provider()
    done = shell.runoff("run", "--resume", run_id, "--yes")
    assert (done.returncode, provider.n_requests) == (2, 0)
    assert "references.0" in done.stderr
    assert "Put back what is missing" in done.stderr
