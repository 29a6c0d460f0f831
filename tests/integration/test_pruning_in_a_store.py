"""Making room in a store that several machines share: old files go everywhere, and none brings them back."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from flows.command_line import runoff
from flows.run_report import write_run_report
from flows.runs.lock import locked_run
from flows.runs.pruning import Old, find_prunable, prune
from flows.runs.run import StoredRun
from tasks.ledger import Ledger
from tasks.settings import Settings
from tasks.storage.home import home_folder, run_folder
from tasks.storage.mirror import Store, store_of
from tests.support.builders import NOON, RUN_ID
from tests.support.ledgers import open_ledger
from tests.support.object_store import elsewhere
from tests.support.postgresql_server import PostgresqlServer
from tests.support.review_home import fill_run

ROOT = Path(__file__).parents[2]
LATER = NOON + timedelta(days=40)
N_DRAFTS, N_LOSERS = 12, 10
DIE_BEFORE_IT_IS_WRITTEN_DOWN = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from flows.runs.pruning import Old, prune
from tests.support.ledgers import open_ledger
from tasks.ledger.pruning import Pruning
Pruning.record = lambda *words: os.kill(os.getpid(), signal.SIGKILL)
with open_ledger(Path(sys.argv[1])) as ledger:
    now = datetime.fromisoformat(sys.argv[2])
    prune(ledger, Path(sys.argv[1]), now, Old(now))
"""


@dataclass
class Machines:
    """Two machines on one store and one ledger; both have every file of a run that is done."""

    ledger: Ledger
    here: Store
    there: Store

    @property
    def folder(self) -> Path:
        """The run's folder here."""
        return run_folder(self.here.mirror, "otters", RUN_ID)

    @property
    def their_folder(self) -> Path:
        """The run's folder on the other machine."""
        return run_folder(self.there.mirror, "otters", RUN_ID)

    def kept(self) -> int:
        """Count the drafts and thumbnails in the store."""
        return sum(file.parent.name in ("drafts", "thumbnails") for file in self.here.sizes(self.folder))


@pytest.fixture
def machines(
    address: str, tmp_path: Path, postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Machines]:
    """Two machines."""
    monkeypatch.setenv("RUNOFF_LEDGER_URL", postgresql.new_database())
    monkeypatch.setenv("RUNOFF_HOME", address)
    home = home_folder(None, os.environ)
    here, there = store_of(home), elsewhere(address, tmp_path)
    assert here is not None
    with open_ledger(home) as ledger:
        fill_run(home, ledger)
        ledger.runs.end(RUN_ID, "done", NOON)
        here.push(home)
        there.fetch(there.mirror)
        yield Machines(ledger, here, there)


def on_disk(folder: Path) -> int:
    """Count the drafts and thumbnails of a run that a machine has."""
    return sum(len(list((folder / name).iterdir())) for name in ("drafts", "thumbnails"))


def test_old_files_go_in_the_store_and_here(machines: Machines) -> None:
    """The size that is told is what goes from the store; a second time there is nothing to drop."""
    sizes = machines.here.sizes(machines.folder)
    (found,) = find_prunable(machines.ledger, machines.here.mirror, Old(LATER))
    assert prune(machines.ledger, machines.here.mirror, LATER, Old(LATER)) == []
    left = machines.here.sizes(machines.folder)
    assert (found.n_pictures, found.n_bytes) == (N_LOSERS, sum(sizes.values()) - sum(left.values()))
    assert machines.kept() == on_disk(machines.folder) == 2 * (N_DRAFTS - N_LOSERS)
    assert find_prunable(machines.ledger, machines.here.mirror, Old(LATER)) == []


@pytest.mark.slow  # every day: old files go, above
def test_a_machine_that_still_has_them_does_not_bring_them_back(machines: Machines) -> None:
    """It takes the run up, and lets go of its own; a report that it writes shows what is left."""
    prune(machines.ledger, machines.here.mirror, LATER, Old(LATER))
    run = machines.ledger.runs.find(RUN_ID)
    assert on_disk(machines.their_folder) == 2 * N_DRAFTS
    there = StoredRun(Settings(machines.there.mirror, os.environ), machines.ledger, run)
    report = write_run_report(there).files.html
    with locked_run(machines.ledger, machines.their_folder):
        pass
    assert machines.kept() == on_disk(machines.their_folder) == 2 * (N_DRAFTS - N_LOSERS)
    machines.here.fetch(machines.folder)
    assert on_disk(machines.folder) == 2 * (N_DRAFTS - N_LOSERS)
    assert report.read_bytes() == (machines.folder / "report.html").read_bytes()
    here = StoredRun(Settings(machines.here.mirror, os.environ), machines.ledger, run)
    again = write_run_report(here).files.html
    assert again.read_bytes() == report.read_bytes()


@pytest.mark.slow  # every day: old files go, above
def test_a_kill_in_the_middle_is_finished_by_the_next_prune(machines: Machines) -> None:
    """Even where the other machine put its files into the store meanwhile."""
    words = [str(machines.here.mirror), LATER.isoformat()]
    program = [sys.executable, "-c", DIE_BEFORE_IT_IS_WRITTEN_DOWN, *words]
    assert subprocess.run(program, cwd=ROOT, check=False).returncode < 0
    assert machines.kept() == 2 * (N_DRAFTS - N_LOSERS)
    (found,) = find_prunable(machines.ledger, machines.here.mirror, Old(LATER))
    assert (found.n_pictures, found.n_bytes) == (N_LOSERS, 0)
    with locked_run(machines.ledger, machines.their_folder):
        assert machines.kept() == 2 * N_DRAFTS
    prune(machines.ledger, machines.there.mirror, LATER, Old(LATER))
    assert machines.kept() == on_disk(machines.their_folder) == 2 * (N_DRAFTS - N_LOSERS)
    assert find_prunable(machines.ledger, machines.here.mirror, Old(LATER)) == []


def test_a_run_that_another_machine_works_on_is_left_alone(machines: Machines) -> None:
    """PostgreSQL holds it; the command says which, and drops it the next time."""
    words = ["runs", "--prune", "--older-than", "0d", "--yes"]
    with open_ledger(machines.there.mirror) as theirs, theirs.hold(RUN_ID):
        told = CliRunner().invoke(runoff, words)
        assert f"{RUN_ID} was skipped: another process is working on it." in told.output
        assert "Deleted." not in told.output
        assert machines.kept() == 2 * N_DRAFTS
    assert "Deleted." in CliRunner().invoke(runoff, words).output
    assert machines.kept() == 2 * (N_DRAFTS - N_LOSERS)
