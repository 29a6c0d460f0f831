"""Arms bought at several providers: one run, one ledger, and each provider's bill is its part of it."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import httpx2
import pytest
import yaml

from tasks.emulator.server import emulator_server
from tasks.emulator.settings import EmulatorSettings
from tests.support.provider import Provider
from tests.support.shell import COMMAND, Shell

MANNERS = {"vendor": "openai", "chat": "chat-images", "relay": "relay"}
"""The vendor's own, pictures in a chat's messages, and addresses of pictures."""
ARMS = {
    name: {"prompt": "A baby sea otter {{ action }}, watercolour", "provider": seller}
    for name, seller in (("A", "vendor"), ("B", "chat"), ("C", "relay"))
}
DRAFTS = {"model": "gpt-image-2.5-flare", "quality": "high", "size": "1024x1024", "per_prompt": 3}
FINALS = {
    "provider": "vendor", "model": "gpt-image-2.5-sunburst", "quality": "low", "size": "1024x640",
    "attempts": 1, "min_fidelity": 0.0,
}  # fmt: skip
PRICES = {"text_input": "2.00", "image_input": "3.00", "image_output": "20.00"}


class Market:
    """Three providers of different manners, and a home that knows them."""

    def __init__(self, shell: Shell, stack: ExitStack) -> None:
        self.shell, self._stack = shell, stack
        self.sellers: dict[str, Provider] = {}

    def open(self, **settings: dict[str, Any]) -> None:
        """Open the three; settings are by name."""
        for name, manners in MANNERS.items():
            own = {"paint": "plain", "profile": manners, **settings.get(name, {})}
            url = self._stack.enter_context(emulator_server(EmulatorSettings(**own)))
            self.sellers[name] = Provider(url)
            self.shell.environ[f"{name.upper()}_KEY"] = f"sk-of-{name}-0123456789"
        entries = {
            name: {
                "base_url": seller.url, "key_variable": f"{name.upper()}_KEY", "images_per_minute": 100_000,
                "concurrency": 2,
                **({"kind": "chat-images", "bills_by": "answer"} if name == "chat" else {}),
            }
            for name, seller in self.sellers.items()
        }  # fmt: skip
        self.shell.home.mkdir()
        (self.shell.home / "providers.yaml").write_text(yaml.safe_dump({"providers": entries}))

    def orders(self, name: str) -> list[dict[str, Any]]:
        """List the requests for pictures that a provider got."""
        paths = ("/images/", "/chat/completions")
        return [
            one for one in self.sellers[name].bill()["entries"] if any(part in one["path"] for part in paths)
        ]

    def n_orders(self) -> dict[str, int]:
        """Count them at each provider."""
        return {name: len(self.orders(name)) for name in self.sellers}

    def charged_usd(self, name: str) -> Decimal:
        """Ask a provider what it charged."""
        return Decimal(self.sellers[name].charged_nanousd) / 10**9

    def in_ledger_usd(self) -> dict[str, Decimal]:
        """Ask the ledger what was spent at each provider."""
        groups = self.shell.json("ledger", "spend", "--by", "provider")["groups"]
        return {group["name"]: Decimal(group["spent_usd"]) for group in groups}

    def bills_agree(self) -> None:
        """Expect every provider's bill to be its part of the ledger, exactly."""
        found = self.in_ledger_usd()
        assert found == {name: self.charged_usd(name) for name in found}
        assert self.shell.runoff("ledger", "verify").returncode == 0


@pytest.fixture
def market(shell: Shell) -> Iterator[Market]:
    """Three providers that are not open yet."""
    with ExitStack() as stack:
        yield Market(shell, stack)


def campaign(market: Market, **changes: Any) -> str:
    """Write a campaign with an arm at each provider."""
    kept = {"provider": "vendor", "arms": ARMS, "finals": FINALS, "drafts": DRAFTS,
            "budget": {"per_run_usd": "20.00"}}  # fmt: skip
    return str(market.shell.campaign(kept | changes))


@pytest.mark.slow
def test_each_arm_is_bought_at_its_own_provider_with_its_own_key(market: Market) -> None:
    """Finals come from where the campaign says; the report has them side by side."""
    market.open(**{name: {"api_key": f"sk-of-{name}-0123456789"} for name in MANNERS})
    done = market.shell.runoff("run", campaign(market))
    assert done.returncode == 0, done.stderr
    assert market.n_orders() == {"vendor": 8, "chat": 6, "relay": 6}
    assert {name: {one["path"] for one in market.orders(name)} for name in MANNERS} == {
        "vendor": {"/v1/images/generations", "/v1/images/edits"},
        "chat": {"/v1/chat/completions"}, "relay": {"/v1/images/generations"},
    }  # fmt: skip
    market.bills_agree()
    (folder,) = (market.shell.home / "otters").glob("2*")
    summary = json.loads((folder / "summary.json").read_text())
    assert set(summary["arms"]) == {"A", "B", "C"}
    assert all(arm["charged_per_unique_image_usd"] for arm in summary["arms"].values())
    page = (folder / "report.html").read_text()
    assert all(f"provider <b>{name}</b>" in page for name in MANNERS)


