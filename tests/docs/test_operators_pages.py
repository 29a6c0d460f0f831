"""The pages for operators, typed as they stand: each command runs, in its sequence, against real servers."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.child_process import read_line, started
from tests.support.postgresql_server import binaries, running
from tests.support.shell import COMMAND

ROOT = Path(__file__).parents[2]
PAGES = ("schedules", "deploy", "watching")
ELSEWHERE = (
    "docker ",
    "journalctl ",
    "kubectl ",
    "sudo ",
    "pip install ",
    "createdb ",
    "dask ",
    "python -m tests.support.team_setup",
    "prefect server start",
)
"""What needs another machine, an engine for containers, or the network; other tests start the servers."""
STAYS = {
    "runoff serve": "stop with Ctrl-C",
    "runoff worker": "Worker ",
    "runoff review --no-browser": "Review: ",
}
"""What runs until it is stopped, and what it says once it is ready."""
NOT_HERE = (
    "OPENAI_API_KEY",
    "PREFECT_API_AUTH_STRING",
    "PREFECT_API_URL",
    "PREFECT_SERVER_API_AUTH_STRING",
    "PREFECT_SERVER_DATABASE_CONNECTION_URL",
    "RUNOFF_DASK",
    "RUNOFF_HOME",
    "RUNOFF_MIRRORS",
    "RUNOFF_PASSWORD",
    "RUNOFF_PREFECT_LOGIN",
)
"""Variables that lead to other machines: here they are those of the test."""
SERVER = """
import sys
from pathlib import Path
from flows.engine import start_engine
with start_engine(Path(sys.argv[1]), lambda line: None, with_schedules=True) as engine:
    engine.wait_ready()
    print(engine.api_url, flush=True)
    sys.stdin.read()
"""
LIMIT_S = 1200
LEDGER = "postgresql://runoff@db.example.org/ledger"


def blocks() -> Iterator[list[str]]:
    """Read the commands of the pages, block by block."""
    for page in PAGES:
        text = (ROOT / "docs" / f"{page}.md").read_text()
        for block in re.findall(r"^```bash\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            lines = [re.sub(r"\s+#.*", "", line).strip() for line in block.splitlines()]
            yield [line for line in lines if line and not line.startswith("#")]


def test_every_command_of_the_pages_is_run_or_known_to_belong_elsewhere() -> None:
    """A new one is run by the test below, unless it says why not."""
    known = ("runoff ", "prefect ", "export ", "echo ")
    every = [line for block in blocks() for line in block]
    assert len(every) > 30
    assert [line for line in every if not line.startswith((*known, *ELSEWHERE))] == []


@pytest.mark.timeout(LIMIT_S)
@pytest.mark.long  # every day: what is quick, in test_commands_on_pages.py
def test_the_pages_can_be_typed_as_they_stand(tmp_path: Path) -> None:
    """In one folder, with the pages' own files beside."""
    folder_of_binaries = binaries()
    if folder_of_binaries is None:
        pytest.skip("PostgreSQL is not installed here (Debian: apt-get install postgresql)")
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    path = f"{Path(COMMAND).parent}{os.pathsep}{kept['PATH']}"
    environ = kept | {
        "PATH": path,
        "RUNOFF_HOME": str(tmp_path / "home"),
        "PREFECT_HOME": str(tmp_path / "own"),
    }
    words = [sys.executable, "-c", SERVER, str(tmp_path / "server")]
    with (
        running(folder_of_binaries) as postgresql,
        started(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server,
    ):
        environ["PREFECT_API_URL"] = read_line(server).strip()
        address = postgresql.new_database()
        of_ours = ROOT / "configs" / "campaigns" / "nightly.yaml"  # runs, for the commands about one
        type_block([f"runoff run {of_ours}", "runoff decline latest"], tmp_path, environ)
        (over,) = (tmp_path / "home").glob("nightly/2*")
        type_block([f"runoff run {of_ours}"], tmp_path, environ)
        for block in blocks():
            lines = [
                line.replace(LEDGER, address).replace("--delete RUN", f"--delete {over.name}")
                for line in block
            ]
            type_block(lines, tmp_path, environ)


def type_block(lines: list[str], folder: Path, environ: Mapping[str, str]) -> None:
    """Type the lines of a block in a shell of its own; what stays is stopped as by a service manager."""
    here = dict(environ)
    for line in lines:
        if line.startswith(ELSEWHERE):
            continue
        if line.startswith("export "):
            given = dict(re.findall(r"(\w+)=(\S+)", line))
            here |= {name: value for name, value in given.items() if name not in NOT_HERE}
            continue
        typed = re.sub(r"\bRUN\b", "latest", line)
        stays = next((ready for words, ready in STAYS.items() if typed.startswith(words)), None)
        if stays is None:
            done = subprocess.run(
                ["bash", "-c", typed], cwd=folder, env=here, capture_output=True, text=True, timeout=300,
                stdin=subprocess.DEVNULL, check=False,
            )  # fmt: skip
            assert done.returncode == 0, f"{typed}\n{done.stdout}{done.stderr}"
        else:
            check_stays(typed, stays, folder, here)


def check_stays(typed: str, ready: str, folder: Path, environ: Mapping[str, str]) -> None:
    """Start what stays, wait until it is ready, and stop it."""
    settings = {"cwd": folder, "env": environ, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with started(["bash", "-c", f"exec {typed}"], **settings) as process:
        said: list[str] = []
        while not said or ready not in said[-1]:
            said.append(read_line(process))
            assert said[-1], f"{typed}\n{''.join(said)}"
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert process.returncode in (0, -signal.SIGTERM), f"{typed}\n{''.join(said)}{out}"
