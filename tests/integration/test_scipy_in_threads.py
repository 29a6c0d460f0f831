"""Threads that need SciPy for the first time at once: none takes what another one loads for broken."""

import subprocess
import sys

PROGRAM = """
import sys, threading
import numpy as np
from tasks.emulator.painting.brush import limb
from tasks.emulator.painting.texture import blurred
from PIL import Image
from tasks.pictures.fingerprint import fingerprint
from tasks.report import load_libraries
from tasks.scorers.framing import _of_plain_ground

work = [
    lambda: limb([(0.0, 0.0), (0.5, 0.2), (1.0, 0.0)], [0.1, 0.2, 0.1]),
    lambda: blurred(np.ones((64, 64), np.float32), 3.0),
    lambda: _of_plain_ground(np.full((64, 64, 3), 0.5)),
    lambda: fingerprint(Image.new("RGB", (64, 64))),
    lambda: load_libraries(2, needs_tests=False),
]
failed = []

def do(one):
    try:
        one()
    except BaseException as error:
        failed.append(repr(error))

threads = [threading.Thread(target=do, args=(one,)) for one in work * 3]
sys.setswitchinterval(0.001)
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(failed)
"""


def test_threads_that_load_scipy_at_the_same_time_all_get_it() -> None:
    """Otherwise a run may fail with KeyError: 'scipy'."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr
