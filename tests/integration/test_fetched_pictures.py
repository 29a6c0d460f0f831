"""Pictures that an answer has only the address of: fetched safely, never bought twice, never lost."""

import base64
import gzip
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from threading import Event
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.runs.rereading import reread_answers
from tasks.errors import LedgerError
from tasks.images_api.fetching import NotFetchedError, PictureFetcher, is_private
from tasks.images_api.picture_files import body_file
from tasks.images_api.recover_sent import recover_sent
from tasks.images_api.reread import Reread, kept_orders, reread
from tasks.ledger import OrderRecord
from tasks.settings import Settings
from tests.support.builders import NOON, RUN_ID
from tests.support.emulator_client import png
from tests.support.fuzzing import fuzz
from tests.support.relay import Relay, relay
from tests.support.shop import KEY, Shop, order_of

PICTURE, SECOND = png((1024, 640)), png((1024, 640), "L")
MOST_BYTES = 5_000_000
PUBLIC = "93.184.216.34"


@pytest.fixture(scope="module")
def _served() -> Iterator[Relay]:
    with relay() as served:
        yield served


@pytest.fixture
def seller(_served: Relay) -> Relay:
    """A relay on this machine that nobody has asked yet."""
    _served.files.clear()
    _served.fetched.clear()
    _served.bought = 0
    return _served


@pytest.fixture
def shop(seller: Relay, tmp_path: Path) -> Iterator[Shop]:
    """A buyer from that relay."""
    opened = Shop(seller.url, tmp_path)
    yield opened
    opened.ledger.close()


def fetcher(base_url: str | None, names: Mapping[str, str] | None = None) -> PictureFetcher:
    """Make a fetcher that looks names up in a table, and never sleeps."""

    def resolve(host: str, _: int) -> list[str]:
        return [(names or {}).get(host, host)]

    return PictureFetcher(base_url, {}, resolve, sleep=lambda _: None)


def refused(address: str, base_url: str | None, names: Mapping[str, str] | None = None) -> str:
    """Return why an address is not fetched."""
    with pytest.raises(NotFetchedError) as caught:
        fetcher(base_url, names).fetch(address, MOST_BYTES)
    return str(caught.value)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://cdn.test/1.png", "only https"),
        ("file:///etc/passwd", "only https"),
        ("ftp://cdn.test/1.png", "only https"),
        ("https:///1.png", "only https"),
        ("https://me:secret@cdn.test/1.png", "password"),
        ("https://127.0.0.1/1.png", "private network"),
        ("https://[::1]/1.png", "private network"),
        ("https://[::ffff:127.0.0.1]/1.png", "private network"),
        ("https://[64:ff9b::7f00:1]/1.png", "private network"),
        ("https://169.254.169.254/latest/meta-data/", "private network"),
        ("https://[fe80::1]/1.png", "private network"),
        ("https://10.0.0.8/1.png", "private network"),
        ("https://0.0.0.0/1.png", "private network"),
        ("https://metadata.internal/1.png", "private network"),
        ("https://\ud800.test/1.png", "not a URL"),
    ],
)
def test_an_address_that_is_no_pictures_is_not_fetched(address: str, reason: str) -> None:
    """Files, passwords, this machine, the network inside, a cloud's metadata, whatever their names."""
    assert reason in refused(address, "https://api.test/v1", {"metadata.internal": "169.254.169.254"})


@fuzz(examples=50)
@given(st.ip_addresses().filter(lambda one: not one.is_global))
def test_no_address_that_is_not_public_passes(number: Any) -> None:
    """Of either version; nor one wrapped into the other."""
    assert is_private(str(number))
    if number.version == 4:
        assert is_private(f"::ffff:{number}")


def test_a_public_address_passes() -> None:
    """As such, and wrapped."""
    assert not is_private(PUBLIC)
    assert not is_private(f"::ffff:{PUBLIC}")
    assert not is_private("2606:2800:220:1:248:1893:25c8:1946")


