"""A run of one machine, looked at, decided and bought from others: one store, one ledger, mirrors apart."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.batch_bench import Clock
from tests.support.object_store import BUCKET, object_store
from tests.support.postgresql_server import binaries, running
from tests.support.provider import OpenProvider
from tests.support.shell import CAMPAIGN, Shell

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(binaries() is None, reason="PostgreSQL is not installed here"),
]
REVIEW = {"finalists": {"count": 2, "approval": "review"}, "deduplicate": {"radius_bits": 0}}
LOST = {"kind": "bill_then_drop", "nth": [1], "path": "generations"}


@pytest.fixture(scope="module")
def store() -> Iterator[dict[str, str]]:
    """What leads a client to the team's store; one for all tests, as a process opens an address once."""
    with object_store() as found:
        yield found


@pytest.fixture
def address(tmp_path: Path) -> str:
    """A place in the store of the test's own."""
    return f"s3://{BUCKET}/{tmp_path.name}"


@pytest.fixture
def machine(
    shell: Shell, tmp_path: Path, store: dict[str, str], address: str
) -> Iterator[Callable[[str], Shell]]:
    """Sit down at a machine of the team by its name."""
    found = binaries()
    assert found is not None
    with running(found) as postgresql:
        shared = {"RUNOFF_HOME": address, "RUNOFF_LEDGER_URL": postgresql.new_database()}

        def sit_down(name: str) -> Shell:
            own = {"RUNOFF_MIRRORS": str(tmp_path / name)}
            return Shell(tmp_path / name, shell.environ | store | shared | own)

        yield sit_down


def said(shell: Shell, *words: str) -> str:
    """Run a command that must end well; returns what it says."""
    done = shell.runoff(*words)
    assert done.returncode == 0, (words, done.stderr, done.stdout)
    return done.stdout


def folder_of(shell: Shell, run_id: str) -> Path:
    """Find the run's folder in a machine's mirror."""
    (mirror,) = shell.home.glob("store-*")
    return mirror / "otters" / run_id


@pytest.mark.slow
def test_a_run_is_looked_at_decided_and_bought_from_other_machines(
    shell: Shell, open_provider: OpenProvider, machine: Callable[[str], Shell], address: str
) -> None:
    """Every command does there what it does on the machine that made the run."""
    provider = open_provider(LOST)
    maker, buyer, other = machine("maker"), machine("buyer"), machine("other")
    assert maker.runoff("run", shell.campaign(REVIEW)).returncode == 4, "one answer was lost"

    (run,) = buyer.json("runs")
    run_id = run["run_id"]
    assert (run["state"], run["pictures"]) == ("awaiting review", 11)
    assert address in said(buyer, "doctor")
    name = run["finalists"][0]["candidate_id"]
    assert buyer.json("explain", "latest", name) == maker.json("explain", "latest", name)
    assert "sound and consistent" in said(buyer, "ledger", "verify")
    assert buyer.json("ledger", "spend")["month"] == maker.json("ledger", "spend")["month"]

    (lost,) = buyer.json("ledger", "unknown")
    said(buyer, "ledger", "reconcile", lost["order_id"], "--unbilled")
    said(other, "report")
    assert maker.json("runs")[0]["orders"] == {"received": 11, "failed": 1}

    said(other, "rescore", "latest", "--weight", "technical=2")
    said(buyer, "rescore")
    rules = yaml.safe_load((folder_of(buyer, run_id) / "campaign.yaml").read_text())
    assert float(rules["score"]["weights"]["technical"]) == 2, "it decided by the rules of the other"
    assert "no batch" in said(buyer, "cancel", "latest")

    before = provider.n_requests
    bought = buyer.json("promote", "latest", "--yes")
    assert (bought["state"], bought["accepted"], provider.n_requests - before) == ("done", 2, 2)
    assert other.json("promote", "latest", "--yes")["finals"] == 2, "nothing is bought twice"
    assert maker.json("runs")[0]["accepted"] == 2
    report = Path(maker.json("report", "latest")["html"])
    assert report.read_text().count("data:image/jpeg") >= 4, "finals and their drafts, large"
    assert "sound and consistent" in said(other, "ledger", "verify")

    (dropped,) = other.json("runs", "--prune", "--older-than", "0d", "--yes")["runs"]
    assert dropped["n_pictures"] == 9
    assert "sound and consistent" in said(maker, "ledger", "verify")
    assert maker.json("run", "--resume", "latest")["finals"] == 2
    assert len(list((folder_of(maker, run_id) / "drafts").glob("*.png"))) == 2
    assert provider.n_requests - before == 2


@pytest.mark.long
def test_a_batch_is_cancelled_from_another_machine(
    shell: Shell, open_provider: OpenProvider, machine: Callable[[str], Shell]
) -> None:
    """The one that handed it over need not be there; a third collects what was done."""
    drafts: dict[str, Any] = CAMPAIGN["drafts"]
    clock = Clock()
    open_provider(batch_pace_s=1.0, now_s=clock)
    made = machine("maker").json("run", shell.campaign({"drafts": drafts | {"lane": "batch"}}))
    assert made["state"] == "waiting"
    clock.now_s += 5
    assert "asked to cancel 1 batch" in said(machine("buyer"), "cancel", "latest")
    clock.now_s += 60
    collected = machine("other").runoff("run", "--resume", "latest")
    assert (collected.returncode, "was cancelled" in collected.stderr) == (1, True)
    (run,) = machine("maker").json("runs")
    assert 0 < run["pictures"] < 12
    assert "sound and consistent" in said(machine("maker"), "ledger", "verify")


@pytest.mark.long
def test_a_picture_that_the_store_lost_is_found_missing(
    shell: Shell, open_provider: OpenProvider, machine: Callable[[str], Shell], address: str
) -> None:
    """Also by the machine that still has it: what counts is what all can have."""
    import s3fs

    open_provider()
    maker = machine("maker")
    run = maker.json("run", shell.campaign(REVIEW))
    store = s3fs.S3FileSystem(
        key=maker.environ["AWS_ACCESS_KEY_ID"], secret=maker.environ["AWS_SECRET_ACCESS_KEY"],
        endpoint_url=maker.environ["AWS_ENDPOINT_URL"], skip_instance_cache=True,
    )  # fmt: skip
    file = run["finalists"][0]["file"]
    store.rm(f"{address}/otters/{run['run_id']}/{file}")
    for name in ("maker", "buyer"):
        done = machine(name).runoff("ledger", "verify")
        assert (done.returncode, "1 error\n" in done.stderr, file in done.stderr) == (1, True, True)
    assert maker.runoff("run", "--resume", "latest").returncode == 0
    assert "sound and consistent" in said(machine("buyer"), "ledger", "verify")
