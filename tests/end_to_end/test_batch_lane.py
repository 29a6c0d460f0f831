"""A campaign by the Batch lane, with the installed command: it ends waiting, is taken up, and costs half."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from tests.support.batch_bench import Clock
from tests.support.provider import OpenProvider
from tests.support.shell import CAMPAIGN, Shell

DRAFTS: dict[str, Any] = CAMPAIGN["drafts"]
BY_BATCH: dict[str, Any] = {"drafts": DRAFTS | {"lane": "batch"}}


@pytest.mark.slow  # every day: integration/test_batch_lane.py
def test_a_run_by_batch_waits_without_a_worker_and_is_taken_up(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Handed over, looked at too early, collected: three commands, and one batch at the provider."""
    clock = Clock()
    provider = open_provider(batch_pace_s=1.0, now_s=clock)
    file = shell.campaign(BY_BATCH)
    done = shell.runoff("run", file)
    assert done.returncode == 0, done.stderr
    assert "waiting" in done.stdout
    assert "1 batch with 12 requests" in done.stdout
    (run,) = shell.json("runs")
    early = shell.json("run", "--resume", "latest")
    assert (early["state"], early["exit_code"], early["pictures"]) == ("waiting", 0, 0)
    assert provider.n_requests == 0
    clock.now_s += 3600
    late = shell.json("run", "--resume", "latest")
    assert (late["state"], late["exit_code"], late["pictures"], late["accepted"]) == ("done", 0, 12, 2)
    assert late["run_id"] == run["run_id"]
    assert [entry["lane"] for entry in provider.orders()].count("batch") == 12
    with shell.ledger() as ledger:
        assert ledger.verify(shell.home) == []
        assert ledger.orders.charged_usd(run["run_id"]) * 10**9 == provider.charged_nanousd


