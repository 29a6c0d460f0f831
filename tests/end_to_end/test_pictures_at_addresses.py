"""A gateway that answers with addresses: its pictures are fetched, at once or when they are there."""

import pytest
import yaml

from tests.support.emulator_client import png
from tests.support.relay import relay
from tests.support.shell import Shell


@pytest.mark.slow
def test_pictures_that_were_not_there_are_read_later_and_scored(shell: Shell) -> None:
    """The run ends with unknown requests; nothing is bought again, and every picture is there at last."""
    with relay() as seller:
        shell.home.mkdir()
        entry = {"base_url": seller.url, "key_variable": "RELAY_KEY", "images_per_minute": 1000}
        (shell.home / "providers.yaml").write_text(yaml.safe_dump({"providers": {"relay": entry}}))
        shell.environ["RELAY_KEY"] = "sk-of-the-relay-0123456789"
        seller.answer = (200, {"created": 1, "images": [{"url": f"{seller.host}/late.png"}]})
        campaign = shell.campaign({"finalists": {"count": 0}, "provider": "relay"})
        assert shell.runoff("run", campaign).returncode == 4
        n_bought = seller.bought
        assert "runoff ledger reread" in shell.runoff("ledger", "unknown").stdout
        assert "still unknown" in shell.runoff("ledger", "reread").stdout
        seller.file("/late.png", png((1024, 1024)))
        said = shell.runoff("ledger", "reread").stdout
        assert said.count("received, 1 picture") == n_bought
        (run_id,) = {line.split()[-1] for line in said.splitlines() if "runoff rescore" in line}
        assert shell.runoff("rescore", run_id).returncode == 0
        assert shell.json("ledger", "unknown") == []
        assert shell.runoff("ledger", "verify").returncode == 0
        assert seller.bought == n_bought
