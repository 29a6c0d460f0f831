"""What people have: the installed command, a home of their own, a provider somewhere else."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.emulator.faults import FaultRule
from tasks.emulator.server import emulator_server
from tasks.emulator.settings import EmulatorSettings
from tasks.ledger import Ledger
from tests.support.ledgers import open_ledger

COMMAND = str(Path(sys.executable).parent / "runoff")
KEY = "sk-planted-0123456789abcdef"

KEEP_A_SERVER = """
import sys
from pathlib import Path
from flows.engine import start_engine
with start_engine(Path(sys.argv[1]), lambda line: None) as engine:
    engine.wait_ready()
    print(engine.api_url, flush=True)
    sys.stdin.read()
"""

CAMPAIGN: dict[str, Any] = {
    "name": "otters",
    "provider": "openai",
    "budget": {"per_run_usd": "3.00"},
    "variables": {"action": ["swimming on its back", "asleep in kelp"]},
    "arms": {
        "A": {"prompt": "A baby sea otter {{ action }}, watercolour"},
        "B": {"prompt": "A baby sea otter {{ action }}, studio photograph"},
    },
    "drafts": {"model": "gpt-image-2.5-flare", "quality": "low", "size": "1024x640", "per_prompt": 3},
    "finalists": {"count": 2, "approval": "auto"},
    "finals": {
        "model": "gpt-image-2.5-sunburst",
        "quality": "medium",
        "size": "1024x640",
        "attempts": 1,
        "min_fidelity": 0.0,
    },
}


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One Prefect server for all runs of the session, as with PREFECT_API_URL set."""
    program = [sys.executable, "-c", KEEP_A_SERVER, str(tmp_path_factory.mktemp("prefect"))]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as keeper:
        assert keeper.stdout is not None
        assert keeper.stdin is not None
        yield keeper.stdout.readline().strip()
        keeper.stdin.close()


@dataclass
class Shell:
    """Somebody at a shell: a home, an environment, and the command."""

    home: Path
    environ: dict[str, str]

    def runoff(self, *words: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run the installed command without a terminal, in a folder that holds nothing of ours."""
        return subprocess.run(
            [COMMAND, *map(str, words)],
            cwd=self.home.parent,
            env=self.environ | environ,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def json(self, *words: str | Path) -> Any:
        """Run the command with --json and read its answer."""
        done = self.runoff(*words, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def campaign(self, changes: Mapping[str, Any] | None = None, name: str = "otters.yaml") -> Path:
        """Write a campaign file: two arms, two rows, three drafts each, two finalists."""
        file = self.home.parent / name
        file.write_text(yaml.safe_dump(CAMPAIGN | dict(changes or {})))
        return file

    def ledger(self) -> Ledger:
        """Open the home's ledger."""
        return open_ledger(self.home)

    def folder(self, run_id: str, campaign: str = "otters") -> Path:
        """Name a run's folder."""
        return self.home / campaign / run_id


@pytest.fixture
def shell(tmp_path: Path, prefect_server: str) -> Shell:
    """A shell with an empty home and a Prefect server, and no key."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ}
    environ = kept | {"RUNOFF_HOME": str(tmp_path / "home"), "PREFECT_API_URL": prefect_server}
    return Shell(tmp_path / "home", environ)


@dataclass
class Provider:
    """An emulator somewhere else, and its bill."""

    url: str

    def bill(self) -> dict[str, Any]:
        """Ask for every request received and what it charged."""
        with urllib.request.urlopen(self.url.removesuffix("/v1") + "/_bill") as answer:
            bill: dict[str, Any] = json.load(answer)
        return bill

    @property
    def charged_nanousd(self) -> int:
        """All it charged, nano-dollars."""
        return int(self.bill()["total"]["charged_nanousd"])

    def orders(self) -> list[dict[str, Any]]:
        """List the requests for pictures; looking at the list of models is none."""
        return [entry for entry in self.bill()["entries"] if "/images/" in entry["path"]]

    @property
    def n_requests(self) -> int:
        """All requests for pictures that it received."""
        return len(self.orders())


@pytest.fixture
def open_provider(shell: Shell) -> Iterator[Callable[..., Provider]]:
    """Open an emulator with faults and point the shell's OPENAI_BASE_URL at it."""
    opened = []

    def open_one(*faults: dict[str, Any], **settings: Any) -> Provider:
        rules = tuple(FaultRule(**fault) for fault in faults)
        server = emulator_server(EmulatorSettings(faults=rules, **({"paint": "plain"} | settings)))
        provider = Provider(server.__enter__())
        opened.append(server)
        shell.environ |= {
            "OPENAI_BASE_URL": provider.url,
            "OPENAI_API_KEY": KEY,
            "RUNOFF_IMAGES_PER_MINUTE": "100000",
        }
        return provider

    yield open_one
    for server in opened:
        server.__exit__(None, None, None)
