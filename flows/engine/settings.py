"""Prefect's settings, set before it is imported, in this process and in the server.

Prefect reads its settings from the environment once, at import. Some are forced, because Runoff guarantees
them (no telemetry, a home inside its own); the others are defaults that a user's environment overrides. What
belongs to another server (its key, database, path) is kept from this home's own one.
"""

import os
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tasks.network import local_network
from tasks.redaction import is_secret_name

FORCED = {
    # Both are needed: the first silences the server, the second the client library.
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    # A call before the server is ready fails at once instead of starting a second server.
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
}

OTHER_PROFILES = ("PREFECT_PROFILE", "PREFECT_PROFILES_PATH")
"""Profiles are in Prefect's home, which is Runoff's here."""

_OF_ANOTHER_SERVER = (
    "PREFECT_API_", "PREFECT_CLOUD_", "PREFECT_SERVER_API_", "PREFECT_SERVER_DATABASE_", "PREFECT_SERVER_UI_",
    "PREFECT_UI_", "PREFECT_MESSAGING_", "PREFECT_REDIS_", "PREFECT_SERVER_DOCKET_", "PREFECT_SERVER_CSRF_",
    "PREFECT_CLIENT_CSRF_", "PREFECT_CLIENT_CUSTOM_HEADERS",
)  # fmt: skip

DEFAULTS = {
    # One transaction for many task-run events: six times less work for the server.
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    # The full log of a run is on the server. On the terminal, Prefect would show a step's error with its
    # traceback before the command prints it as one message.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    # One line for each event that could not be sent, every 7 s for minutes.
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
}

_CHANGING = threading.RLock()
_INSIDE: list[dict[str, str | None]] = []
_BEFORE: dict[str, str | None] = {}
"""What those variables were before the first of those inside came."""

SERVICE_DEFAULTS = {
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "WARNING",
    # Each attempt waits twice as long as the one before: a run survives a server outage of four minutes.
    "PREFECT_CLIENT_MAX_RETRIES": "7",
}


def client_settings(
    prefect_home: Path, api_url: str, *, with_schedules: bool, is_own: bool
) -> dict[str, str | None]:
    """Return the changes to the environment of a process that runs flows against ``api_url``.

    Args:
        prefect_home: Where Prefect may keep files.
        api_url: The server's address, ending in ``/api``.
        with_schedules: The process serves campaigns: its terminal is a log, with warnings and errors.
        is_own: It is this home's own server, which needs no key.

    Returns:
        Variables to set, or to unset where the value is ``None``.
    """
    defaults = DEFAULTS | SERVICE_DEFAULTS if with_schedules else DEFAULTS
    foreign = (*OTHER_PROFILES, *(_of_another_server() if is_own else ()))
    return {
        **dict.fromkeys(foreign),
        **local_network(os.environ),
        **_unset(defaults),
        **FORCED,
        "PREFECT_HOME": str(prefect_home),
        "PREFECT_API_URL": api_url,
    }


def server_environment(prefect_home: Path, *, is_migrated: bool, with_schedules: bool) -> dict[str, str]:
    """Return the environment of the server process, except for the address that it finds itself.

    It has what this process has, without keys and without what belongs to another Prefect server.

    Args:
        prefect_home: Where Prefect keeps its database and files.
        is_migrated: The database is known to be of the installed version: checking again costs 0.3 s.
        with_schedules: Serve schedules, automations and Prefect's UI too.
    """
    defaults = _unset(DEFAULTS | SERVICE_DEFAULTS)
    settings = {**defaults, **FORCED, "PREFECT_HOME": str(prefect_home), "PREFECT__SERVER_FINAL": "1"}
    if is_migrated:
        settings["PREFECT_API_DATABASE_MIGRATE_ON_START"] = "false"
    if with_schedules:
        settings["PREFECT_UI_STATIC_DIRECTORY"] = str(prefect_home / "pages")  # its own may be read-only
    else:
        # Schedules would create runs that nothing serves; block types cost a second on a fresh home.
        settings |= {
            "PREFECT__SERVER_EPHEMERAL": "1",
            "PREFECT_UI_ENABLED": "false",
            "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",
        }
    kept = {name: value for name, value in os.environ.items() if not is_secret_name(name)}
    left_out = dict.fromkeys((*OTHER_PROFILES, *_of_another_server()))
    changed = {**kept, **left_out, **local_network(os.environ), **settings}
    return {name: value for name, value in changed.items() if value is not None}


@contextmanager
def environment(settings: Mapping[str, str | None]) -> Iterator[None]:
    """Set ``settings`` in this process's environment, ``None`` unsets; restore the old values at the end.

    Threads may be inside at the same time and leave in any sequence: a variable has the value of whoever came
    last and is still inside, and with the last of them the one that it had before the first.
    """
    own = dict(settings)
    with _CHANGING:
        for name in own:
            _BEFORE.setdefault(name, os.environ.get(name))
        _INSIDE.append(own)
        _change(own)
    try:
        yield
    finally:
        with _CHANGING:
            _INSIDE[:] = [one for one in _INSIDE if one is not own]
            after = {name: _after(name) for name in own}
            profiles = {name: after.pop(name) for name in OTHER_PROFILES if name in after}
            with warnings.catch_warnings():
                # A user without a home folder reads nothing of Prefect's wish for one.
                warnings.simplefilter("ignore")
                _change(after)
            _set(profiles)  # Prefect would warn that its home has none of that name


def _after(name: str) -> str | None:
    """Return the value of a variable once one of those inside has left."""
    values = [one[name] for one in _INSIDE if name in one]
    return values[-1] if values else _BEFORE.pop(name)


def _users_environment() -> dict[str, str]:
    """Return this process's environment without what is set by those inside ``environment``."""
    with _CHANGING:
        kept = {name: value for name, value in os.environ.items() if name not in _BEFORE}
        return kept | {name: value for name, value in _BEFORE.items() if value is not None}


def _change(settings: Mapping[str, str | None]) -> None:
    _set(settings)
    _refresh_prefect()


def _set(settings: Mapping[str, str | None]) -> None:
    for name, value in settings.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _of_another_server() -> list[str]:
    return [name for name in _users_environment() if name.startswith(_OF_ANOTHER_SERVER)]


def _refresh_prefect() -> None:
    """Make an already imported Prefect read its settings again."""
    if is_loaded("prefect.context"):
        sys.modules["prefect.context"].refresh_global_settings_context()


def is_loaded(name: str) -> bool:
    """Return whether a module is loaded whole: whoever is interrupted may leave another thread loading it.

    Args:
        name: The module.
    """
    module = sys.modules.get(name)
    return module is not None and not getattr(module.__spec__, "_initializing", False)


def _unset(defaults: Mapping[str, str]) -> dict[str, str]:
    given = _users_environment()
    return {name: value for name, value in defaults.items() if name not in given}
