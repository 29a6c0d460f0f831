"""The buyer under stress: closed while orders wait, no money, no disk, no reference, limits that count."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest

from tasks.attachments.references import read_reference
from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import Provider
from tasks.errors import InterruptError, LedgerError, PictureError, SettingError, StopRunError
from tasks.images_api import disk_space
from tasks.images_api.buyer import Buyer
from tasks.images_api.client import connect
from tasks.images_api.disk_space import require_room
from tasks.images_api.rate_limiter.limiter import MemoryWindow, RateLimiter
from tasks.images_api.recover_sent import recover_sent
from tasks.images_api.terms import Terms
from tasks.ledger import Limits
from tasks.order import OrderState
from tests.support.builders import RUN_ID, an_order
from tests.support.shop import FLARE, Opener, RecordingLimiter, Shop, order_of

ENOUGH_S = 100.0
"""Less than the shortest wait that a closed buyer ends, seconds, and more than a busy machine takes."""
CONCURRENCY = 4
"""Of the shop."""


def states(shop: Shop) -> list[OrderState]:
    """List the states of all orders."""
    return [record.state for record in shop.records()]


def closed_after(shop: Shop, n_requests: int) -> Callable[[Buyer], Awaitable[None]]:
    """Interrupt a run once so many requests have arrived; what waits longer than a test may take fails."""

    async def close(buyer: Buyer) -> None:
        while (await asyncio.to_thread(shop.bill))["total"]["requests"] < n_requests:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)  # the others have come to their wait
        buyer.close(InterruptError(where="run", what="was interrupted"))

    return close


def test_a_closed_buyer_ends_at_once_what_waits_for_the_rate_limit(open_shop: Opener) -> None:
    """The pace would let the next picture go in a minute; nobody sits that out."""
    shop = open_shop()
    orders = [order_of(replicate=k) for k in range(6)]
    shop.buy(*orders, rate_limiter=RateLimiter(2), meanwhile=closed_after(shop, 2))
    assert sorted(states(shop)) == ["planned"] * 4 + ["received"] * 2


def test_a_program_that_gives_up_keeps_what_was_in_flight(open_shop: Opener) -> None:
    """By a timeout or ``cancel()``, even again and again: what is paid for comes in, and no more is sent."""
    shop = open_shop({"kind": "slow_body", "duration_s": 0.5})

    async def give_up(buyer: Buyer) -> None:
        while buyer.n_in_flight < CONCURRENCY:
            await asyncio.sleep(0.01)
        buying = [task for task in asyncio.all_tasks() if "Buyer.buy" in repr(task.get_coro())]
        assert len(buying) == CONCURRENCY + 3
        for _ in range(3):
            for task in buying:
                task.cancel()
            await asyncio.sleep(0.02)

    with pytest.raises(asyncio.CancelledError):
        shop.buy(*(order_of(replicate=k) for k in range(CONCURRENCY + 3)), meanwhile=give_up)
    assert sorted(states(shop)) == ["planned"] * 3 + ["received"] * CONCURRENCY
    assert shop.bill()["total"]["requests"] == CONCURRENCY


def test_a_closed_buyer_ends_at_once_what_the_provider_asked_to_wait(open_shop: Opener) -> None:
    """`Retry-After: 200` holds the whole run, and an interruption ends the hold."""
    shop = open_shop({"kind": "rate_limited", "retry_after": 200})
    limiter, began_s = RateLimiter(None), time.monotonic()
    shop.buy(order_of(), order_of(replicate=1), rate_limiter=limiter, meanwhile=closed_after(shop, 1))
    assert time.monotonic() - began_s < ENOUGH_S
    assert states(shop) == ["planned", "planned"]
    assert shop.bill()["total"]["requests"] <= 2


def test_a_closed_buyer_leaves_a_failed_order_planned_while_it_has_tries_left(open_shop: Opener) -> None:
    """It waits five seconds after a 500; closed meanwhile, it may be sent again by a resumed run."""
    shop = open_shop({"kind": "server_error", "status": 500})

    async def impatient(buyer: Buyer) -> None:
        buyer._sleep = asyncio.sleep
        await closed_after(shop, 1)(buyer)

    shop.buy(order_of(), meanwhile=impatient)
    assert states(shop) == ["planned"]
    assert shop.ledger.orders.charged_usd(RUN_ID) == 0


def test_a_closed_buyer_ends_what_waits_for_money_and_awaits_what_is_in_flight(
    open_shop: Opener,
) -> None:
    """One order fits the budget; the other waits for what it leaves, until the run is stopped."""
    shop = open_shop(pace=0.15)
    limits = Limits(per_run_usd=order_of().estimate_usd)
    shop.buy(order_of(), order_of(replicate=1), limits=limits, meanwhile=closed_after(shop, 1))
    assert sorted(states(shop)) == ["planned", "received"]


def test_an_order_that_waits_for_money_goes_when_another_costs_less_than_its_estimate(
    open_shop: Opener,
) -> None:
    """Reservations are high ends of estimates; what they leave is spent before the run ends."""
    shop = open_shop(pace=0.02)
    limits = Limits(per_run_usd=order_of().estimate_usd * 2)
    buyer = shop.buy(*(order_of(replicate=k) for k in range(3)), limits=limits)
    assert buyer.closed_by is None
    assert states(shop) == ["received"] * 3


def test_a_reference_that_changed_is_not_sent(open_shop: Opener, tmp_path: Path) -> None:
    """The order names its bytes; others would be another order. A missing one is told as well."""
    shop = open_shop()
    shop.buy(order_of())
    copy = tmp_path / "copy.png"
    shutil.copy(tmp_path / shop.ledger.candidates.of_run(RUN_ID)[0].file, copy)
    edit = an_order(
        endpoint="edits", stage="final", provider="shop", parameters=FLARE,
        references=(read_reference(str(copy)),), mask=read_reference(str(copy)),
    )  # fmt: skip
    copy.write_bytes(copy.read_bytes() + b"more")
    with pytest.raises(PictureError, match=r"copy\.png: the reference was changed.*not sent"):
        shop.buy(edit)
    copy.unlink()
    with pytest.raises(PictureError, match=r"copy\.png: the reference cannot be read.*not sent"):
        shop.buy(edit)
    assert shop.bill()["total"]["requests"] == 1
    assert states(shop) == ["received", "planned"]


def test_two_processes_that_want_one_order_buy_it_once(open_shop: Opener) -> None:
    """The ledger moves it for one of them; the other is told and stops."""
    shop = open_shop()
    shop.buy(order_of())
    with pytest.raises(LedgerError, match="is not planned"):
        shop.buy(order_of())
    assert shop.bill()["total"]["requests"] == 1


def test_a_bug_closes_the_buyer_and_keeps_its_traceback(
    open_shop: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever breaks, nothing further is bought."""
    shop = open_shop()

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("tasks.images_api.reading.read_answer", broken)
    closed: list[Buyer] = []

    async def note(buyer: Buyer) -> None:
        closed.append(buyer)

    shop.buy(*(order_of(replicate=k) for k in range(12)), meanwhile=note)
    assert "ZeroDivisionError" in str(closed[0].closed_by)
    assert closed[0].closed_by is not None
    assert isinstance(closed[0].closed_by.__cause__, ZeroDivisionError)
    n_sent = shop.bill()["total"]["requests"]
    assert n_sent <= 4
    assert len(list((shop.folder / "answers").glob("*.body"))) == n_sent


