"""A ledger that is lost after a run: nothing is spent, it is read back, and the run goes on where it was."""

from decimal import Decimal

import pytest

from tests.support.provider import OpenProvider
from tests.support.shell import Shell

ONE_LOST = {"kind": "bill_then_drop", "nth": [2], "path": "generations"}


@pytest.mark.slow  # every day: integration/test_ledger_rebuild.py and integration/test_ledger_backups.py
def test_a_lost_ledger_is_read_back_and_nothing_is_bought_twice(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Refused until then; then the same requests and money, and a resume that buys nothing."""
    provider = open_provider(ONE_LOST)
    outcome = shell.json("run", shell.campaign())
    n_requests, spent_usd = provider.n_requests, Decimal(outcome["spent_usd"])
    assert Decimal(outcome["unknown_usd"]) > 0
    (shell.home / "ledger.db").unlink()
    for backup in (shell.home / ".backups").iterdir():
        backup.unlink()

    for words in (["run", str(shell.campaign())], ["run", "--resume", "latest"], ["promote", "latest"]):
        refused = shell.runoff(*words)
        assert refused.returncode == 1
        assert outcome["run_id"] in refused.stderr
    assert provider.n_requests == n_requests
    assert not (shell.home / "ledger.db").exists()

    (read,) = shell.json("ledger", "rebuild")["runs"]
    assert (read["n_orders"], Decimal(read["charged_usd"])) == (n_requests, spent_usd)
    assert shell.runoff("ledger", "verify").returncode == 0
    (unknown,) = shell.json("ledger", "unknown")
    assert unknown["estimate_usd"] == outcome["unknown_usd"]
    resumed = shell.json("run", "--resume", "latest")
    assert provider.n_requests == n_requests, "what was bought, and what may have been, is not bought again"
    for figure in ("orders", "pictures", "duplicates", "finals", "accepted", "spent_usd", "unknown_usd"):
        assert resumed[figure] == outcome[figure], figure
