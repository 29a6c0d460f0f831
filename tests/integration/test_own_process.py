"""A flow run's process uses threads as the command does, whoever starts it."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import prefect.engine
import runoff.entrypoints
import cv2
print(cv2.getNumThreads())
"""
OWN = ("OPENCV_FOR_THREADS_NUM", "OPENBLAS_NUM_THREADS")


@pytest.mark.slow
@pytest.mark.parametrize(("said", "n_threads"), [({}, 1), ({"OPENCV_FOR_THREADS_NUM": "2"}, 2)])
def test_a_flow_runs_process_has_one_thread_of_opencv_unless_told_otherwise(
    said: dict[str, str], n_threads: int
) -> None:
    """As Prefect's worker starts it, whose environment has nothing of Runoff's."""
    kept = {name: value for name, value in os.environ.items() if name not in OWN}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=kept | said, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == n_threads
