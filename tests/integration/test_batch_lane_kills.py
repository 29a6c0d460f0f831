"""A process killed at any instant of a batch: the next one goes on, and nothing is bought twice."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.images_api.recover_sent import recover_sent
from tests.support.batch_killed import INSTANTS
from tests.support.batch_shop import BatchShop, open_batch_shop, orders
from tests.support.builders import RUN_ID
from tests.support.child_process import LIMIT_S

COLLECTING = ("picture kept, not settled", "one picture settled", "all settled, not noted")
IN_DOUBT = "noted as asked, not asked"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[BatchShop]:
    """A shop."""
    with open_batch_shop(tmp_path) as shop:
        yield shop


def killed(bench: BatchShop, instant: str) -> None:
    """Sit in another process until it is killed, then heal what it left."""
    shop = bench.shop
    words = [shop.url, str(shop.folder), instant, str(bench.clock())]
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.batch_killed", *words], check=False, timeout=LIMIT_S
    )
    assert done.returncode == -signal.SIGKILL
    recover_sent(shop.ledger, RUN_ID, shop.folder, shop.terms)


@pytest.mark.parametrize(
    "instant",
    [pytest.param(name, marks=pytest.mark.slow) for name in INSTANTS if name not in (*COLLECTING, IN_DOUBT)],
)
def test_a_kill_while_handing_over_makes_one_batch_and_no_second(bench: BatchShop, instant: str) -> None:
    """Every order is bought once, by one batch, whatever was written down before the kill."""
    killed(bench, instant)
    assert bench.states() == ["sent"] * 3
    bench.sit()
    bench.later()
    bench.sit()
    assert bench.states() == ["received"] * 3
    assert len(bench.created()) == 1
    assert bench.is_right()


@pytest.mark.slow  # every day: a kill while handing over, above
def test_a_kill_right_before_asking_leaves_orders_that_nobody_can_tell_of(bench: BatchShop) -> None:
    """From the ledger alone the batch may exist: it is looked for, not asked for again."""
    killed(bench, IN_DOUBT)
    bench.sit()
    assert bench.states() == ["sent"] * 3
    bench.later()
    bench.sit()
    assert bench.states() == ["unknown"] * 3
    assert bench.created() == []
    assert bench.shop.ledger.verify() == []


@pytest.mark.slow  # every day: a kill while handing over, above
@pytest.mark.parametrize("instant", COLLECTING)
def test_a_kill_while_collecting_loses_and_repeats_nothing(bench: BatchShop, instant: str) -> None:
    """Each picture is kept and settled once; each costs what the bill says."""
    bench.sit(*orders(3))
    bench.later()
    killed(bench, instant)
    bench.sit()
    assert bench.states() == ["received"] * 3
    assert len(bench.created()) == 1
    assert bench.is_right()


@pytest.mark.slow  # every day: a kill while collecting, above
def test_a_picture_damaged_after_a_kill_is_fetched_again(bench: BatchShop) -> None:
    """Kept but not settled, and not what came: the provider still has it."""
    bench.sit(*orders(3))
    bench.later()
    shop, words = bench.shop, "picture kept, not settled"
    command = [sys.executable, "-m", "tests.support.batch_killed", shop.url, str(shop.folder), words]
    subprocess.run([*command, str(bench.clock())], check=False, timeout=LIMIT_S)
    (picture,) = (shop.folder / "drafts").iterdir()
    picture.write_bytes(b"damaged")
    assert recover_sent(shop.ledger, RUN_ID, shop.folder, shop.terms) == {"received": 0, "unknown": 0}
    bench.sit()
    assert bench.states() == ["received"] * 3
    assert shop.ledger.verify(None) == []
    assert bench.is_right()
