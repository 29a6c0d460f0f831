"""Memory that pictures need one after the other is asked for once."""

import errno
import subprocess
import sys

import pytest

from flows import command_line
from tasks.memory import _is_glibc

USE_AND_FREE = """
import resource
from tasks.memory import use_one_heap
use_one_heap()
faults = []
for _ in range(10):
    picture, *copies = [bytearray(b"x") * 4_000_000 for _ in range(4)]
    del picture, copies
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
print(faults[-1] - faults[0])
"""
PAGES_OF_ONE_PICTURE = 4_000_000 // 4096


@pytest.mark.skipif(not _is_glibc(), reason="only glibc is told")
def test_what_one_picture_needed_is_there_for_the_next() -> None:
    """Counted in pages that the system had to find: nine pictures need fewer than one has."""
    done = subprocess.run(
        [sys.executable, "-c", USE_AND_FREE], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) < PAGES_OF_ONE_PICTURE


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        ImportError("libavcodec.so.62: failed to map segment from shared object"),
    ],
)
def test_a_command_without_memory_says_so_and_what_became_of_the_money(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once, and without a traceback: it is no fault in Runoff."""

    def end(**_words: object) -> None:
        raise error

    monkeypatch.setattr(command_line.runoff, "main", end)
    assert command_line._run() == 1
    said = capsys.readouterr().err
    assert said.startswith("this machine: has no memory left (")
    assert "What was bought is kept." in said
    assert "Traceback" not in said
    assert "fault in Runoff" not in said
