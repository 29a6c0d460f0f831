"""A provider that repeats the key wherever it can: the key stands nowhere afterwards."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from tests.support.shell import CAMPAIGN, Shell

KEY = "plantedkey-0123456789abcdef"
OTHER_KEY = "sk-other-0123456789abcdef"


class Chatterbox(BaseHTTPRequestHandler):
    """Answers every request with the key in it, each time in another shape, and lastly stops the run."""

    n_requests: ClassVar[Counter[str]] = Counter()

    def do_POST(self) -> None:
        """Repeat the key."""
        self.rfile.read(int(self.headers["content-length"]))
        said = f"{self.headers['authorization']} is {OTHER_KEY}"
        error = {"message": said, "code": KEY, "type": "invalid_request_error"}
        page = f"<html><h1>{said}</h1></html>"
        shapes: list[tuple[int, Any]] = [
            (400, {"error": error}),
            (200, {"error": error}),
            (200, page),
            (502, page),
            (200, {"data": [{"url": f"https://cdn.test/?key={KEY}"}]}),
            (400, {"error": {"message": json.dumps({"error": error})}}),
            (413, page),
            (401, {"error": error}),
        ]
        self.n_requests["all"] += 1
        status, body = shapes[min(self.n_requests["all"], len(shapes)) - 1]
        content = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("content-type", "text/html" if isinstance(body, str) else "application/json")
        self.send_header("x-request-id", f"req-{KEY}")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        """Refuse the list of models, with the key."""
        content = json.dumps({"error": {"message": self.headers["authorization"]}}).encode()
        self.send_response(401)
        self.send_header("content-type", "application/json")
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
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()


def leaks(folder: Path) -> list[str]:
    """Name every file below a folder that holds a key."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if any(key.encode() in path.read_bytes() for key in (KEY, OTHER_KEY))]


def test_a_key_stands_nowhere_but_in_the_environment(shell: Shell, chatterbox: str) -> None:
    """Output, ledger, run folder, Prefect's own database and its logs: all are searched."""
    shell.environ |= {
        "OPENAI_BASE_URL": chatterbox,
        "OPENAI_API_KEY": KEY,
        "PREFECT_LOGGING_LEVEL": "DEBUG",
    }
    del shell.environ["PREFECT_API_URL"]  # its own server, its own database, below the home
    shell.home.mkdir()
    one_by_one = {"providers": {"openai": {"concurrency": 1, "images_per_minute": 1000}}}
    (shell.home / "providers.yaml").write_text(yaml.safe_dump(one_by_one))
    done = shell.runoff_process("run", shell.campaign({"drafts": CAMPAIGN["drafts"] | {"per_prompt": 3}}))
    assert done.returncode == 1, done.stderr
    assert Chatterbox.n_requests["all"] == 8
    said = [done.stdout, done.stderr]
    said += [shell.runoff(*words).stdout for words in (["runs", "--json"], ["report", "latest", "--json"])]
    assert "[key]" in "".join(said)
    for text in said:
        for key in (KEY, OTHER_KEY):
            assert key not in text, text[max(0, text.find(key) - 300) :]
    assert (shell.home / ".prefect").is_dir()
    assert (shell.home / "ledger.db").stat().st_size > 0
    assert leaks(shell.home) == []
