"""One process works on a run, among all machines that share a PostgreSQL ledger; a killed one lets go."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.errors import LedgerError, RunError
from tests.support.builders import RUN_ID
from tests.support.child_process import end_by, read_line, started
from tests.support.ledgers import open_ledger
from tests.support.postgresql_server import PostgresqlServer

HOLD_UNTIL_KILLED = """
import sys, time
from pathlib import Path
from tests.support.ledgers import open_ledger
with open_ledger(Path(sys.argv[1])) as ledger, ledger.hold(sys.argv[2]):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_run_held_on_one_machine_is_left_alone_on_the_others(
    tmp_path: Path, postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second holder is told, another run is free, and a SIGKILL frees the run at once."""
    monkeypatch.setenv("RUNOFF_LEDGER_URL", postgresql.new_database())
    program = [sys.executable, "-c", HOLD_UNTIL_KILLED, str(tmp_path), RUN_ID]
    with (
        open_ledger(tmp_path) as ledger,
        started(program, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as other,
    ):
        assert read_line(other) == "held\n"
        with pytest.raises(RunError, match="another process is working on it"), ledger.hold(RUN_ID):
            pass
        with ledger.hold("another-run"):
            pass
        end_by(other, signal.SIGKILL)
        for _ in range(2):
            with ledger.hold(RUN_ID):
                pass


def test_a_ledger_that_is_away_is_told(
    tmp_path: Path, postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody holds a run without being sure of it."""
    monkeypatch.setenv("RUNOFF_LEDGER_URL", postgresql.new_database())
    ledger = open_ledger(tmp_path)
    ledger.close()
    postgresql.refuse_connections(ledger.database.url.database or "")
    with pytest.raises(LedgerError), ledger.hold(RUN_ID):
        pass
