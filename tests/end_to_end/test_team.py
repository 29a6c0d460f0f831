"""Two campaigns on a team's machines: a worker is killed in the middle, nothing is lost or bought twice."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import s3fs
import yaml

from tasks.emulator.server import emulator_server
from tasks.emulator.settings import EmulatorSettings
from tasks.ledger import Ledger
from tests.support.ledgers import open_ledger
from tests.support.object_store import BUCKET
from tests.support.postgresql_server import binaries
from tests.support.prefect_server import prefect_client
from tests.support.provider import KEY
from tests.support.shell import CAMPAIGN
from tests.support.team_setup import POOL, Team, team

ROOT = Path(__file__).parents[2]
NAMES = ("north-sea", "south-sea")
LIMIT_S = 420
PACE_S = 1.0
BUDGET_USD = 3


def write_campaigns(folder: Path) -> list[Path]:
    """Write two campaigns with schedules that never come round while the test runs."""
    files = []
    for name in NAMES:
        schedule = {"cron": "0 6 1 1 *", "timezone": "Europe/Paris"}
        drafts = CAMPAIGN["drafts"] | {"per_prompt": 6}
        files.append(folder / f"{name}.yaml")
        text = yaml.safe_dump(CAMPAIGN | {"name": name, "drafts": drafts, "schedule": schedule})
        files[-1].write_text(text)
    return files


@dataclass
class Onlooker:
    """Somebody who looks at everything from outside.

    Args:
        team: What runs.
        api: Prefect's server.
        ledger: The team's ledger.
        bill_url: The provider's own book.
    """

    team: Team
    api: httpx.Client
    ledger: Ledger
    bill_url: str

    def start(self, name: str) -> str:
        """Start a deployment as somebody would in Prefect's pages; returns the flow run's id."""
        deployment = self.api.get(f"/deployments/name/prototype/{name}").raise_for_status().json()["id"]
        made = self.api.post(f"/deployments/{deployment}/create_flow_run", json={}).raise_for_status()
        return str(made.json()["id"])

    def flow_states(self) -> dict[str, str]:
        """Tell the state of every run of the flow that was begun; the schedules' next turns are left out."""
        body = {"flows": {"name": {"any_": ["prototype"]}}}
        found: list[dict[str, Any]] = self.api.post("/flow_runs/filter", json=body).raise_for_status().json()
        return {run["id"]: run["state_type"] for run in found if run["state_type"] != "SCHEDULED"}

    def orders(self, campaign: str) -> Counter[str]:
        """Count a campaign's orders by state."""
        runs = [run.run_id for run in self.ledger.runs.all() if run.campaign == campaign]
        return Counter(record.state for run_id in runs for record in self.ledger.orders.of_run(run_id))

    def n_requests(self) -> int:
        """Count the requests for pictures that the provider received."""
        entries = httpx.get(self.bill_url).json()["entries"]
        return sum("/images/" in entry["path"] for entry in entries)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait, and tell what everybody said when it does not come true."""
        deadline = time.monotonic() + LIMIT_S
        while not condition():
            assert time.monotonic() < deadline, self.team.said()
            time.sleep(0.5)

    def worker_of(self, campaign: str) -> str:
        """Tell which worker works on a campaign: the one in whose mirror its folder is."""
        folder = self.team.folder
        (found,) = (name for name in self.team.workers if list((folder / name).glob(f"*/{campaign}/*")))
        return found


@pytest.fixture
def onlooker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Onlooker]:
    """A team with two workers, two campaigns and the automations of the page."""
    with _team(tmp_path) as (together, bill_url):
        for name, value in together.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("RUNOFF_MIRRORS", str(tmp_path / "looking"))
        with (
            prefect_client(together.environ["PREFECT_API_URL"]) as api,
            open_ledger(tmp_path) as ledger,
        ):
            found = Onlooker(together, api, ledger, bill_url)
            for worker in ("one", "two"):
                together.start_worker(worker)
            found.wait_until(lambda: api.get(f"/work_pools/{POOL}").status_code == 200)
            together.runoff("deploy", *write_campaigns(tmp_path), "--pool", POOL)
            together.runoff("automations")
            yield found


@contextmanager
def _team(folder: Path) -> Iterator[tuple[Team, str]]:
    with emulator_server(EmulatorSettings(paint="plain", pace=PACE_S)) as url:
        provider = {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": KEY, "RUNOFF_IMAGES_PER_MINUTE": "60"}
        with team(folder, **provider) as together:
            yield together, url.removesuffix("/v1") + "/_bill"


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.skipif(binaries() is None, reason="PostgreSQL is not installed here")
def test_a_worker_killed_in_the_middle_costs_a_team_nothing(onlooker: Onlooker) -> None:
    """Both reports are in the store, every budget holds, no order was sent twice, and every state is true."""
    first, second = NAMES
    killed = onlooker.start(first)
    onlooker.start(second)
    onlooker.wait_until(lambda: all(onlooker.orders(name)["received"] >= 3 for name in NAMES))
    onlooker.team.kill_worker(onlooker.worker_of(first))
    in_flight = onlooker.orders(first)["sent"]
    onlooker.wait_until(lambda: {run.state for run in onlooker.ledger.runs.all()} == {"done"})
    onlooker.wait_until(lambda: not {"RUNNING", "PENDING"} & set(onlooker.flow_states().values()))

    runs = onlooker.ledger.runs.all()
    assert sorted(run.campaign for run in runs) == sorted(NAMES), "the killed run was gone on with"
    ends = {name: onlooker.orders(name) for name in NAMES}
    assert all(set(end) <= {"received", "unknown"} for end in ends.values()), ends
    assert ends[second]["unknown"] == 0
    assert ends[first]["unknown"] <= in_flight
    assert onlooker.n_requests() <= sum(ends[first].values()) + sum(ends[second].values())
    assert all(onlooker.ledger.orders.charged_usd(run.run_id) <= BUDGET_USD for run in runs)
    states = onlooker.flow_states()
    assert states.pop(killed) == "CRASHED"
    assert set(states.values()) == {"COMPLETED"}, states
    assert_in_the_store(onlooker.team)
    assert "sound and consistent" in onlooker.team.runoff("ledger", "verify")


def assert_in_the_store(together: Team) -> None:
    """Both reports are there, beside the pictures."""
    files = s3fs.S3FileSystem(
        key=together.environ["AWS_ACCESS_KEY_ID"], secret=together.environ["AWS_SECRET_ACCESS_KEY"],
        endpoint_url=together.environ["AWS_ENDPOINT_URL"], skip_instance_cache=True,
    )  # fmt: skip
    for name in NAMES:
        kept = files.find(f"{BUCKET}/runoff/{name}")
        assert sum(file.endswith("/report.html") for file in kept) == 1
        assert sum("/drafts/" in file for file in kept) >= 12  # some were under way at the kill