@pytest.mark.parametrize("address", ["2002:7f00:1::", "2002:a9fe:a9fe::", "64:ff9b::a9fe:a9fe"])
def test_a_private_address_that_another_carries_does_not_pass(address: str) -> None:
    """By 6to4, or by NAT64."""
    assert is_private(address)


def test_the_address_that_was_checked_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that means this machine the second time leads nowhere: it is looked up once."""
    meanings, hosts = [PUBLIC, "127.0.0.1"], []

    def send(url: httpx2.URL, headers: Mapping[str, str], *_: object) -> httpx2.Response:
        hosts.append((url.host, headers["Host"]))
        return httpx2.Response(200, content=PICTURE)

    monkeypatch.setattr("tasks.images_api.fetching._send", send)
    careful = PictureFetcher("http://own.test/v1", {}, lambda *_: [meanings.pop(0)])
    assert careful.fetch("https://cdn.test/1.png", MOST_BYTES) == PICTURE
    assert hosts == [(PUBLIC, "cdn.test")]
    with pytest.raises(NotFetchedError, match="private network"):
        careful.fetch("https://cdn.test/1.png", MOST_BYTES)


def test_no_key_goes_along(seller: Relay, shop: Shop) -> None:
    """Not even to the provider's own files; nor cookies."""
    seller.answer = (200, {"data": [{"url": seller.file("/1.png", PICTURE, set_cookie="a=b")}]})
    shop.buy(order_of(), order_of(1))
    assert {record.state for record in shop.records()} == {"received"}
    for _, headers in seller.fetched:
        assert set(headers) <= {"host", "accept", "accept-encoding", "user-agent", "connection"}
        assert KEY not in str(headers)


def test_a_redirect_is_followed_where_it_may_lead(seller: Relay) -> None:
    """Within the provider; each step is checked like the first, and there are few."""
    there = seller.file("/1.png", PICTURE)
    moved = seller.file("/moved", b"", 302, location="/1.png")
    assert fetcher(seller.url).fetch(moved, MOST_BYTES) == PICTURE
    inside = seller.file("/inside", b"", 302, location="http://169.254.169.254/")
    assert "only https" in refused(inside, seller.url)
    elsewhere = seller.file("/elsewhere", b"", 302, location=f"https://localhost:1/{there}")
    assert "private network" in refused(elsewhere, seller.url, {"localhost": "127.0.0.1"})
    circle = seller.file("/circle", b"", 302, location="/circle")
    assert "more than 3 times" in refused(circle, seller.url)


def test_another_port_of_the_providers_machine_is_another_place(seller: Relay) -> None:
    """A local gateway may pass on addresses that somebody else wrote."""
    assert "only https" in refused("http://127.0.0.1:6379/", seller.url)


def test_a_file_that_is_too_large_is_cut(seller: Relay) -> None:
    """Packed small as well."""
    large = seller.file("/large", PICTURE + bytes(200_000))
    packed = seller.file("/packed", gzip.compress(PICTURE + bytes(20_000_000)), content_encoding="gzip")
    for address in (large, packed):
        with pytest.raises(NotFetchedError, match="more than 100,000 bytes"):
            fetcher(seller.url).fetch(address, 100_000)


@pytest.mark.parametrize(
    ("data", "headers"),
    [
        (b"<html>expired</html>", {"content_type": "image/png"}),
        (b'{"error": "x"}', {}),
        (b"", {}),
        (KEY.encode(), {}),
    ],
)
def test_what_is_no_picture_is_not_taken(seller: Relay, data: bytes, headers: dict[str, str]) -> None:
    """By its bytes, whatever its type."""
    assert "not a picture" in refused(seller.file("/1.png", data, 200, **headers), seller.url)


def test_a_file_that_is_not_there_yet_is_asked_for_again(seller: Relay) -> None:
    """Fetching is not buying."""
    seller.files["/1.png"] = [(503, {}, b""), (404, {}, b""), (200, {}, PICTURE)]
    assert fetcher(seller.url).fetch(f"{seller.host}/1.png", MOST_BYTES) == PICTURE


