"""The image and the compose file, without an engine: built in an empty root, its services run as processes.

Compose gives services names, ports and files of secrets; here they are on this machine, on free ports.
"""

import json
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.support.child_process import started, wait_until
from tests.support.image_root import Image, build, missing_tools
from tests.support.object_store import object_store
from tests.support.postgresql_server import PASSWORD, binaries, free_port, running

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SECRETS = {
    "password": PASSWORD,
    "prefect_login": "team:of-the-tests",
    "openai_api_key": "sk-of-the-tests-0123456789",
}
HEALTHY_S = 120
LIMIT_S = 1800

pytestmark = [
    pytest.mark.long,  # every day: the files are read and held against the code, in test_operations.py
    pytest.mark.timeout(LIMIT_S),
    pytest.mark.skipif(
        bool(missing_tools()) or binaries() is None,
        reason="needs root, PostgreSQL and debootstrap (Debian: apt-get install debootstrap postgresql)",
    ),
]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The image, built by the Dockerfile's instructions; secrets are where Compose puts them."""
    built = build(ROOT, tmp_path_factory.mktemp("image") / "root")
    folder = built.root / "run" / "secrets"
    folder.mkdir(parents=True)
    for name, secret in SECRETS.items():
        (folder / name).write_text(secret)
    (built.root / "campaigns").mkdir()
    for file in (ROOT / "configs" / "campaigns").glob("nightly.yaml"):
        (built.root / "campaigns" / file.name).write_text(file.read_text())
    return built


def test_the_image_runs_its_command_as_a_user_who_can_change_nothing_of_it(image: Image) -> None:
    """The command says its help; zones, media types and versions are those that were asked for."""
    assert "Make many cheap pictures" in image.run(*image.entrypoint, *image.command)
    assert image.run("id", "--user").strip() == "10001"
    writable = image.run("sh", "-c", "find /opt /usr /etc -writable -not -type l 2>/dev/null | head -5")
    assert writable == ""
    probe = (
        "import mimetypes, zoneinfo; zoneinfo.ZoneInfo('Europe/Paris');"
        "print(*(mimetypes.guess_type('a' + end)[0] for end in ('.webp', '.js', '.css', '.woff2', '.svg')))"
    )
    types = image.run("python3", "-c", probe).split()
    assert types == ["image/webp", "text/javascript", "text/css", "font/woff2", "image/svg+xml"]
    assert image.run("date", "+%Z", TZ="Europe/Paris").strip() in ("CET", "CEST")
    wanted = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    listed = json.loads(image.run("pip", "list", "--format", "json"))
    differing = [
        one["name"] for one in listed
        if one["name"] in wanted and one["version"] != wanted[one["name"]]
    ]  # fmt: skip
    assert differing == []


def test_the_image_makes_a_run_with_its_own_prefect(image: Image) -> None:
    """Pictures by the emulator, a report with lettering, and a secret from a file."""
    said = image.run(
        *image.entrypoint, "runoff", "run", "/opt/runoff/configs/campaigns/demo.yaml", "--yes", "--json",
        RUNOFF_HOME="runs",
    )  # fmt: skip
    run = json.loads(said)
    folder = image.root / str(Path(image.folder, run["folder"])).lstrip("/")
    assert len(list((folder / "drafts").iterdir())) == run["pictures"] > 0
    assert (folder / "report.html").stat().st_size > 10_000
    assert (folder / "contact_sheet.png").stat().st_size > 10_000
    secret = "import os; print(os.environ['OPENAI_API_KEY'])"
    inside = image.run(
        *image.entrypoint, "python3", "-c", secret, OPENAI_API_KEY_FILE="/run/secrets/openai_api_key"
    )
    assert inside.strip() == SECRETS["openai_api_key"]


