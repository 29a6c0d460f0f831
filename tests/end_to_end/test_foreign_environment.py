"""Runoff in an environment made for something else: proxies, certificates, another Prefect's settings."""

import io
import sys
from unittest.mock import patch

import pytest

from tests.support.shell import Shell, exit_code_of_main

SOCKS = "socks5://127.0.0.1:1080"
ANOTHERS = {
    "ALL_PROXY": SOCKS,
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "localhost,[::1],fd00::/8",
    "PREFECT_SERVER_API_AUTH_STRING": "admin:planted-word",
    "PREFECT_API_AUTH_STRING": "admin:planted-other",
    "PREFECT_API_KEY": "pnu_0123456789abcdef",
    "PREFECT_PROFILE": "another",
    "PREFECT_SERVER_API_BASE_PATH": "/another",
    "PREFECT_API_DATABASE_CONNECTION_URL": "postgresql+asyncpg://me:planted-word@127.0.0.1:9/prefect",
}


@pytest.mark.long  # every day: tests/unit/flows/engine/test_settings.py, tests/unit/tasks/test_network.py
def test_a_demo_needs_nothing_of_the_environment_and_is_not_harmed_by_it(shell: Shell) -> None:
    """With proxies that lead nowhere, the settings, profile and files of another Prefect, and an odd home."""
    del shell.environ["PREFECT_API_URL"]
    here = shell.home.parent
    home = here / "a#b %20 é'\"q"
    shell.environ |= ANOTHERS | {"RUNOFF_HOME": str(home)}
    (here / "prefect.toml").write_text('[server.api]\nauth_string = "admin:planted-word"\n', encoding="utf-8")
    (here / ".env").write_text("PREFECT_API_URL=http://127.0.0.1:9/api\n", encoding="utf-8")
    done = shell.runoff_process("demo")
    assert done.returncode == 0, done.stderr
    assert "finals accepted" in done.stdout
    assert done.stderr == ""
    assert not any(word in done.stdout for word in ("WARNING", "planted", "another"))
    assert {file.name for file in here.iterdir()} == {home.name, "prefect.toml", ".env"}
    assert (home / ".prefect" / "prefect.db").is_file()


@pytest.mark.parametrize("command", ["demo", "run", "doctor"])
def test_a_missing_file_of_certificates_is_told_in_a_sentence(shell: Shell, command: str) -> None:
    """Before anything is started."""
    shell.environ |= {"SSL_CERT_FILE": "/nowhere/ca.pem", "OPENAI_API_KEY": "sk-0123456789"}
    done = shell.runoff(command, *([] if command == "demo" else [shell.campaign()]))
    assert done.returncode == 1
    said = " ".join((done.stdout + done.stderr).split())
    assert "SSL_CERT_FILE: the file of certificates '/nowhere/ca.pem' is missing" in said
    assert "unset SSL_CERT_FILE" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("command", ["run", "doctor"])
def test_a_socks_proxy_without_its_package_is_told_in_a_sentence(
    shell: Shell, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names the variable and what to install; nothing was sent round the proxy."""
    monkeypatch.setattr("tasks.network.find_spec", lambda _: None)
    shell.environ |= {
        "ALL_PROXY": SOCKS,
        "OPENAI_BASE_URL": "https://images.example.org/v1",
        "OPENAI_API_KEY": "sk-0123456789",
    }
    done = shell.runoff(command, shell.campaign())
    assert done.returncode == 1
    said = " ".join((done.stdout + done.stderr).split())
    assert "ALL_PROXY: the proxy 'socks5://127.0.0.1:1080' is a SOCKS proxy" in said
    assert "pip install socksio" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("command", ["plan", "doctor"])
def test_a_terminal_without_utf_8_gets_what_it_can_show(shell: Shell, command: str, encoding: str) -> None:
    """As under cron, in a container, or in an old Windows console."""
    shell.environ |= {"OPENAI_API_KEY": "sk-0123456789", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    stream = io.BytesIO()
    output = io.TextIOWrapper(stream, encoding=encoding)
    words = ["runoff", command, str(shell.campaign())]
    with shell.seat(), patch.object(sys, "argv", words), patch.object(sys, "stdout", output):
        exit_code_of_main()
        output.flush()
    said = stream.getvalue().decode(encoding)
    assert {"plan": "budget", "doctor": "1 error"}[command] in said