def reread_all(shop: Shop, *, takes_part: bool = False) -> list[Reread]:
    """Read the kept answers of the run again."""
    records = kept_orders(shop.ledger, RUN_ID, shop.folder)
    return list(reread(shop.ledger, records, shop.folder, lambda _: shop.terms, takes_part=takes_part))


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.images_api.fetching._RETRY_WAITS_S", (0.0, 0.0))


def test_a_picture_that_could_not_be_fetched_is_fetched_later_and_bought_once(
    seller: Relay, shop: Shop
) -> None:
    """Its address is kept with the order, which stays charged meanwhile."""
    usage = {"input_tokens": 10, "output_tokens": 196}
    seller.answer = (200, {"data": [{"url": f"{seller.host}/1.png?sig=sk-abcdefghij"}], "usage": usage})
    shop.buy(order_of())
    record = shop.record()
    assert (record.state, record.settlement.error_code) == ("unknown", "address_only")
    assert "runoff ledger reread" in record.settlement.error_message
    assert reread_all(shop)[0].reason.startswith("Its picture could not be fetched")
    seller.file("/1.png?sig=sk-abcdefghij", PICTURE)
    (found,) = reread_all(shop)
    assert (found.n_pictures, found.reason) == (1, "")
    record = shop.record()
    assert (record.state, record.cost_usd) == ("received", found.charged_usd)
    (candidate,) = shop.ledger.candidates.of_run(RUN_ID)
    assert (shop.folder / candidate.file).read_bytes() == PICTURE
    assert seller.bought == 1
    assert shop.ledger.verify() == []
    assert reread_all(shop) == []


