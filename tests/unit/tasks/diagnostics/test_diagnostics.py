"""The doctor's checks, each on both sides of its line."""

import shutil
import socket
import sqlite3
import threading
from collections import namedtuple
from collections.abc import Iterable
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import get_args

import pytest

from flows.engine.presence import check_engine
from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import load_providers
from tasks.diagnostics import machine
from tasks.diagnostics.finding import Finding
from tasks.diagnostics.ledger import check_ledger
from tasks.diagnostics.machine import check_clock, check_home, check_versions
from tasks.diagnostics.models import check_catalogue, check_model
from tasks.diagnostics.provider import check_abilities, check_address, check_answer, check_key
from tasks.images_api.models_endpoint import AnswerKind, ModelsAnswer
from tasks.images_api.terms import Terms
from tasks.ledger import Limits, Settlement
from tests.support.builders import NOON, RUN_ID, an_order
from tests.support.ledgers import open_ledger
from tests.support.paid_home import paid_home

CATALOGUE = load_catalogue(environ={})
PROVIDERS = load_providers()
OPENAI = PROVIDERS.provider("openai")
TODAY = date(2026, 11, 22)
LAST_DAY = date(2026, 12, 1)
KEY = "sk-planted-0123456789abcdef"
GB = 1_000_000_000
Usage = namedtuple("Usage", "total used free")


def by_subject(findings: Iterable[Finding]) -> dict[str, Finding]:
    """Index findings; the last of a subject wins."""
    return {finding.subject: finding for finding in findings}


def test_what_is_installed_is_as_asked_for() -> None:
    """This very environment passes, and the versions that matter are named."""
    found = by_subject(check_versions())
    assert found["packages"].state == "ok"
    for name in ("prefect", "fastapi", "sqlalchemy"):
        assert name in found["packages"].what


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("sqlalchemy<2.0", "is installed, but <2.0 is required"), ("no-such-thing>=1", "is not installed")],
)
def test_a_package_that_breaks_runs_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, asked: str, expected: str
) -> None:
    """Another version than asked for, or none."""
    monkeypatch.setattr(machine, "requires", lambda _: [asked, "pytest<1; extra == 'test'"])
    found = by_subject(check_versions())["packages"]
    assert found.state == "fault"
    assert expected in found.what
    assert "pytest" not in found.what


