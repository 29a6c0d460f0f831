"""What holds for every test: an environment without anybody's settings, and patience on a busy machine."""

import gc
import os
import ssl
import sys
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from tasks.redaction.known_secrets import forget_secrets
from tests.support import prefect_server as shared
from tests.support.emulator_client import close_clients
from tests.support.fuzzing import load_profile

load_profile()
gc.disable()  # until all modules are loaded, which stay


def pytest_xdist_auto_num_workers() -> int:
    """Run two workers more than there are cores: a third of the time is waiting."""
    return (os.cpu_count() or 1) + 2


def pytest_collection_finish() -> None:
    """Leave what the tests' modules hold to itself: collecting garbage takes a twentieth of the time then."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Collect what Prefect's clients leave open, before the tests of another file could be warned of it."""
    if "prefect.client" in sys.modules and (nextitem is None or nextitem.path != item.path):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "unclosed <socket", ResourceWarning)
            gc.collect()


@pytest.fixture(scope="session", autouse=True)
def _one_tls_context() -> Iterator[None]:
    """Read the machine's certificates once, not for each client of an emulator that speaks plain HTTP."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", cache(ssl.create_default_context))
        patch.setattr("httpx2._transports.default.create_ssl_context", cache(httpx2.create_ssl_context))
        yield


class _Compiled(dict[Any, Any]):
    """Compiled statements by what they say and the kind of database, whatever engine asks."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get((type(key[0]), *key[1:]), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__((type(key[0]), *key[1:]), compiled)


@pytest.fixture(scope="session", autouse=True)
def _statements_compiled_once() -> Iterator[None]:
    """Compile each of the ledger's statements once, not again for the new ledger of every test."""
    compiled, create = _Compiled(), sa.create_engine

    def create_engine(*args: Any, **options: Any) -> sa.Engine:
        engine = create(*args, **options)
        engine.update_execution_options(compiled_cache=compiled)
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sa, "create_engine", create_engine)
        yield


@pytest.fixture(autouse=True)
def _closed_clients() -> Iterator[None]:
    """Close the official clients that a test opened."""
    yield
    close_clients()


OURS = ("RUNOFF_", "OPENAI_", "COMETAPI_", "PREFECT_")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a developer's own keys, home and server out of the tests, and what an earlier test kept secret."""
    for name in list(os.environ):
        if name.startswith(OURS):
            monkeypatch.delenv(name)
    forget_secrets()


@pytest.fixture(scope="session")
def prefect_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of the session's Prefect server."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # of all workers
    return folder / "prefect"


@pytest.fixture(scope="session")
def prefect_server(prefect_folder: Path) -> Iterator[str]:
    """One Prefect server for all runs of the session and all its workers, as with PREFECT_API_URL set."""
    with shared.prefect_server(prefect_folder) as api_url:
        yield api_url