def test_a_process_killed_while_it_fetched_loses_nothing(
    seller: Relay, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is on the disk before the first byte is asked for; the resumed run reads it."""
    seller.answer = (200, {"data": [{"url": seller.file("/1.png", PICTURE)}]})

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(PictureFetcher, "fetch", killed)
        with pytest.raises(KeyboardInterrupt):
            shop.buy(order_of())
    assert shop.record().state == "sent"
    assert recover_sent(shop.ledger, RUN_ID, shop.folder, shop.terms) == {"received": 0, "unknown": 1}
    assert [one.n_pictures for one in reread_all(shop)] == [1]
    assert (shop.record().state, seller.bought) == ("received", 1)


def test_pictures_of_one_request_that_came_are_kept_while_others_are_awaited(
    seller: Relay, shop: Shop
) -> None:
    """And count without them, once somebody says that those are gone."""
    first = seller.file("/1.png", PICTURE)
    seller.answer = (200, {"data": [{"url": first}, {"url": f"{seller.host}/2.png"}]})
    shop.buy(order_of(n=2))
    assert shop.record().state == "unknown"
    seller.files.clear()  # the first is gone by now, too
    assert reread_all(shop)[0].n_pictures == 0
    assert [one.n_pictures for one in reread_all(shop, takes_part=True)] == [1]
    (candidate,) = shop.ledger.candidates.of_run(RUN_ID)
    assert (candidate.downgraded, (shop.folder / candidate.file).read_bytes()) == ("1 of 2 pictures", PICTURE)


def test_an_answer_in_a_new_shape_is_read_after_an_update(
    seller: Relay, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is kept as it came."""
    seller.answer = (200, {"art": [{"piece": {"b64_json": base64.b64encode(PICTURE).decode()}}]})
    shop.buy(order_of())
    assert (shop.record().state, shop.record().settlement.error_code) == ("unknown", "unreadable")
    assert reread_all(shop)[0].n_pictures == 0
    monkeypatch.setattr("tasks.images_api.found_pictures._LISTS", ("art", "piece"))
    assert reread_all(shop)[0].n_pictures == 1
    assert shop.record().charged_usd == shop.record().order.estimate_usd
    assert shop.ledger.verify() == []


def test_an_order_that_was_bought_again_is_left_alone(seller: Relay, shop: Shop) -> None:
    """Its place has another picture by now, or soon."""
    seller.answer = (200, {"data": [{"url": f"{seller.host}/1.png"}]})
    shop.buy(order_of())
    shop.ledger.reconciliations.record([shop.record().order.order_id], "resend", by="me", now=NOON)
    seller.file("/1.png", PICTURE)
    assert reread_all(shop) == []


def test_an_order_without_a_kept_answer_is_told(shop: Shop) -> None:
    """Nothing is changed."""
    with pytest.raises(LedgerError, match="o-none: is not unknown"):
        reread_answers(Settings.of(shop.folder, {}), shop.ledger, ["o-none"])


def test_an_answer_that_names_more_than_was_ordered_waits_no_longer(
    seller: Relay, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty addresses at which nothing comes would hold up the picture that is there for half an hour."""
    left_s: list[float] = []

    def fetch(_: PictureFetcher, address: str, __: int, within_s: float) -> bytes:
        left_s.append(within_s)
        if address.endswith("/0.png"):
            return PICTURE
        now_s[0] += 61.0
        reason = "it is silent"
        raise NotFetchedError(reason)

    now_s = [0.0]
    monkeypatch.setattr(PictureFetcher, "fetch", fetch)
    monkeypatch.setattr("tasks.images_api.reading.time.monotonic", lambda: now_s[0])
    seller.answer = (200, {"data": [{"url": f"{seller.host}/{n}.png"} for n in range(30)]})
    shop.buy(order_of())
    assert shop.record().state == "received"
    assert max(left_s) <= 120
    assert all(one <= 0 for one in left_s[3:])


def test_nothing_is_fetched_once_its_time_is_over(seller: Relay) -> None:
    """Nobody is asked."""
    with pytest.raises(NotFetchedError, match="was over"):
        fetcher(seller.url).fetch(seller.file("/1.png", PICTURE), MOST_BYTES, 0.0)
    assert seller.fetched == []


def test_a_kept_answer_that_became_anything_is_told_and_left_as_it_is(seller: Relay, shop: Shop) -> None:
    """Junk, too much of it, or a folder; reading it again does not write it again."""
    seller.answer = (200, {"data": [{"url": f"{seller.host}/1.png"}]})
    shop.buy(order_of())
    file = shop.folder / body_file(shop.record().order)
    file.write_bytes(b"\xff\xfe junk")
    assert "not JSON" in reread_all(shop)[0].reason
    assert file.read_bytes() == b"\xff\xfe junk"
    with file.open("wb") as large:
        large.truncate(10**9)
    assert "1,000,000,000 bytes, more than any answer" in reread_all(shop)[0].reason
    assert shop.record().state == "unknown"


def test_what_was_read_again_is_told_while_others_are_awaited(
    seller: Relay, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fetch may take minutes; whoever stops meanwhile does not wait for it."""
    seller.answer = (200, {"art": 1})
    shop.buy(order_of(), order_of(1))
    records = kept_orders(shop.ledger, RUN_ID, shop.folder)
    slow, released = records[0].order.order_id, Event()

    def read(_: Path, __: object, record: OrderRecord, **___: bool) -> str:
        if record.order.order_id == slow:
            released.wait(20)
        return "nothing yet"

    monkeypatch.setattr("tasks.images_api.reread._read", read)
    found = reread(shop.ledger, records, shop.folder, lambda _: shop.terms)
    assert next(found).order_id != slow
    assert isinstance(found, Generator)
    found.close()
    assert not released.is_set()
    released.set()


def test_a_number_in_an_old_form_is_no_name_to_a_proxy() -> None:
    """A proxy would take it for this machine."""
    behind = PictureFetcher("https://own.test/v1", {"https_proxy": "http://proxy.test:3128"})
    for host in ("127.1", "0x7f.0.0.1", "2130706433"):
        with pytest.raises(NotFetchedError, match="private network"):
            behind.fetch(f"https://{host}/1.png", MOST_BYTES)
    assert is_private("224.0.0.1")