@pytest.mark.parametrize(
    ("free_bytes", "state"),
    [(GB, "ok"), (GB - 1, "warning"), (GB // 10, "warning"), (GB // 10 - 1, "fault")],
)
def test_a_disk_that_fills_up_is_told_in_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free_bytes: int, state: str
) -> None:
    """A warning below a gigabyte, a fault below a tenth of one."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, free_bytes))
    assert by_subject(check_home(tmp_path))["disk"].state == state


def test_a_home_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    """One that is there, one to be made, and one that cannot be; no file stays."""
    assert by_subject(check_home(tmp_path))["home"].state == "ok"
    assert "will be created" in by_subject(check_home(tmp_path / "a" / "b"))["home"].what
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    assert by_subject(check_home(tmp_path / "file"))["home"].state == "fault"
    assert by_subject(check_home(tmp_path / "file" / "home"))["home"].state == "fault"


@pytest.mark.parametrize(
    ("ahead_s", "state"), [(120, "ok"), (-120, "ok"), (121, "warning"), (-121, "warning")]
)
def test_a_clock_that_is_off_by_minutes_is_told(ahead_s: float, state: str) -> None:
    """Two minutes either way are nothing."""
    assert by_subject(check_clock(ahead_s, {}))["clock"].state == state


def test_a_rehearsed_day_is_told_and_an_unknown_clock_is_not() -> None:
    """With another day in today's place every date shown is another one."""
    assert list(check_clock(None, {})) == []
    (found,) = check_clock(None, {"RUNOFF_TODAY": "2026-12-01"})
    assert (found.subject, found.state) == ("day", "warning")


def test_the_key_is_named_and_never_shown() -> None:
    """Set, empty, missing, not needed."""
    here = Terms(OPENAI, CATALOGUE, {"OPENAI_API_KEY": KEY})
    assert check_key(here, "fault") == Finding("key", "ok", "OPENAI_API_KEY is set")
    for environ, expected in (({}, "is not set"), ({"OPENAI_API_KEY": " "}, "is empty")):
        found = check_key(Terms(OPENAI, CATALOGUE, environ), "warning")
        assert (found.state, found.what) == ("warning", f"OPENAI_API_KEY {expected}")
        assert "export OPENAI_API_KEY" in found.way_out
    emulator = Terms(PROVIDERS.provider("emulator"), CATALOGUE, {})
    assert check_key(emulator, "fault").state == "ok"


def test_the_address_says_where_it_comes_from() -> None:
    """The file's, the variable's, none, and a wrong one."""
    assert "providers.yaml" in check_address(Terms(OPENAI, CATALOGUE, {})).what
    there = {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}
    assert (
        check_address(Terms(OPENAI, CATALOGUE, there)).what == "http://127.0.0.1:1/v1, from OPENAI_BASE_URL"
    )
    assert check_address(Terms(OPENAI, CATALOGUE, {"OPENAI_BASE_URL": "nowhere"})).state == "fault"
    assert "runs in this process" in check_address(Terms(PROVIDERS.provider("emulator"), CATALOGUE, {})).what


@pytest.mark.parametrize("kind", [kind for kind in get_args(AnswerKind) if kind != "ok"])
def test_every_way_of_getting_no_answer_has_a_way_out(kind: AnswerKind) -> None:
    """Each has a next step, and is a fault if nothing is sold; without a request there is no finding."""
    terms = Terms(OPENAI, CATALOGUE, {})
    (found,) = check_answer(terms, ModelsAnswer(kind, "said"))
    assert (found.state, found.what) == ("warning" if kind in ("no_list", "trouble") else "fault", "said")
    assert found.way_out
    assert "{" not in found.way_out
    assert list(check_answer(terms, None)) == []


def listing(**days: date | None) -> ModelsAnswer:
    """Answer with a list of models."""
    return ModelsAnswer("ok", shutdown_dates={name.replace("_", "-"): day for name, day in days.items()})


@pytest.mark.parametrize(
    ("today", "has_successor", "state"),
    [
        (LAST_DAY - timedelta(31), False, "ok"),
        (LAST_DAY - timedelta(30), False, "warning"),
        (LAST_DAY - timedelta(1), True, "warning"),
        (LAST_DAY, True, "warning"),
        (LAST_DAY, False, "fault"),
    ],
)
def test_a_models_end_is_told_on_both_sides(today: date, has_successor: bool, state: str) -> None:
    """A fault only where nothing takes its place."""
    found = list(check_model("gpt-image-1-mini", CATALOGUE, OPENAI, None, today, has_successor=has_successor))
    assert found[0].state == state
    assert "2026-12-01" in found[0].what


def test_the_providers_earlier_day_counts_and_absence_proves_nothing() -> None:
    """A day in its list makes a living model retire; one that is not listed is a warning at most."""
    name = "gpt-image-2"
    announced = listing(gpt_image_2=TODAY + timedelta(5))
    first = next(check_model(name, CATALOGUE, OPENAI, announced, TODAY, has_successor=False))
    assert (first.state, "the provider announces" in first.what) == ("warning", True)
    found = list(check_model(name, CATALOGUE, OPENAI, listing(other=None), TODAY, has_successor=False))
    assert [finding.state for finding in found] == ["warning", "ok"]
    assert "may still work" in found[0].what


def test_old_and_missing_prices_are_told() -> None:
    """Ninety days are not old; ninety-one are. Without a price nothing can be bought."""
    checked_on = TODAY
    for days, state in ((90, "ok"), (91, "warning")):
        found = list(
            check_model(
                "gpt-image-2", CATALOGUE, OPENAI, None, checked_on + timedelta(days), has_successor=False
            )
        )
        assert found[0].state == state
    comet = PROVIDERS.provider("cometapi")
    found = list(check_model("gpt-image-2.5-flare", CATALOGUE, comet, None, TODAY, has_successor=False))
    assert found[0].state == "fault"
    assert "providers.yaml" in found[0].way_out


def test_the_catalogue_is_told_in_a_few_lines() -> None:
    """Models that end on the same day share a line, and the last line counts the rest."""
    models = list(CATALOGUE.models.values())
    retiring, rest = check_catalogue(models, OPENAI, None, TODAY)
    assert "gpt-image-1-mini, gpt-image-1.5, chatgpt-image-latest" in retiring.what
    assert retiring.state == "warning"
    assert rest.what.startswith("5 of 8 ")


def test_models_that_nobody_is_known_to_use_are_no_warning_once_they_are_gone() -> None:
    """From the day on they are counted; a campaign that names one hears of it still."""
    (only,) = check_catalogue(list(CATALOGUE.models.values()), OPENAI, None, date(2026, 12, 1))
    assert (only.state, only.what.partition("; ")[2]) == ("ok", "3 more were shut down")
    named = check_model("gpt-image-1-mini", CATALOGUE, OPENAI, None, date(2026, 12, 1), has_successor=False)
    assert next(named).state == "fault"


def test_the_ledger_is_looked_at_and_not_touched(tmp_path: Path) -> None:
    """None yet, sound, of another version, wrong in its sums, no database: each has its word."""
    (none,) = check_ledger(tmp_path, {})
    assert (none.state, list(tmp_path.iterdir())) == ("ok", [])
    ledger = open_ledger(tmp_path)
    ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
    order = an_order()
    ledger.orders.plan([order])
    ledger.orders.send(order, Limits(), NOON)
    ledger.orders.settle(order.order_id, Settlement("unknown", error_code="timeout"))
    ledger.close()
    sound, unknown = check_ledger(tmp_path, {})
    assert (sound.state, unknown.state) == ("ok", "warning")
    assert "1 order is unknown and charged $0.0100" in unknown.what
    change(tmp_path, "UPDATE budgets SET charged_nanousd = 1")
    (wrong,) = check_ledger(tmp_path, {})
    assert (wrong.state, wrong.way_out) == ("fault", "See all: runoff ledger verify")
    change(tmp_path, "UPDATE alembic_version SET version_num = '9999'")
    (newer,) = check_ledger(tmp_path, {})
    assert (newer.state, "newer Runoff" in newer.what) == ("fault", True)
    change(tmp_path, "UPDATE alembic_version SET version_num = '0000'")
    (older,) = check_ledger(tmp_path, {})
    assert (older.state, "migrates it to" in older.what) == ("ok", True)
    (tmp_path / "ledger.db").write_bytes(b"no database at all, and long enough to be read as one" * 20)
    (broken,) = check_ledger(tmp_path, {})
    assert broken.state == "fault"
    assert "runoff ledger rebuild" in broken.way_out


def test_a_ledger_that_knows_less_than_the_disk_is_a_fault(tmp_path: Path) -> None:
    """Missing or emptied beside paid pictures: the next step leads to them, not to a first run."""
    paid_home(tmp_path, n_drafts=1)
    (sound,) = check_ledger(tmp_path, {})
    assert sound.state == "ok"
    (tmp_path / "ledger.db").unlink()
    (missing,) = check_ledger(tmp_path, {})
    open_ledger(tmp_path).close()
    (emptied,) = check_ledger(tmp_path, {})
    for finding in (missing, emptied):
        assert (finding.state, RUN_ID in finding.what) == ("fault", True)
        assert "runoff ledger rebuild" in finding.way_out


def change(home: Path, statement: str) -> None:
    """Change a ledger behind Runoff's back."""
    connection = sqlite3.connect(home / "ledger.db")
    with connection:
        connection.execute(statement)
    connection.close()


def test_the_engine_is_found_and_never_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing set: embedded. A dead address: a fault. One that answers: ok. The home stays empty."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    (embedded,) = check_engine(tmp_path)
    assert (embedded.state, "embedded" in embedded.what) == ("ok", True)
    assert list(tmp_path.iterdir()) == []
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{port}/api")
    (dead,) = check_engine(tmp_path)
    assert (dead.state, "unset PREFECT_API_URL" in dead.way_out) == ("fault", True)
    with HTTPServer(("127.0.0.1", 0), Healthy) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{server.server_port}/api")
        (alive,) = check_engine(tmp_path)
        server.shutdown()
        thread.join()
    assert alive.state == "ok"


class Healthy(BaseHTTPRequestHandler):
    """Answers as a Prefect server does when asked for its health."""

    def do_GET(self) -> None:
        """Say that all is well, and which version it is."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"true" if self.path.endswith("/health") else b'"3.8.8"')

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_what_a_provider_can_and_cannot_do_is_told() -> None:
    """Before a campaign asks for it: edits, the Batch lane, streaming, several pictures, and its limits."""
    vendor, gateway = (
        check_abilities(Terms(PROVIDERS.provider(name), CATALOGUE, {})).what
        for name in ("openai", "cometapi")
    )
    assert "the Batch lane, streaming, up to 10 pictures per request; " in vendor
    assert "not:" not in vendor
    assert "not: the Batch lane, streaming, more than one picture per request; " in gateway
    assert "images per minute" in gateway
    assert "its own prices" in gateway
