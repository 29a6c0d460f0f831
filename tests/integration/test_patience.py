"""A flow run's process is told once to end, and may take longer than Prefect gives it; real processes."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prefect.runner._process_manager import ProcessHandle, ProcessManager

from flows.schedule import patience
from flows.schedule.patience import Patience
from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import load_providers
from tasks.images_api.answer_bounds import AnswerBounds
from tasks.images_api.terms import Terms
from tests.support.builders import an_order
from tests.support.child_process import TextProcess, read_line, started
from tests.support.ledgers import open_ledger

PROGRAM = """
import os, signal, sys, time
def told(*_):
    os.write(1, b"told\\n")  # print is not for a handler: it may have interrupted another one
    time.sleep(float(sys.argv[1]))
    sys.exit(0)
signal.signal(signal.SIGTERM, told)
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def process() -> Iterator[TextProcess]:
    """A process that takes a while to end after it was told; it is reaped as Prefect does it."""
    with started([sys.executable, "-c", PROGRAM, "1.0"], stdout=subprocess.PIPE) as child:
        assert read_line(child) == "ready\n"
        threading.Thread(target=child.wait, daemon=True).start()
        yield child


def longest_answer_s(folder: Path, n: int) -> float:
    """Tell how long the answer with the largest pictures may take, seconds."""
    parameters = {"model": "gpt-image-2", "quality": "high", "size": "3840x2160", "n": n}
    terms = Terms(load_providers().provider("openai"), load_catalogue(), {})
    with open_ledger(folder) as ledger:
        return AnswerBounds(terms, ledger).of(an_order(parameters=parameters)).within_s


def test_patience_outlasts_every_answer(tmp_path: Path) -> None:
    """As many pictures of the largest size as one request may ask for."""
    most = load_providers().provider("openai").capabilities.max_n
    assert longest_answer_s(tmp_path, most) < patience.PATIENCE_S


async def killed(child: TextProcess, patient: Patience, *, first: bool = False) -> None:
    """Have Prefect kill a process after a tenth of a second."""
    manager, flow_run_id = ProcessManager(), uuid4()
    like_prefects: Any = child  # its process id is all that is used
    await manager.add(flow_run_id, ProcessHandle(like_prefects))
    if first:
        patient.tell([child.pid])
    await manager.kill(flow_run_id, grace_seconds=0.1)


def test_a_process_ends_by_itself_and_is_told_once(process: TextProcess) -> None:
    """It was told before, by a stop of the whole service; now its flow run is cancelled as well."""
    patient = Patience()
    with patient.with_flow_runs():
        asyncio.run(killed(process, patient, first=True))
    assert process.returncode == 0
    assert process.stdout is not None
    assert process.stdout.read() == "told\n"


def test_in_a_hurry_nothing_is_waited_for(process: TextProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is killed; and after the block Prefect's own manner holds again."""
    monkeypatch.setattr(patience, "HURRY_S", 0.0)
    patient, prefects = Patience(), ProcessManager.kill
    with patient.with_flow_runs():
        patient.hurry([])
        asyncio.run(killed(process, patient))
    process.wait()
    assert process.returncode < 0
    assert ProcessManager.kill is prefects