def test_a_second_ctrl_c_leaves_what_is_under_way_as_sent_and_healing_makes_it_unknown(
    open_shop: Opener,
) -> None:
    """As where an event loop ends, which cancels every task: charged at its estimate, never sent again."""
    shop = open_shop(pace=1.0)

    async def leave() -> None:
        async with connect(shop.terms) as client:
            buyer = Buyer(
                client=client, terms=shop.terms, ledger=shop.ledger, folder=shop.folder,
                limits=Limits(), rate_limiter=RateLimiter(None),
            )  # fmt: skip
            buying = asyncio.ensure_future(buyer.buy(order_of()))
            while shop.bill()["total"]["charged_requests"] < 1:
                await asyncio.sleep(0.02)
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
            await asyncio.gather(buying, return_exceptions=True)

    shop.ledger.orders.plan([order_of()])
    asyncio.run(leave())
    assert states(shop) == ["sent"]
    assert recover_sent(shop.ledger, RUN_ID, shop.folder, shop.terms) == {"received": 0, "unknown": 1}
    record = shop.record()
    assert (record.settlement.error_code, record.charged_usd) == ("interrupted", record.order.estimate_usd)


def test_a_provider_that_never_takes_more_stops_the_run(open_shop: Opener) -> None:
    """After half an hour of waiting for one order the run ends with the way out, and can go on later."""
    shop = open_shop({"kind": "rate_limited", "retry_after": 700})
    buyer = shop.buy(order_of())
    assert shop.waits_s == [700.5, 700.5]
    assert isinstance(buyer.closed_by, StopRunError)
    assert "lower images_per_minute" in str(buyer.closed_by)
    assert states(shop) == ["planned"]


def test_a_wait_of_hours_is_not_waited_for_but_told(open_shop: Opener) -> None:
    """As of an account whose allowance of the day is used up; it says when to come back."""
    shop = open_shop({"kind": "rate_limited", "retry_after": 9000})
    buyer = shop.buy(order_of())
    assert shop.waits_s == []
    assert "It asks for a wait of 2.5 hours. Wait, or" in str(buyer.closed_by)


def test_a_limit_that_really_counts_fails_no_order(open_shop: Opener) -> None:
    """Asked for twenty times too fast, the run is refused, slows down, and buys everything."""
    shop = open_shop(images_per_minute=6, minute_s=1.0)
    shop.buy(*(order_of(replicate=k) for k in range(24)), rate_limiter=RateLimiter(120, MemoryWindow(1.0)))
    assert states(shop) == ["received"] * 24
    total = shop.bill()["total"]
    assert total["charged_requests"] == 24
    assert total["requests"] > 24
    assert shop.ledger.orders.charged_usd(RUN_ID) == Decimal(total["charged_usd"])


