"""A seller and a model that Runoff does not know, added by what docs/providers.md says and nothing else."""

import re
from decimal import Decimal

import pytest
import yaml

from tests.support.emulator_client import png
from tests.support.relay import relay
from tests.support.shell import Shell


@pytest.mark.slow
def test_a_seller_and_a_model_are_added_and_bought_at_their_price(shell: Shell) -> None:
    """It wants `image_size` and `batch_size`, answers with `images` and addresses, and reports no usage."""
    with relay() as seller:
        there = seller.file("/out/1.png", png((1024, 1024)))
        seller.answer = (200, {"images": [{"url": there}], "timings": {"inference": 1.1}, "seed": 7})
        shell.home.mkdir()
        entry = {
            "base_url": seller.url, "key_variable": "GATEWAY_KEY", "images_per_minute": 6000,
            "capabilities": {"edits": False, "batch": False, "streaming": False, "max_n": 1},
        }  # fmt: skip
        (shell.home / "providers.yaml").write_text(yaml.safe_dump({"providers": {"gateway": entry}}))
        shell.environ["GATEWAY_KEY"] = "sk-of-the-gateway-0123456789"
        added = shell.runoff(
            "models", "add", "kolors-2", "--provider", "gateway", "--per-picture", "0.03", "--size",
            "1024x1024", "--drop", "output_format", "--source", "https://gateway.test/pricing", "--yes",
        )  # fmt: skip
        assert added.returncode == 0, added.stderr
        own = shell.home / "catalogue.yaml"
        own.write_text(
            own.read_text().replace("request:", "request:\n      rename: {size: image_size, n: batch_size}")
        )
        assert "0.030" in shell.runoff("models", "kolors-2", "--provider", "gateway").stdout
        assert shell.runoff("models", "--provider", "openai").stdout.count("kolors-2") == 1
        drafts = {"model": "kolors-2", "quality": "standard", "size": "1024x1024", "per_prompt": 2}
        finals = {"model": "kolors-2", "quality": "standard", "method": "generate"}
        changes = {"provider": "gateway", "drafts": drafts, "finals": finals, "finalists": {"count": 0}}
        campaign = shell.campaign(changes)
        planned = shell.json("plan", campaign)
        assert (Decimal(planned["low_usd"]), Decimal(planned["high_usd"])) == (
            Decimal("0.24"),
            Decimal("0.24"),
        )
        done = shell.runoff("run", campaign)
        assert done.returncode == 0, done.stderr
        assert seller.bought == 8
        assert set(seller.asked[0]) == {"prompt", "model", "image_size", "batch_size"}
        (spent,) = shell.json("ledger", "spend", "--by", "provider")["groups"]
        assert (spent["name"], Decimal(spent["spent_usd"])) == ("gateway", Decimal("0.24"))
        assert Decimal(spent["unknown_usd"]) == 0
        assert shell.runoff("ledger", "verify").returncode == 0
        assert re.search(r"sk-of-the-gateway", done.stdout + done.stderr) is None