@pytest.mark.slow
def test_a_run_at_three_providers_is_killed_and_resumed(market: Market) -> None:
    """Nothing is bought twice, and the three bills are the three parts of the ledger to the micro-dollar."""
    market.open(**{name: {"pace": 0.01} for name in MANNERS})
    file = campaign(market, drafts=DRAFTS | {"per_prompt": 6})
    process = subprocess.Popen(
        [COMMAND, "run", file, "--yes"], env=market.shell.environ, cwd=market.shell.home.parent,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while min(market.n_orders().values()) < 3:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(1.0)  # what was in flight is painted and billed
    resumed = market.shell.runoff("run", "--resume", "latest")
    assert resumed.returncode in (0, 4), resumed.stderr
    lost = market.shell.json("ledger", "unknown")
    assert len(lost) <= 6
    for order in lost:
        billed = [
            one
            for name in MANNERS
            for one in market.orders(name)
            if one["client_request_id"] == order["client_request_id"]
        ]
        verdict: tuple[str, ...] = ("--unbilled",)  # it was killed before it was sent
        if billed:
            verdict = ("--billed", "--cost", str(Decimal(billed[0]["charged_nanousd"]) / 10**9))
        market.shell.runoff("ledger", "reconcile", order["order_id"], *verdict)
    market.bills_agree()
    ids = [one["client_request_id"] for name in MANNERS for one in market.orders(name)]
    assert len(ids) == len(set(ids))


@pytest.mark.slow
def test_each_provider_has_its_own_prices_and_an_arm_its_own_limit(market: Market) -> None:
    """The arm that reaches its limit ends alone; the run says so, and can go on."""
    market.open()
    entries = yaml.safe_load((market.shell.home / "providers.yaml").read_text())
    dated = PRICES | {"price_as_of": "2026-11-22", "checked_on": "2026-11-22", "source": "https://relay.test"}
    entries["providers"]["relay"]["prices"] = {"gpt-image-2.5-flare": dated}
    (market.shell.home / "providers.yaml").write_text(yaml.safe_dump(entries))
    arms = ARMS | {"B": ARMS["B"] | {"budget_usd": "0.30"}}
    file = campaign(market, arms=arms, finalists={"count": 0})
    planned = market.shell.json("plan", file)
    by_arm = {arm["arm"]: arm for arm in planned["arms"]}
    assert by_arm["C"]["provider"] == "relay"
    assert Decimal(by_arm["C"]["high_usd"]) < Decimal(by_arm["A"]["high_usd"])
    assert any(sentence.startswith("arms.B.budget_usd") for sentence in planned["warnings"])
    done = market.shell.runoff("run", file)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "arms.B.budget_usd" in done.stdout + done.stderr
    n_orders = market.n_orders()
    assert (n_orders["vendor"], n_orders["relay"]) == (6, 6)
    assert 0 < n_orders["chat"] < 6
    assert market.in_ledger_usd()["chat"] <= Decimal("0.30")


@pytest.mark.slow
def test_a_missing_key_of_one_arm_is_told_and_the_others_run_alone(market: Market) -> None:
    """In the plan already; nothing is bought until somebody decides."""
    market.open()
    del market.shell.environ["RELAY_KEY"]
    file = campaign(market, finalists={"count": 0})
    (warning,) = [one for one in market.shell.json("plan", file)["warnings"] if "RELAY_KEY" in one]
    assert warning.startswith("arms.C: provider relay")
    assert "--only-arm A --only-arm B" in warning
    refused = market.shell.runoff("run", file)
    assert refused.returncode == 1
    assert "--only-arm A --only-arm B" in refused.stderr
    assert set(market.n_orders().values()) == {0}
    assert market.shell.runoff("run", file, "--only-arm", "A", "--only-arm", "B").returncode == 0
    assert list(market.n_orders().values()) == [6, 6, 0]


@pytest.mark.slow
def test_a_provider_that_blocks_the_account_stops_its_arms_and_not_the_run(market: Market) -> None:
    """The others are bought and reported; the run says what to do, and goes on there when it is resumed."""
    market.open()
    blocked = [{"kind": "unverified", "path": "chat", "times": 100}]
    address = market.sellers["chat"].url.removesuffix("/v1") + "/_faults"
    httpx2.post(address, json=blocked).raise_for_status()
    file = campaign(market, finalists={"count": 0})
    done = market.shell.runoff("run", file)
    assert done.returncode == 1
    assert "provider chat" in done.stderr
    assert "runoff run --resume" in done.stderr
    assert [market.n_orders()[name] for name in ("vendor", "relay")] == [6, 6]
    assert market.in_ledger_usd().get("chat", 0) == 0
    httpx2.delete(address).raise_for_status()
    assert market.shell.runoff("run", "--resume", "latest").returncode == 0
    market.bills_agree()
