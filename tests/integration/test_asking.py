"""Asking a provider before a run: what stops it, what is only said, and how long a scheduled run waits."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from flows.session.asking import SCHEDULED_WAITS_S, ask_provider, has_orders_left, prepare_scheduled
from flows.session.prepare import Prepared, prepare
from tasks.emulator.server import emulator_server
from tasks.emulator.settings import EmulatorSettings
from tasks.errors import ProviderAwayError, ProviderError
from tasks.ledger import Limits
from tasks.settings import Settings
from tests.support.absent_providers import Way, answering, nobody_listens
from tests.support.builders import NOON
from tests.support.campaign_files import basis
from tests.support.ledgers import open_ledger

KEY = "sk-planted-0123456789abcdef"
RUN_ID = "20260601-120000-aaaa"


def campaign_in(folder: Path) -> Path:
    """A campaign file."""
    file = folder / "campaign.yaml"
    file.write_text(yaml.safe_dump(basis()))
    return file


def settings_at(home: Path, url: str) -> Settings:
    """A home, and an environment that leads to a provider."""
    return Settings.of(str(home), {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": KEY})


def prepared_at(tmp_path: Path, url: str) -> Prepared:
    """A prepared run at a provider."""
    return prepare(campaign_in(tmp_path), settings_at(tmp_path / "home", url), RUN_ID)


JSON = "application/json"
NO_LIST = '{"error": {"message": "no models here"}}'


@pytest.mark.parametrize(
    "way",
    [answering(status, JSON, NO_LIST) for status in ("404 No", "405 No", "429 No", "501 No", "503 No")],
    ids=["no list", "not allowed", "too often", "not made", "out of order"],
)
def test_a_provider_without_a_list_is_used_and_it_is_said(tmp_path: Path, way: Way) -> None:
    """The catalogue's dates count instead."""
    with way() as environ:
        note = ask_provider(prepared_at(tmp_path, environ["OPENAI_BASE_URL"])).note
    assert "no models here" in note
    assert note.endswith("; using the catalogue's shutdown dates.")


def test_a_provider_that_is_not_needed_may_be_away(tmp_path: Path) -> None:
    """A run with nothing left to buy is finished without it; one that buys is not begun."""
    with nobody_listens() as environ:
        prepared = prepared_at(tmp_path, environ["OPENAI_BASE_URL"])
        assert "cannot be reached" in ask_provider(prepared, is_needed=False).note
        with pytest.raises(ProviderAwayError, match="cannot be reached"):
            ask_provider(prepared)


def test_a_run_has_orders_left_until_all_were_sent(tmp_path: Path) -> None:
    """A new run has all of them; one of whose orders each was answered has none."""
    prepared = prepared_at(tmp_path, "http://127.0.0.1:1/v1")
    assert has_orders_left(prepared)
    prepared.home.mkdir()
    with open_ledger(prepared.home) as ledger:
        assert has_orders_left(prepared)  # another run's ledger
        ledger.runs.start(RUN_ID, campaign=prepared.campaign.name, provider="openai", now=NOON)
        ledger.orders.plan(prepared.plan.orders)
        assert has_orders_left(prepared)
        for order in prepared.plan.orders:
            ledger.orders.send(order, Limits(prepared.campaign.budget.per_run_usd), NOON)
        assert not has_orders_left(prepared)


class Night:
    """What a scheduled run says, and how long it waits, without waiting."""

    def __init__(self, file: Path, settings: Settings) -> None:
        self.said: list[str] = []
        self.waited_s: list[float] = []
        self._file = file
        self._settings = settings

    def prepare(self, back: threading.Event | None = None) -> Prepared:
        """Prepare a scheduled run; the provider is back after two waits if it is to be told so."""

        async def sleep(wait_s: float) -> None:
            self.waited_s.append(wait_s)
            if back is not None and len(self.waited_s) == 2:
                back.set()
                await asyncio.sleep(0.1)

        return asyncio.run(
            prepare_scheduled(self._file, self._settings, RUN_ID, self.said.append, sleep=sleep)
        )


@contextmanager
def absent_until(back: threading.Event) -> Iterator[str]:
    """Serve an empty list of models once an event is set; until then nobody listens at the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"data": []}).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False) as server:
        server.server_bind()

        def serve() -> None:
            back.wait()
            server.server_activate()
            server.serve_forever(0.01)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        back.set()
        server.shutdown()
        thread.join()


def test_a_scheduled_run_waits_for_a_provider_that_is_away_for_a_minute(tmp_path: Path) -> None:
    """It says so each time and until when, and goes on when the provider is back."""
    back = threading.Event()
    with absent_until(back) as url:
        night = Night(campaign_in(tmp_path), settings_at(tmp_path / "home", url))
        assert night.prepare(back).note == ""
    assert night.waited_s == [15, 30]
    assert "cannot be reached" in night.said[0]
    assert "Tried again in 15 s, until " in night.said[0]


def test_a_scheduled_run_gives_up_after_a_quarter_of_an_hour(tmp_path: Path) -> None:
    """The error is the one that a person would see."""
    with nobody_listens() as environ:
        settings = settings_at(tmp_path / "home", environ["OPENAI_BASE_URL"])
        night = Night(campaign_in(tmp_path), settings)
        with pytest.raises(ProviderAwayError, match="cannot be reached"):
            night.prepare()
    assert sum(night.waited_s) == sum(SCHEDULED_WAITS_S) == 900
    assert len(night.said) == len(SCHEDULED_WAITS_S)


def test_a_scheduled_run_does_not_wait_for_a_key_to_become_right(tmp_path: Path) -> None:
    """Time mends a network, and no key."""
    with emulator_server(EmulatorSettings(api_key="another")) as url:
        night = Night(campaign_in(tmp_path), settings_at(tmp_path / "home", url))
        with pytest.raises(ProviderError, match="rejects the key") as wrong:
            night.prepare()
    assert not isinstance(wrong.value, ProviderAwayError)
    assert night.waited_s == []
