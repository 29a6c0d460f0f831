"""A night's schedule on this machine: `runoff serve`, a review page, providers, and eight campaigns.

All are due at the same minute, a minute or two from now. One is made whole, one is slow, one awaits a person,
one finds nothing fit to buy again, one runs out of money, one has no money left for the month, one has a
provider that is away, and one is broken: its file was edited after it was served.
``python -m docs.night_in_prefect`` photographs it in Prefect's pages.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from tasks.emulator.server import emulator_server
from tasks.emulator.settings import EmulatorSettings
from tests.support.child_process import TextProcess, read_line, started, wait_until
from tests.support.prefect_server import prefect_client
from tests.support.provider import KEY

COMMAND = str(Path(sys.executable).parent / "runoff")
NIGHT_LIMIT_S = 900.0
STOP_S = 90
START_S = 150
"""How long `serve` may take until it is ready for the minute."""
SLOW_S = 6.0
"""Seconds per picture at the slow provider, which makes two at a time."""

BASE: dict[str, Any] = {
    "provider": "openai",
    "budget": {"per_run_usd": 2.00, "per_month_usd": 20.00},
    "variables": {"subject": ["a lighthouse", "a small boat", "a mountain hut"]},
    "arms": {
        "A": {"prompt": "{{ subject }} at first light, watercolour"},
        "B": {"prompt": "{{ subject }} at first light, studio photograph"},
    },
    "drafts": {"model": "gpt-image-2.5-flare", "quality": "low", "size": "1024x1024", "per_prompt": 2},
    "finalists": {"count": 3, "max_per_prompt": 1, "approval": "auto"},
    "finals": {"model": "gpt-image-2.6-sunburst", "quality": "medium", "size": "1024x1024"},
}
CAMPAIGNS: dict[str, dict[str, Any]] = {
    "spring-cards": {},
    "nightly": {"finalists": {"count": 3, "approval": "review", "decide_within": "72h"}},
    "big-catalogue": {"provider": "slow", "drafts": {**BASE["drafts"], "per_prompt": 3}},
    "strict-eye": {"finalists": {"count": 3, "min_score": 0.999, "approval": "review"}},
    "small-purse": {"budget": {"per_run_usd": 0.23}},
    "seller-away": {"provider": "away"},
    "end-of-month": {"budget": {"per_run_usd": 2.00, "per_month_usd": 0.01}},
    "edited-at-dusk": {},
}
BROKEN = "edited-at-dusk"
SLOW = "big-catalogue"


@dataclass
class Night:
    """What runs, and where people look at it.

    Args:
        folder: Where the campaigns are.
        home: Runoff's home.
        environ: The environment of everything.
        page_url: The review page.
        due_at: When all campaigns are due.
        api_url: Prefect's API, once `serve` is ready.
        serve: `runoff serve`.
    """

    folder: Path
    home: Path
    environ: dict[str, str]
    page_url: str
    due_at: datetime
    api_url: str
    serve: TextProcess

    @property
    def said(self) -> str:
        """All that `serve` and its flow runs wrote."""
        return (self.folder / "serve.log").read_text()

    def runoff(self, *words: str) -> str:
        """Type a command in the morning; returns what it says."""
        done = subprocess.run(
            [COMMAND, *words], env=self.environ, cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout

    def runs(self) -> list[dict[str, Any]]:
        """List the runs of the night, as a program does."""
        found: list[dict[str, Any]] = json.loads(self.runoff("runs", "--json"))
        return [run for run in found if run["run_id"]]

    def break_file(self) -> None:
        """Edit the broken campaign: a model that nobody sells."""
        file = self.folder / f"{BROKEN}.yaml"
        file.write_text(file.read_text().replace("gpt-image-2.5-flare", "gpt-image-25-flare"))


def flow_runs_of(tonight: Night) -> dict[str, dict[str, Any]]:
    """List the flow runs that have begun, by campaign."""
    with prefect_client(tonight.api_url) as api:
        found = api.post("/flow_runs/filter", json={}).raise_for_status().json()
    begun = [run for run in found if run["state_type"] not in ("SCHEDULED", "PENDING")]
    return {run["name"].split(" · ")[0]: run for run in begun}


def states_of(tonight: Night) -> dict[str, str]:
    """List the states of the flow runs that have begun, by campaign."""
    return {name: run["state_name"] for name, run in flow_runs_of(tonight).items()}


def write_campaigns(folder: Path, due_at: datetime) -> list[Path]:
    """Write the campaigns, due at a minute of each day."""
    files = []
    for name, changes in CAMPAIGNS.items():
        schedule = {"cron": f"{due_at.minute} {due_at.hour} * * *", "timezone": "UTC"}
        files.append(folder / f"{name}.yaml")
        files[-1].write_text(yaml.safe_dump(BASE | changes | {"name": name, "schedule": schedule}))
    return files


@contextmanager
def night(folder: Path) -> Iterator[Night]:
    """Serve the campaigns from now on; all ends with the block.

    Args:
        folder: An empty folder.
    """
    home = folder / "runs"
    home.mkdir()
    with ExitStack() as stack:
        fast = stack.enter_context(emulator_server(EmulatorSettings(pace=0.02)))
        pace = EmulatorSettings(pace=1.0, latency_s={"low": SLOW_S, "medium": SLOW_S})
        slow = stack.enter_context(emulator_server(pace))
        _write_providers(home, slow=slow, away="http://127.0.0.1:9/v1")
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        environ = kept | {
            "RUNOFF_HOME": str(home), "OPENAI_BASE_URL": fast, "OPENAI_API_KEY": KEY,
            "RUNOFF_IMAGES_PER_MINUTE": "6000", "PYTHONUNBUFFERED": "1",
        }  # fmt: skip
        page_url = stack.enter_context(_review_page(folder, environ))
        environ["RUNOFF_PUBLIC_URL"] = page_url
        due_at = _next_minute(datetime.now(UTC) + timedelta(seconds=START_S))
        files = write_campaigns(folder, due_at)
        with (folder / "serve.log").open("w") as log:
            serve = stack.enter_context(
                started([COMMAND, "serve", *files], cwd=folder, env=environ, stdout=log, stderr=log)
            )
        found = Night(folder, home, environ, page_url, due_at, "", serve)
        ready = re.compile(r"Prefect's UI: (\S+)")
        wait_until(
            lambda: bool(ready.search(found.said)) or serve.poll() is not None, told=lambda: found.said
        )
        found.api_url = f"{ready.findall(found.said)[0]}/api"
        try:
            yield found
        finally:  # killed, it would leave its runs
            serve.terminate()
            serve.wait(STOP_S)


def _next_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0) + timedelta(minutes=1)


def _write_providers(home: Path, **urls: str) -> None:
    """Write providers that make two pictures at a time."""
    alike = {
        "key_variable": "OPENAI_API_KEY", "images_per_minute": 6000, "concurrency": 2,
        "capabilities": {"edits": True, "batch": False, "streaming": False, "max_n": 1},
    }  # fmt: skip
    providers = {name: alike | {"base_url": url} for name, url in urls.items()}
    (home / "providers.yaml").write_text(yaml.safe_dump({"providers": providers}))


@contextmanager
def _review_page(folder: Path, environ: dict[str, str]) -> Iterator[str]:
    words = [COMMAND, "review", "--port", "0", "--no-browser"]
    with started(words, cwd=folder, env=environ, stdout=subprocess.PIPE) as process:
        line = read_line(process)
        yield "/".join(line.split()[1].split("/")[:3])
        process.terminate()
        process.wait(60)
