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
    assert (done.returncode, provider.n_requests) == (4, 0)
    assert "logo.png" in done.stdout
    assert "Put back what is missing" in done.stdout
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


@pytest.mark.slow
def test_drafts_are_bought_though_their_finals_need_it(shell: Shell, open_provider: OpenProvider) -> None:
    """The finals alone are left out; with the file back they are bought."""
    changes = {"references": [], "finals": CAMPAIGN["finals"] | WITH_LOGO}
    run_id = run_until(5, shell, open_provider, changes)
    with shell.ledger() as ledger:
        n_left = ledger.orders.counts(run_id)["draft", "planned"]
    provider = open_provider()
    done = shell.runoff("run", "--resume", run_id, "--yes")
    assert (done.returncode, provider.n_requests) == (4, n_left), done.stderr
    assert "2 finals are left out, and nothing is spent for them" in done.stdout
    Image.new("RGB", (128, 64), "#0f6b57").save(shell.home.parent / "logo.png")
    assert shell.runoff("promote", run_id, "--yes").returncode == 0
    assert provider.n_requests == n_left + 2


@pytest.mark.slow  # every day: the price of it, in integration/test_pictures_are_what_was_bought.py
def test_one_that_needs_it_does_not_hold_up_the_others(shell: Shell, open_provider: OpenProvider) -> None:
    """Each row has a logo, and one is gone: the other final is bought, and this one once its logo is back."""
    provider, folder = open_provider(), shell.home.parent
    for name, colour in {"first": "#0f6b57", "second": "#a01030"}.items():
        Image.new("RGB", (128, 64), colour).save(folder / f"{name}.png")
    changes = {
        "variables": {"logo": ["first.png", "second.png"]},
        "arms": {"A": {"prompt": "An otter swimming"}, "B": {"prompt": "An otter asleep"}},
        "finals": CAMPAIGN["finals"] | {"references": ["{{ logo }}"]},
        "finalists": {"count": 2, "approval": "review", "per_row": 1},
    }
    assert shell.runoff("run", shell.campaign(changes)).returncode == 0
    bytes_of_logo = (folder / "second.png").read_bytes()
    (folder / "second.png").unlink()
    for n_bought in (13, 13):  # the second time nothing is left that can be bought
        left = shell.runoff("promote")
        assert (left.returncode, provider.n_requests) == (4, n_bought), left.stderr
        assert "1 final is left out, and nothing is spent for it" in left.stdout
        assert f"there is no file {folder / 'second.png'}" in "".join(left.stdout.splitlines())
        assert shell.json("runs")[0]["state"] == "stopped"
    (folder / "second.png").write_bytes(bytes_of_logo)
    done = shell.runoff("promote")
    assert (done.returncode, provider.n_requests) == (0, 14), done.stderr
    assert "left out" not in done.stdout
    assert (shell.json("runs")[0]["state"], shell.json("runs")[0]["finals"]) == ("done", 2)
