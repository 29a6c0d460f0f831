"""What of the environment Prefect gets to see: its own server nothing of another one's, and no key."""

import os
import sys
import warnings
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

from flows.engine import prefect_queues
from flows.engine.settings import client_settings, environment, server_environment

OWN_URL = "http://127.0.0.1:4200/api"
OF_ANOTHER = {
    "PREFECT_API_URL": "http://other:4200/api",
    "PREFECT_API_KEY": "pnu_0123456789",
    "PREFECT_API_AUTH_STRING": "admin:other",
    "PREFECT_SERVER_API_AUTH_STRING": "admin:other",
    "PREFECT_SERVER_API_BASE_PATH": "/other",
    "PREFECT_API_DATABASE_CONNECTION_URL": "postgresql+asyncpg://other/prefect",
    "PREFECT_SERVER_DATABASE_PASSWORD": "other",
    "PREFECT_CLIENT_CUSTOM_HEADERS": '{"X-Access": "other"}',
    "PREFECT_PROFILE": "other",
    "PREFECT_PROFILES_PATH": "/other/profiles.toml",
}
KEYS = {
    "OPENAI_API_KEY": "sk-0123456789",
    "AWS_SECRET_ACCESS_KEY": "0123456789",
    "GITHUB_TOKEN": "0123456789",
}


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in somebody's environment."""
    for name, value in (OF_ANOTHER | KEYS).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PREFECT_LOGGING_LEVEL", "DEBUG")
    monkeypatch.setenv("PREFECT_CLIENT_MAX_RETRIES", "3")


def test_the_own_server_gets_nothing_of_another_one_and_no_key(tmp_path: Path) -> None:
    """It would ask for a password that its clients do not know, or write into another project's database."""
    environ = server_environment(tmp_path, is_migrated=False, with_schedules=False)
    assert not (set(OF_ANOTHER) | set(KEYS)) & set(environ)
    assert environ["PREFECT_LOGGING_LEVEL"] == "DEBUG"
    assert environ["PREFECT_HOME"] == str(tmp_path)
    assert "PATH" in environ


def test_clients_of_the_own_server_send_it_no_key(tmp_path: Path) -> None:
    """What belongs to another server is unset while this one is used; the address is its own."""
    changes = client_settings(tmp_path, OWN_URL, with_schedules=False, is_own=True)
    unset = {name for name, value in changes.items() if value is None}
    assert unset == set(OF_ANOTHER) - {"PREFECT_API_URL"}
    assert changes["PREFECT_API_URL"] == OWN_URL
    assert "PREFECT_CLIENT_MAX_RETRIES" not in changes


def test_clients_of_a_given_server_keep_its_key(tmp_path: Path) -> None:
    """All of it is meant for that server; only profiles are not, which are in another Prefect's home."""
    changes = client_settings(tmp_path, OF_ANOTHER["PREFECT_API_URL"], with_schedules=False, is_own=False)
    unset = {name for name, value in changes.items() if value is None}
    assert unset == {"PREFECT_PROFILE", "PREFECT_PROFILES_PATH"}


def test_leaving_it_is_silent_where_prefect_finds_no_home_of_the_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a container without a home folder the last line of a run would be a warning about Prefect's own."""
    loaded = ModuleType("prefect.context")
    loaded.refresh_global_settings_context = lambda: warnings.warn(  # type: ignore[attr-defined]
        "no home", stacklevel=1
    )
    loaded.__spec__ = ModuleSpec("prefect.context", None)
    monkeypatch.setitem(sys.modules, "prefect.context", loaded)
    with pytest.warns(UserWarning, match="no home") as heard, environment({}):
        n_inside = len(heard)
    assert (n_inside, len(heard)) == (1, 1)


def test_whoever_leaves_first_takes_nothing_from_the_other_and_the_last_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two runs in threads: the address stayed behind, and every later run asked a server that was gone."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_PROFILE", "mine")
    first = environment({"PREFECT_API_URL": "one", "PREFECT_PROFILE": None, "ONLY_FIRST": "1"})
    second = environment({"PREFECT_API_URL": "two", "PREFECT_PROFILE": None})
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert os.environ["PREFECT_API_URL"] == "two"
    assert not {"PREFECT_PROFILE", "ONLY_FIRST"} & os.environ.keys()
    second.__exit__(None, None, None)
    assert "PREFECT_API_URL" not in os.environ
    assert os.environ["PREFECT_PROFILE"] == "mine"


def test_a_second_one_has_all_settings_although_the_first_has_set_them(tmp_path: Path) -> None:
    """They are the second one's too once the first has left."""

    def settings(url: str) -> dict[str, str | None]:
        return client_settings(tmp_path, url, with_schedules=False, is_own=True)

    alone = settings("two")
    with environment(settings("one")):
        assert settings("two") == alone


def test_a_prefect_that_another_thread_still_loads_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person who presses Ctrl-C while it is loaded behind a question leaves without an error."""
    for name in ("prefect.context", "prefect.events.worker"):
        half, spec = ModuleType(name), ModuleSpec(name, None)
        spec._initializing = True  # type: ignore[attr-defined]
        half.__spec__ = spec
        monkeypatch.setitem(sys.modules, name, half)
    with environment({"PREFECT_API_KEY": None, "SOMETHING": "else"}):
        assert os.environ["SOMETHING"] == "else"
    prefect_queues.flush()
    prefect_queues.drop()
