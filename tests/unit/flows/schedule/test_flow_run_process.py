"""A flow run's process is known from its first moment on."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from flows.schedule.flow_run_process import is_at_work

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not show environments")

WAITS = "print(flush=True); input()"


@contextmanager
def process_of(flow_run_id: str, *arguments: str) -> Iterator[None]:
    """Run a process that does nothing in a flow run's environment."""
    process = subprocess.Popen(
        [sys.executable, "-c", WAITS, *arguments], text=True,
        env=os.environ | {"PREFECT__FLOW_RUN_ID": flow_run_id}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    yield
    process.communicate("\n")


def test_a_process_that_loads_is_at_work_until_it_ends() -> None:
    """No other flow run is."""
    with process_of("flow-1", "prefect.engine"):
        assert is_at_work("flow-1")
        assert not is_at_work("flow-2")
    assert not is_at_work("flow-1")


def test_what_a_flow_run_started_is_not_its_process() -> None:
    """It has the same environment."""
    with process_of("flow-1"):
        assert not is_at_work("flow-1")
