"""nginx as a page of the docs configures it: without TLS, on a free port, with passwords of its own."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.postgresql_server import free_port

START_S = 10.0


def nginx_program() -> str | None:
    """Find nginx, which Debian keeps where only root looks."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


@contextmanager
def nginx(
    program: str, folder: Path, recipe: str, changes: Mapping[str, str], users: Sequence[str]
) -> Iterator[int]:
    """Serve by a recipe, with some of its text replaced; each user's password is ``pass``.

    Yields:
        The port.
    """
    port, passwords = free_port(), folder / "htpasswd"
    passwords.write_text("".join(f"{user}:{{PLAIN}}pass\n" for user in users))
    lines = [line for line in recipe.splitlines() if "ssl_certificate" not in line]
    text = "\n".join(lines).replace("443 ssl", f"127.0.0.1:{port}")
    text = text.replace("/etc/nginx/runoff.htpasswd", str(passwords))
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder / kind};\n" for kind in kinds)
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off; master_process off; pid {folder / 'pid'}; error_log {folder / 'error.log'};\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{paths}{text}\n}}\n"
    )
    with subprocess.Popen([program, "-p", str(folder), "-c", str(file)], stderr=subprocess.DEVNULL) as server:
        try:
            _wait(port, server)
            yield port
        finally:
            server.terminate()


def _wait(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline_s = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert server.poll() is None, "nginx has ended"
            assert time.monotonic() < deadline_s, "nginx does not answer"
            time.sleep(0.05)
        else:
            return