def test_slow_down_keeps_the_rate_low_for_a_quarter_of_an_hour(open_shop: Opener) -> None:
    """The vendor asks for it by name."""
    shop = open_shop({"kind": "slow_down", "times": 1})
    slowed: list[float] = []

    class Slowing(RecordingLimiter):
        """Notes for how long it is to stay slow."""

        async def slow_down(self, ordered_at_s: float, wait_s: float, for_s: float = 0.0) -> None:
            """Note it."""
            await super().slow_down(ordered_at_s, wait_s, for_s)
            slowed.append(for_s)

    shop.buy(order_of(), rate_limiter=Slowing(shop.waits_s))
    assert (slowed, shop.waits_s, states(shop)) == ([900.0], [10.0], ["received"])


def test_no_room_on_the_disk_stops_the_run_before_it_buys(
    open_shop: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be kept is not bought."""
    shop = open_shop()
    with monkeypatch.context() as patch:
        patch.setattr(disk_space, "SPARE_BYTES", 10**18)
        buyer = shop.buy(order_of(), order_of(replicate=1))
    assert isinstance(buyer.closed_by, StopRunError)
    assert "MB left on its disk" in str(buyer.closed_by)
    assert shop.bill()["total"]["requests"] == 0
    assert states(shop) == ["planned", "planned"]
    shop.buy(*(record.order for record in shop.records()))
    assert states(shop) == ["received", "received"]


def test_a_folder_that_went_away_stops_the_run_before_it_buys(open_shop: Opener, tmp_path: Path) -> None:
    """Removed in the middle, say by a clean-up."""
    shop = open_shop()
    shop.folder = tmp_path / "gone"
    buyer = shop.buy(order_of())
    assert "is missing or cannot be reached" in str(buyer.closed_by)
    assert shop.bill()["total"]["requests"] == 0


def test_a_folder_that_goes_away_while_a_picture_is_made_is_not_made_anew(
    open_shop: Opener, tmp_path: Path
) -> None:
    """The picture is told as lost with its order, and no further one is bought into an empty folder."""
    shop = open_shop(pace=0.05)
    shop.folder = tmp_path / "run"
    shop.folder.mkdir()

    async def remove(_: Buyer) -> None:
        while shop.bill()["total"]["charged_requests"] < 1:
            await asyncio.sleep(0.01)
        shop.folder.rmdir()

    with pytest.raises(SettingError, match=r"the run's folder is missing.*arrived, was billed"):
        shop.buy(*(order_of(replicate=k) for k in range(8)), meanwhile=remove)
    assert shop.bill()["total"]["requests"] <= 4
    assert set(states(shop)) == {"unknown", "planned"}
    assert not shop.folder.exists()


def test_a_folder_that_cannot_be_written_stops_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked of the system, since root may write everywhere but on what is mounted to be read."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(StopRunError, match=r"cannot be written.*not sent"):
        require_room(tmp_path, order_of(size="auto"), 0)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 58 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=58m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_disk_that_fills_up_loses_one_picture_at_most_and_says_which(
    open_shop: Opener, small_disk: Path
) -> None:
    """Another program takes the last bytes while the picture is made; later there is room, and it goes on."""
    shop = open_shop(pace=0.05)
    shop.folder = small_disk
    hog = small_disk / "hog"

    async def fill(_: Buyer) -> None:
        while shop.bill()["total"]["charged_requests"] < 1:
            await asyncio.sleep(0.01)
        with contextlib.suppress(OSError), hog.open("wb", buffering=0) as stream:
            while True:
                stream.write(bytes(4096))

    order = order_of()
    with pytest.raises(SettingError, match=f"No space left.*order {order.order_id} arrived, was billed"):
        shop.buy(order, meanwhile=fill)
    assert (shop.record().state, shop.record().settlement.error_code) == ("unknown", "not_kept")
    assert shop.record().charged_usd == Decimal(shop.bill()["total"]["charged_usd"])
    buyer = shop.buy(order_of(replicate=1))
    assert "MB left on its disk" in str(buyer.closed_by)
    hog.unlink()
    shop.buy(order_of(replicate=1))
    assert sorted(states(shop)) == ["received", "unknown"]
    assert shop.ledger.verify() == []


def test_a_disk_that_can_only_be_read_stops_the_run_before_it_buys(
    open_shop: Opener, small_disk: Path
) -> None:
    """As after a fault of the file system; given back, the run goes on."""
    shop = open_shop()
    shop.folder = small_disk
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    buyer = shop.buy(order_of())
    assert "cannot be written" in str(buyer.closed_by)
    assert shop.bill()["total"]["requests"] == 0
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    shop.buy(order_of())
    assert states(shop) == ["received"]


def test_a_provider_inside_the_process_has_an_address_that_nobody_can_reach() -> None:
    """Should the transport ever be forgotten, nothing leaves the machine."""
    terms = Terms(Provider(name="emulator", base_url=None), load_catalogue(), {})
    client = connect(terms, httpx2.MockTransport(lambda _: httpx2.Response(200)))
    assert client.base_url.host == "emulator.invalid"
    assert client.max_retries == 0