@dataclass
class Services:
    """The services of the compose file as processes in the image's root.

    Args:
        image: The image.
        places: What the compose file says of names and ports, and where that is here.
        extra: More variables, for all.
    """

    image: Image
    places: Mapping[str, str]
    extra: Mapping[str, str]

    def environ(self, service: str) -> dict[str, str]:
        """Return a service's variables."""
        given = COMPOSE["services"][service]["environment"]
        named = {name: self.here(str(value)) for name, value in given.items() if name != "TZ"}
        return named | dict(self.extra)

    def here(self, text: str) -> str:
        """Replace names and ports of the compose file."""
        for there, here in self.places.items():
            text = text.replace(there, here)
        return text

    def run(self, service: str, *command: str) -> str:
        """Run a service to its end, or another command in its place, as `docker compose run` does."""
        words = command or [self.here(word) for word in COMPOSE["services"][service]["command"]]
        return self.image.run(*self.image.entrypoint, *words, **self.environ(service))

    @contextmanager
    def start(self, service: str, folder: Path, *more: str) -> Iterator["subprocess.Popen[str]"]:
        """Run a service, healthy from the beginning of the block on."""
        words = [*(self.here(word) for word in COMPOSE["services"][service]["command"]), *more]
        inside = self.image.words([*self.image.entrypoint, *words], self.environ(service))
        log = folder / f"{service}.log"
        with log.open("w") as out, started(inside, stdout=out, stderr=out) as process:
            wait_until(lambda: self.is_healthy(service), HEALTHY_S, every_s=1, told=log.read_text)
            yield process

    def is_healthy(self, service: str) -> bool:
        """Ask the service's own health check."""
        kind, *words = COMPOSE["services"][service]["healthcheck"]["test"]
        assert kind == "CMD"
        inside = self.image.words([self.here(word) for word in words])
        return subprocess.run(inside, capture_output=True, timeout=60, check=False).returncode == 0


@pytest.fixture
def services(image: Image, tmp_path: Path) -> Iterator[Services]:
    """A PostgreSQL and a store in place of the two services that are images of others."""
    folder = binaries()
    assert folder is not None
    with ExitStack() as stack:
        postgresql = stack.enter_context(running(folder))
        for statement in (COMPOSE["configs"]["databases"]["content"].rstrip(";"), "CREATE DATABASE ledger"):
            postgresql.run("postgres", statement)
        store = stack.enter_context(object_store())
        prefect, page, metrics = free_port(), free_port(), free_port()
        places = {
            "@postgres/": f"@127.0.0.1:{postgresql.port}/",
            "http://store:8333": store["AWS_ENDPOINT_URL"],
            "http://server:4200": f"http://127.0.0.1:{prefect}",
            "127.0.0.1:4200": f"127.0.0.1:{prefect}",
            "127.0.0.1:8321": f"127.0.0.1:{page}",
            ":9100": f":{metrics}",
        }
        extra = {"PREFECT_SERVER_API_PORT": str(prefect), "PREFECT_WORKER_QUERY_SECONDS": "2"}
        found = Services(image, places, extra)
        server = stack.enter_context(found.start("server", tmp_path))
        assert server.poll() is None
        yield found


def test_the_services_make_a_night_and_stop_within_their_grace(services: Services, tmp_path: Path) -> None:
    """Bucket, automations, worker and page by their own commands, as healthy as their checks say; one run."""
    pages = httpx.get(f"http://{services.places['127.0.0.1:4200']}/dashboard", follow_redirects=True)
    assert (pages.status_code, "text/html" in pages.headers["content-type"]) == (200, True)
    assert (
        httpx.post(f"http://{services.places['127.0.0.1:4200']}/api/flow_runs/filter", json={}).status_code
        == 401
    )
    services.run("bucket")
    assert "runoff-found-dead: created." in services.run("automations")
    assert "runoff-taken-up: up to date." in services.run("automations")
    page_port = services.places["127.0.0.1:8321"].rpartition(":")[2]
    with (
        services.start("worker", tmp_path) as worker,
        services.start("review", tmp_path, "--port", page_port) as review,
    ):
        services.run("worker", "runoff", "deploy", "/campaigns/nightly.yaml", "--pool", "runoff")
        assert httpx.get(f"http://{services.places['127.0.0.1:8321']}/health").status_code == 200
        services.run("worker", "prefect", "deployment", "run", "prototype/nightly")

        def states() -> list[str]:
            return [run["state"] for run in json.loads(services.run("worker", "runoff", "runs", "--json"))]

        wait_until(
            lambda: "awaiting review" in states(), 240, every_s=5, told=(tmp_path / "worker.log").read_text
        )
        for process in (worker, review):
            began_s = time.monotonic()
            process.terminate()
            assert process.wait(60) == 0
            assert time.monotonic() - began_s < 60
    said = (tmp_path / "worker.log").read_text() + (tmp_path / "review.log").read_text()
    assert all(secret not in said for secret in SECRETS.values())
    assert "Traceback" not in said
    verified = services.run("worker", "runoff", "ledger", "verify")
    assert "sound and consistent" in verified
