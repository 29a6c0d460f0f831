"""A ledger's two homes (a SQLite file, and a PostgreSQL that the tests start themselves), and shops."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tasks.emulator.faults import FaultRule
from tasks.emulator.server import emulator_server
from tasks.emulator.settings import EmulatorSettings
from tasks.storage.mirror import MIRRORS_VARIABLE
from tests.support.batch_shop import Open, batch_shops
from tests.support.browser import open_browser
from tests.support.emulator_client import BRIEF_S, PATIENT_S
from tests.support.object_store import BUCKET, object_store
from tests.support.postgresql_server import PostgresqlServer, binaries, running
from tests.support.shop import Opener, Shop

EVERY_DAY_ON_BOTH = {"test_ledger"}
"""What every day is tried on PostgreSQL too. One file: each worker of the tests starts its own server."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the rest of what is tried on PostgreSQL to the slow tests."""
    for item in items:
        params = getattr(getattr(item, "callspec", None), "params", {})
        if params.get("home") == "postgresql" and item.path.stem not in EVERY_DAY_ON_BOTH:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """A running PostgreSQL server."""
    folder = binaries()
    if folder is None:
        pytest.skip("PostgreSQL is not installed here (Debian: apt-get install postgresql)")
    with running(folder) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A new home whose ledger is the file in it, or a new database of the server."""
    if request.param == "sqlite":
        yield tmp_path
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    monkeypatch.setenv("RUNOFF_LEDGER_URL", server.new_ledger())
    yield tmp_path
    server.drop_databases()


@pytest.fixture(scope="session")
def s3() -> Iterator[dict[str, str]]:
    """What leads a client to a store that speaks S3."""
    with object_store() as found:
        yield found


@pytest.fixture
def address(s3: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """An empty place in the store, and an environment that leads there."""
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(MIRRORS_VARIABLE, str(tmp_path / "here"))
    return f"s3://{BUCKET}/team/{tmp_path.name}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a module."""
    with open_browser() as opened:
        yield opened


@pytest.fixture
def open_shop(tmp_path: Path) -> Iterator[Opener]:
    """Open shops with emulators of any settings; closed at the end. Only one that hangs is not waited for."""
    opened: list[tuple[Any, Shop]] = []

    def open_one(*faults: dict[str, Any], **settings: Any) -> Shop:
        hangs = any(fault["kind"] == "bill_then_hang" for fault in faults)
        rules = tuple(FaultRule(**fault) for fault in faults)
        emulator = emulator_server(EmulatorSettings(paint="plain", faults=rules, **settings))
        shop = Shop(emulator.__enter__(), tmp_path, BRIEF_S if hangs else PATIENT_S)
        opened.append((emulator, shop))
        return shop

    yield open_one
    for emulator, shop in opened:
        shop.ledger.close()
        emulator.__exit__(None, None, None)


@pytest.fixture
def open_bench(tmp_path: Path) -> Iterator[Open]:
    """Open shops that sell by batch, with faults; closed at the end."""
    with batch_shops(tmp_path) as opened:
        yield opened