@pytest.mark.slow
def test_a_turn_of_its_schedule_ends_a_waiting_run_before_it_begins_a_new_one(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Yesterday's pictures are collected, today's are handed over."""
    from flows.prototype import prototype

    clock = Clock()
    open_provider(batch_pace_s=1.0, now_s=clock)
    file = shell.campaign(BY_BATCH | {"schedule": {"cron": "0 6 * * *", "timezone": "UTC"}})
    assert shell.json("run", file)["state"] == "waiting"
    clock.now_s += 3600
    turn = shell.run_flow(lambda: prototype(str(file), str(shell.home), is_scheduled=True))
    assert turn["state"] == "waiting"
    assert [run["state"] for run in shell.json("runs")] == ["waiting", "done"]


def test_a_plan_says_the_lane_its_price_and_its_time(shell: Shell) -> None:
    """Half of the other lane, to the nano-dollar, within a day."""
    dear = shell.json("plan", shell.campaign())
    cheap = shell.json("plan", shell.campaign(BY_BATCH))
    assert (dear["lane"], cheap["lane"]) == ("interactive", "batch")
    for key in ("drafts_low_usd", "drafts_high_usd"):
        assert Decimal(cheap[key]) * 2 == Decimal(dear[key])
    assert cheap["drafts_s"] == 24 * 3600
    assert "Batch lane" in shell.runoff("plan", shell.campaign(BY_BATCH)).stdout


@pytest.mark.parametrize(
    ("changes", "what", "way_out"),
    [
        ({"provider": "cometapi"}, "cometapi has no batch lane", "a provider that has one"),
        (
            {"drafts": DRAFTS | {"lane": "batch", "model": "gpt-image-2.6-flare"}},
            "gpt-image-2.6-flare has no batch lane",
            "a model that has one",
        ),
    ],
)
def test_a_model_or_provider_without_batches_is_refused_with_the_way_out(
    shell: Shell, changes: dict[str, Any], what: str, way_out: str
) -> None:
    """Before anything is spent, and with the key of the campaign at fault."""
    done = shell.runoff("plan", shell.campaign(BY_BATCH | changes))
    assert done.returncode == 2
    assert "drafts.lane" in done.stderr
    assert what in done.stderr
    assert way_out in done.stderr


@pytest.mark.slow
def test_a_cancelled_run_keeps_what_was_done_and_buys_the_rest_only_when_resumed(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """`runoff cancel` asks the provider to stop; the next command collects, the one after that buys."""
    clock = Clock()
    provider = open_provider(batch_pace_s=1.0, now_s=clock)
    run_id = shell.json("run", shell.campaign(BY_BATCH))["run_id"]
    clock.now_s += 5
    assert shell.json("run", "--resume", run_id)["state"] == "waiting"
    done = shell.runoff("cancel", run_id)
    assert done.returncode == 0, done.stderr
    assert "asked to cancel 1 batch" in done.stdout
    clock.now_s += 60
    done = shell.runoff("run", "--resume", run_id)
    assert done.returncode == 1
    assert "was cancelled" in done.stderr
    with shell.ledger() as ledger:
        counts = ledger.orders.counts(run_id)
        assert ledger.verify(shell.home) == []
        assert ledger.orders.charged_usd(run_id) * 10**9 == provider.charged_nanousd
    assert sum(counts.values()) == 12
    assert 0 < counts["draft", "received"] < 12
    assert counts["draft", "planned"] == 12 - counts["draft", "received"]
    nothing = shell.runoff("cancel", run_id)
    assert (nothing.returncode, "has no batch" in nothing.stdout) == (0, True)


def product_campaign(shell: Shell, lane: str, count: int) -> Path:
    """Many product pictures in one new style, their middles kept by a mask."""
    folder = shell.home.parent / "products"
    if not folder.exists():
        folder.mkdir()
        for number in range(count):
            colour = (number, 255 - number, (number * 7) % 256)
            Image.new("RGB", (64, 64), colour).save(folder / f"product-{number:03d}.png")
    changes = {
        "name": f"products-{lane}",
        "rows": "products/*.png",
        "variables": None,
        "references": ["{{ file }}"],
        "mask": {"keep_box": ["25%", "25%", "50%", "50%"]},
        "arms": {"A": {"prompt": "The {{ name }} on an oak worktop, morning light"}},
        "drafts": DRAFTS | {"lane": lane, "per_prompt": 1},
        "finalists": {"count": 0},
    }
    return shell.campaign(changes, f"{lane}.yaml")


@pytest.mark.parametrize(
    "count", [pytest.param(6, marks=pytest.mark.slow), pytest.param(200, marks=pytest.mark.long)]
)
def test_masked_product_pictures_by_both_lanes(shell: Shell, open_provider: OpenProvider, count: int) -> None:
    """The same report, column by column; the batch one costs half of the other to the nano-dollar."""
    clock = Clock()
    provider = open_provider(batch_pace_s=1.0, now_s=clock)
    dear = shell.json("run", product_campaign(shell, "interactive", count))
    assert dear["state"] == "done"
    one_by_one = provider.charged_nanousd
    waiting = shell.json("run", product_campaign(shell, "batch", count))
    assert waiting["state"] == "waiting"
    clock.now_s += 3600
    cheap = shell.json("run", "--resume", waiting["run_id"])
    assert (cheap["state"], cheap["pictures"]) == ("done", count)
    assert (provider.charged_nanousd - one_by_one) * 2 == one_by_one
    assert Decimal(cheap["spent_usd"]) * 2 == Decimal(dear["spent_usd"])
    reports = [pd.read_parquet(Path(outcome["folder"]) / "report.parquet") for outcome in (dear, cheap)]
    assert list(reports[0].columns) == list(reports[1].columns)
    assert list(reports[0].dtypes) == list(reports[1].dtypes)
    for key in (
        "row",
        "prompt",
        "state",
        "model",
        "size",
        "width",
        "height",
        "input_tokens",
        "output_tokens",
    ):
        assert reports[0][key].tolist() == reports[1][key].tolist()
    uploads = [entry for entry in provider.bill()["entries"] if entry["path"] == "/v1/files"]
    assert len(uploads) == count + 2  # one mask for all, and the lines
    with shell.ledger() as ledger:
        assert ledger.verify(shell.home) == []
