"""`runoff serve` in a process of its own, and Prefect's client to look at what it does."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client

from flows.engine import start_engine
from tests.support.child_process import wait_for_end, wait_until

CAMPAIGN: dict[str, Any] = {
    "name": "every-minute",
    "provider": "emulator",
    "budget": {"per_run_usd": 1, "per_month_usd": 5},
    "arms": {"A": {"prompt": "A baby sea otter"}},
    "drafts": {"model": "gpt-image-2.5-flare", "quality": "low", "per_prompt": 1},
    "finals": {"model": "gpt-image-2.5-sunburst", "quality": "high", "attempts": 1},
}

SERVE_PROGRAM = """
import signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.SIG_IGN)  # as for a job that a shell started in the background
import runoff
from flows.serving import serve
serve([Path(sys.argv[1])], Path(sys.argv[2]), lambda line: print(line, flush=True))
print("left", flush=True)
"""


def write_campaign(folder: Path, file_name: str = "campaign.yaml", **changes: Any) -> Path:
    """Write a small campaign file for the emulator."""
    file = folder / file_name
    file.write_text(yaml.safe_dump(CAMPAIGN | changes))
    return file


class Served:
    """A `serve` in a process of its own, in a folder with a `flows.py` and a `tasks.py` of somebody else's.

    What it says is kept in a file.
    """

    def __init__(self, folder: Path, **changes: Any) -> None:
        for name in ("flows.py", "tasks.py"):
            (folder / name).write_text("")
        self.home = folder / "home"
        self.file = write_campaign(folder, **changes)
        self.said = folder / "said.txt"
        self.start()

    def start(self) -> None:
        """Start, once more after a stop."""
        with self.said.open("ab") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVE_PROGRAM, str(self.file), str(self.home)],
                cwd=self.file.parent, stdout=said, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip

    def wait_for(self, text: str) -> str:
        """Wait until `serve` said something, and return all it said."""
        wait_until(lambda: text in self.said.read_text() or not self.is_alive, told=self.said.read_text)
        assert text in self.said.read_text(), self.said.read_text()
        return self.said.read_text()

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def stop(self, how: signal.Signals) -> None:
        """Send a signal and wait for the end."""
        self.process.send_signal(how)
        wait_for_end(self.process)


@contextmanager
def serving_campaign(folder: Path, **changes: Any) -> Iterator[Served]:
    """Serve a campaign for as long as the block lasts."""
    served = Served(folder, **changes)
    try:
        yield served
    finally:
        served.process.kill()
        served.process.wait()


@contextmanager
def client_of(home: Path) -> Iterator[SyncPrefectClient]:
    """Talk to a home's server as another process would: with the one that serves, if one does."""
    with start_engine(home, print) as engine:
        engine.wait_ready()
        with get_client(sync_client=True) as client:
            yield client
