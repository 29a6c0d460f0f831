"""A provider that repeats every secret wherever it can: none stands anywhere afterwards."""

import base64
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from tests.support.child_process import wait_until
from tests.support.planted import KEY, OTHER_KEY, leaks, repeated, told
from tests.support.shell import CAMPAIGN, Done, Shell

PASS = "planted-pass+9876543210"
SECRETS = {"the key": KEY, "a strange key": OTHER_KEY, "the pass": PASS}


class Chatterbox(BaseHTTPRequestHandler):
    """Answers every request with its secrets, each time in another shape, and lastly stops the run."""

    n_requests: ClassVar[Counter[str]] = Counter()

    def do_POST(self) -> None:
        """Repeat the secrets."""
        self.rfile.read(int(self.headers["content-length"]))
        said = f"{repeated({name.lower(): value for name, value in self.headers.items()})} is {OTHER_KEY}"
        error = {"message": said, "code": KEY, "type": "invalid_request_error"}
        page = f"<html><h1>{said}</h1></html>"
        shapes: list[tuple[int, Any]] = [
            (400, {"error": error}),
            (200, {"error": error}),
            (200, page),
            (502, page),
            (200, {"data": [{"url": f"https://cdn.test/?key={KEY}"}]}),
            (200, {"data": [{"b64_json": base64.b64encode(said.encode()).decode()}]}),
            (200, {"data": [{"b64_json": f"!{said}"}]}),
            (400, {"error": {"message": json.dumps({"error": error})}}),
            (413, page),
            (401, {"error": error}),
        ]
        self.n_requests["all"] += 1
        self.answer(*shapes[min(self.n_requests["all"], len(shapes)) - 1])

    def do_GET(self) -> None:
        """Have no list of models, and say so with the key."""
        self.answer(404, {"error": {"message": self.headers["authorization"]}})

    def answer(self, status: int, body: Any) -> None:
        """Send an answer."""
        content = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("content-type", "text/html" if isinstance(body, str) else "application/json")
        self.send_header("x-request-id", f"req-{KEY}")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def chatterbox() -> Iterator[str]:
    """The address of a provider that cannot keep a secret."""
    Chatterbox.n_requests.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Chatterbox)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()


def run_it(shell: Shell, chatterbox: str, run: Callable[..., Done]) -> None:
    """Run a campaign there, and look for the secrets in all that it says and leaves in its home."""
    shell.environ |= {
        "OPENAI_BASE_URL": chatterbox,
        "OPENAI_API_KEY": KEY,
        "OPENAI_CUSTOM_HEADERS": f"X-Pass: {PASS}",
        "PREFECT_LOGGING_LEVEL": "DEBUG",
    }
    shell.home.mkdir()
    one_by_one = {"providers": {"openai": {"concurrency": 1, "images_per_minute": 1000}}}
    (shell.home / "providers.yaml").write_text(yaml.safe_dump(one_by_one))
    done = run("run", shell.campaign({"drafts": CAMPAIGN["drafts"] | {"per_prompt": 3}}))
    assert done.returncode == 1, done.stderr
    assert Chatterbox.n_requests["all"] == 10
    said = [done.stdout, done.stderr]
    said += [shell.runoff(*words).stdout for words in (["runs", "--json"], ["report", "latest", "--json"])]
    assert "[secret]" in "".join(said)
    assert told("\n".join(said), SECRETS) == []
    assert (shell.home / "ledger.db").stat().st_size > 0
    assert leaks(shell.home, SECRETS) == []


def test_a_secret_stands_nowhere_but_in_the_environment(
    shell: Shell, chatterbox: str, prefect_folder: Path
) -> None:
    """Output, ledger, run folder, report, Prefect's database with its states and logs: all are searched."""
    run_it(shell, chatterbox, shell.runoff)

    def is_stored() -> bool:
        return any(b"[secret]" in file.read_bytes() for file in prefect_folder.rglob("prefect.db*"))

    wait_until(is_stored, 30)  # what the provider said does get there, once Prefect writes it
    assert leaks(prefect_folder, SECRETS) == []


@pytest.mark.long  # every day: test_a_secret_stands_nowhere_but_in_the_environment
def test_a_process_with_its_own_prefect_leaves_no_secret(shell: Shell, chatterbox: str) -> None:
    """The server that it starts, its log and its database hold none either."""
    del shell.environ["PREFECT_API_URL"]
    run_it(shell, chatterbox, shell.runoff_process)
    assert (shell.home / ".prefect" / "prefect.db").is_file()


@pytest.mark.parametrize("command", [["run"], ["run", "--json"], ["doctor"], ["doctor", "--json"]])
def test_a_key_with_a_line_end_is_refused_at_the_door(
    shell: Shell, chatterbox: str, command: list[str]
) -> None:
    """In one sentence that names the variable; nothing is sent, written or started."""
    shell.environ |= {"OPENAI_BASE_URL": chatterbox, "OPENAI_API_KEY": f"{KEY}\nexport X=1"}
    done = shell.runoff(command[0], shell.campaign(), *command[1:])
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "OPENAI_API_KEY: the key in this environment variable has a line end inside" in " ".join(
        said.split()
    )
    assert "Traceback" not in said
    assert told(said, SECRETS) == []
    assert "export X" not in said
    assert Chatterbox.n_requests["all"] == 0
    assert not shell.home.exists()


def test_a_password_in_an_address_is_shown_by_no_command(shell: Shell) -> None:
    """Neither that of the provider's address nor that of Prefect's or the ledger's."""
    password = "planted-word+9876"
    at = f"me:{password}@127.0.0.1:9"
    shell.environ |= {
        "OPENAI_BASE_URL": f"http://{at}/v1",
        "OPENAI_API_KEY": KEY,
        "PREFECT_API_URL": f"http://{at}/api",
    }
    said = []
    for words in (["doctor"], ["doctor", "--json"], ["doctor", shell.campaign()], ["plan", shell.campaign()]):
        done = shell.runoff(*words)
        said += [done.stdout, done.stderr]
    assert "http://127.0.0.1:9/v1" in "".join(said)
    assert told("\n".join(said), {"the key": KEY, "the password": password}) == []


def test_a_fault_of_runoffs_own_shows_no_secret(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A traceback, whatever it holds, is printed without the secrets; the exit code says that it failed."""
    shell.environ |= {"OPENAI_API_KEY": KEY}

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError(KEY)

    monkeypatch.setattr("flows.session.prepare.prepare", fail)
    done = shell.runoff("run", shell.campaign())
    assert done.returncode == 1
    assert "ZeroDivisionError: [secret]" in done.stderr
    assert "This is a fault in Runoff." in done.stderr
    assert told(done.stdout + done.stderr, SECRETS) == []
