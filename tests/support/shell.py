"""Somebody at a shell: a home, an environment, and the command, in this process or in one of its own."""

import asyncio
import gc
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import yaml
from click.testing import CliRunner

from flows.command_line import main
from flows.engine import start_engine
from tasks.ledger import Ledger
from tests.support.ledgers import open_ledger

COMMAND = str(Path(sys.executable).parent / "runoff")
LIMIT_S = 240

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
"""Two arms, two rows, three drafts each, two finalists."""

Done = subprocess.CompletedProcess[str]
T = TypeVar("T")


@dataclass
class Shell:
    """Somebody at a shell: a home, an environment, and the command."""

    home: Path
    environ: dict[str, str]

    def runoff(self, *words: str | Path, **environ: str) -> Done:
        """Give the command, without a terminal, in a folder that holds nothing of ours.

        It runs inside this process: the same `main` with the same environment, and without the seconds that a
        new process spends on imports. Where the process itself is the point, see `runoff_process`.
        """
        argv = ["runoff", *map(str, words)]
        with (
            self.seat(environ),
            CliRunner().isolation() as (out, err, _),
            patch.object(sys, "argv", argv),
        ):
            code = exit_code_of_main()
        return Done(argv, code, out.getvalue().decode(), err.getvalue().decode())

    def runoff_process(self, *words: str | Path, **environ: str) -> Done:
        """Give the installed command in a process of its own, as people do."""
        return subprocess.run(
            [COMMAND, *map(str, words)],
            cwd=self.home.parent,
            env=self.environ | environ,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    @contextmanager
    def seat(self, environ: Mapping[str, str] | None = None) -> Iterator[None]:
        """Let this process sit where the shell does: in its environment and beside its home.

        Prefect's clients leave their connections for the end of their process: they are collected before
        another test could be warned of them.
        """
        with (
            patch.dict(os.environ, self.environ | dict(environ or {}), clear=True),
            chdir(self.home.parent),
            patch("flows.engine.settings._refresh_prefect", refresh_prefect_for_another_server),
            warnings.catch_warnings(),
        ):
            warnings.filterwarnings("ignore", "unclosed <socket", ResourceWarning)
            yield
            if "prefect.client" in sys.modules:
                gc.collect()
                gc.freeze()  # what a command loaded is not gone through again after the next one

    def run_flow(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do what a worker of the shell's Prefect server does; returns what the work returns."""
        with self.seat(), start_engine(self.home, lambda _: None) as engine:
            engine.wait_ready()
            return asyncio.run(work())

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


def exit_code_of_main() -> int:
    """Run the command's `main`; returns the exit code that its process would end with."""
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def refresh_prefect_for_another_server() -> None:
    """Let Prefect read its settings again where its server is another: that takes a third of a run's time."""
    context = sys.modules.get("prefect.context")
    if context is None:
        return
    known = context.get_settings_context().settings.api.url
    if known != os.environ.get("PREFECT_API_URL"):
        context.refresh_global_settings_context()
