"""One run over the workers of a real Dask scheduler: the same rows, the same money, and what a kill costs."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tasks.ledger import RunRecord
from tasks.money import to_nanousd
from tests.support.dask_setup import DaskSetup, dask_setup, n_done_by_worker
from tests.support.object_store import BUCKET, object_store
from tests.support.provider import OpenProvider, Provider
from tests.support.shell import COMMAND, Shell

RUN_ID = "20261122-120000-abcd"
LIMIT_S = 120

MAKE = """
import asyncio, sys
from flows.prototype import prototype
asyncio.run(prototype(*sys.argv[1:]))
"""
OF_TIME = ["sent_at", "latency_s", "vendor_request_id"]
"""What of a report's row is of the moment, and not of the order."""

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@contextmanager
def workers_of(shell: Shell, folder: Path) -> Iterator[DaskSetup]:
    """Start two workers with the shell's environment; runs at the shell are theirs from then on."""
    with dask_setup(folder, shell.environ, "one", "two") as team:
        shell.environ["RUNOFF_DASK"] = team.address
        yield team


def make(shell: Shell, campaign: Path, home: Path) -> Any:
    """Make a run of a given id in a home of its own, so that orders have the same ids; read its report."""
    words = [sys.executable, "-c", MAKE, str(campaign), str(home), RUN_ID]
    done = subprocess.run(
        words, env=shell.environ, cwd=home.parent, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return pd.read_parquet(home / "otters" / RUN_ID / "report.parquet").drop(columns=OF_TIME)


def test_two_workers_make_the_very_report_that_one_process_makes(
    shell: Shell, open_provider: OpenProvider, tmp_path: Path
) -> None:
    """Every row with its ids, pictures, scores, choices and cost; each order was sent once; both worked."""
    provider = open_provider(paint="scene", picture_by_client_request_id=True)
    rules = {"weights": {"technical": 1, "palette": 1}, "palette": {"colors": ["#1A2B3C", "#C0A080"]}}
    campaign = shell.campaign(drafts_each(8) | {"score": rules})
    alone = make(shell, campaign, tmp_path / "alone")
    charged = provider.charged_nanousd
    with workers_of(shell, tmp_path / "dask") as team:
        together = make(shell, campaign, tmp_path / "together")
        assert min(n_done_by_worker(team).values()) >= 2
    pd.testing.assert_frame_equal(alone, together)
    assert provider.charged_nanousd == 2 * charged
    assert provider.n_requests == 2 * len(alone)


def test_workers_with_mirrors_of_their_own_share_a_run_in_a_store(
    shell: Shell, open_provider: OpenProvider, tmp_path: Path
) -> None:
    """Drafts are bought on one machine and edited on another; all is in the store, and nothing is missing."""
    provider = open_provider()
    with object_store() as store:
        mirrors = {"RUNOFF_MIRRORS": str(tmp_path / "here")}
        shell.environ |= store | mirrors | {"RUNOFF_HOME": f"s3://{BUCKET}/{tmp_path.name}"}
        shell.environ["RUNOFF_LEDGER_URL"] = f"sqlite:///{tmp_path}/ledger.db"
        with dask_setup(tmp_path / "dask", shell.environ) as team:
            for name in ("one", "two"):
                team.start_worker(name, RUNOFF_MIRRORS=str(tmp_path / name))
            shell.environ["RUNOFF_DASK"] = team.address
            done = shell.runoff("run", shell.campaign(drafts_each(6)), "--json")
            assert done.returncode == 0, done.stdout + done.stderr + team.said()
            assert min(n_done_by_worker(team).values()) >= 2
        outcome = json.loads(done.stdout)
        assert (outcome["pictures"], outcome["finals"]) == (24, 2)
        assert once_each(provider) == 26
        n_each = [len(list((tmp_path / name).glob("*/otters/*/drafts/*.png"))) for name in ("one", "two")]
        assert min(n_each) > 0
        assert len(list((tmp_path / "here").glob("*/otters/*/drafts/*.png"))) == 24
        assert shell.runoff("ledger", "verify").returncode == 0


def drafts_each(n: int) -> dict[str, Any]:
    """Change how many drafts of each arm and row there are: four times as many in all."""
    drafts = {"model": "gpt-image-2.5-flare", "quality": "low", "size": "1024x640", "per_prompt": n}
    return {"drafts": drafts}


def states_of(shell: Shell) -> Counter[str]:
    """Count the orders of the only run by state; none before it has begun."""
    if not (shell.home / "ledger.db").exists():
        return Counter()
    with shell.ledger() as ledger:
        return Counter(r.state for run in ledger.runs.all() for r in ledger.orders.of_run(run.run_id))


def only_run(shell: Shell) -> RunRecord:
    """Read the only run."""
    with shell.ledger() as ledger:
        (run,) = ledger.runs.all()
        return run


def wait_until(condition: Callable[[], bool], said: Callable[[], str]) -> None:
    """Wait, and tell what everybody said when it does not come true."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, said()
        time.sleep(0.1)


@contextmanager
def running(shell: Shell, campaign: Path, **environ: str) -> Iterator["subprocess.Popen[str]"]:
    """Start a run at the shell."""
    words: list[str | Path] = [COMMAND, "run", campaign]
    with subprocess.Popen(
        words, env=shell.environ | environ, cwd=shell.home.parent, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as run:  # fmt: skip
        try:
            yield run
        finally:
            run.kill()


@contextmanager
def in_the_middle(
    shell: Shell, folder: Path, n_received: int
) -> Iterator[tuple[DaskSetup, "subprocess.Popen[str]"]]:
    """Start a run of 48 drafts at two workers, and wait until some have come and others are under way."""
    with workers_of(shell, folder) as team, running(shell, shell.campaign(drafts_each(12))) as run:
        wait_until(lambda: states_of(shell)["received"] >= n_received, team.said)
        yield team, run


def once_each(provider: Provider) -> int:
    """See that no order was sent twice; returns how many were."""
    names = [entry["client_request_id"] for entry in provider.orders()]
    assert len(names) == len(set(names))
    return len(names)


def test_a_worker_killed_in_the_middle_costs_what_it_had_under_way(
    shell: Shell, open_provider: OpenProvider, tmp_path: Path
) -> None:
    """The other one buys the rest; what was under way is unknown and charged, and nothing was sent twice.

    The run says which worker it was, and what to do about it.
    """
    provider = open_provider(pace=0.2)
    with in_the_middle(shell, tmp_path / "dask", 8) as (team, run):
        before = n_done_by_worker(team).keys()
        team.kill_worker("one")
        said, _ = run.communicate(timeout=LIMIT_S)
        assert run.returncode in (0, 4), said + team.said()
        (gone,) = before - n_done_by_worker(team).keys()
    states = states_of(shell)
    if states["unknown"]:
        assert f"in flight at a worker that died ({gone}), and may have been billed" in said
        assert f"dask worker {team.address} --no-nanny" in said
        (warning,) = (line for line in only_run(shell).warnings if "worker that died" in line)
        assert gone in warning
    assert set(states) <= {"received", "unknown"}
    assert states.total() == 50
    assert states["unknown"] <= 8
    assert once_each(provider) == 50
    assert shell.runoff("ledger", "verify").returncode == 0
    (made,) = shell.json("runs")
    spent, unknown = (to_nanousd(Decimal(made[key])) for key in ("spent_usd", "unknown_usd"))
    assert spent - unknown <= provider.charged_nanousd <= spent


def test_a_run_without_workers_left_stops_and_can_go_on_here(
    shell: Shell, open_provider: OpenProvider, tmp_path: Path
) -> None:
    """Both die: the run does not hang, and resumed without workers it buys the rest."""
    provider = open_provider(pace=0.3)
    with in_the_middle(shell, tmp_path / "dask", 4) as (team, run):
        for name in ("one", "two"):
            team.kill_worker(name)
        said, _ = run.communicate(timeout=LIMIT_S)
        assert run.returncode == 1, said
        assert "has had no workers for 60 s" in said
    del shell.environ["RUNOFF_DASK"]
    assert shell.runoff("run", "--resume", "latest").returncode == 4
    states = states_of(shell)
    assert set(states) == {"received", "unknown"}
    assert once_each(provider) == states.total() == 50


def test_a_killed_run_is_taken_up_and_its_workers_let_go(
    shell: Shell, open_provider: OpenProvider, tmp_path: Path
) -> None:
    """The process that holds the run dies: workers keep what they have under way and send nothing more."""
    provider = open_provider(pace=0.2)
    with in_the_middle(shell, tmp_path / "dask", 8) as (team, run):
        run.kill()
        done = shell.runoff("run", "--resume", "latest")
        assert done.returncode == 0, done.stderr + team.said()
    assert states_of(shell) == {"received": 50}
    assert once_each(provider) == 50


def test_an_interrupted_run_waits_for_its_workers(
    shell: Shell, open_provider: OpenProvider, tmp_path: Path
) -> None:
    """Ctrl-C: no worker sends anything further, what is under way comes in, and the run can be resumed."""
    provider = open_provider(pace=0.2)
    with in_the_middle(shell, tmp_path / "dask", 4) as (_, run):
        run.send_signal(2)
        said, _ = run.communicate(timeout=LIMIT_S)
        assert run.returncode == 130, said
        states = states_of(shell)
        assert set(states) == {"received", "planned"}, said
        assert once_each(provider) == states["received"] < 48


def test_a_budget_holds_over_all_workers(shell: Shell, open_provider: OpenProvider, tmp_path: Path) -> None:
    """They buy up to it and not beyond, whoever is first, and the run ends with what it has."""
    provider = open_provider()
    shell.environ["RUNOFF_LEDGER_PER_MONTH_USD"] = "0.10"
    campaign = shell.campaign(drafts_each(12))
    with workers_of(shell, tmp_path / "dask") as team:
        done = shell.runoff("run", campaign)
        assert done.returncode == 3, done.stdout + done.stderr + team.said()
    spent = provider.charged_nanousd
    assert to_nanousd(Decimal("0.09")) < spent <= to_nanousd(Decimal("0.10"))
    assert set(states_of(shell)) == {"received", "planned"}


def test_a_key_that_is_refused_stops_all_workers(
    shell: Shell, open_provider: OpenProvider, tmp_path: Path
) -> None:
    """One clear message, and no worker goes on asking."""
    provider = open_provider({"kind": "invalid_key", "path": "images"})
    with workers_of(shell, tmp_path / "dask"):
        done = shell.runoff("run", shell.campaign(drafts_each(12)))
    assert done.returncode == 1
    assert "Set a valid key for the provider" in done.stderr
    assert "Traceback" not in done.stderr
    assert provider.n_requests <= 32
    assert set(states_of(shell)) == {"planned"}
