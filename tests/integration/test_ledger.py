"""The ledger, on a real SQLite file and on a real PostgreSQL server."""

import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from tasks.candidate import Choice, Fidelity, Inspection, Score, Standing
from tasks.errors import BudgetError, LedgerError, RunError
from tasks.ledger import Ledger, Limits, Settlement, has_ledger
from tasks.ledger.runs import new_run_id
from tasks.ledger.schema import HEAD, metadata
from tasks.order import Order, Usage
from tests.support.builders import NOON, RUN_ID, a_receipt, an_order
from tests.support.ledgers import open_ledger

NO_LIMITS = Limits()
CENT = Decimal("0.01")


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    """A new ledger with one run."""
    opened = open_ledger(home)
    opened.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
    yield opened
    opened.close()


def test_planning_an_order_twice_keeps_one(ledger: Ledger) -> None:
    """An order that is known keeps its state."""
    order = an_order()
    ledger.orders.plan([order])
    ledger.orders.send(order, NO_LIMITS, NOON)
    ledger.orders.plan([order, an_order(replicate=1)])
    assert [record.state for record in ledger.orders.of_run(RUN_ID)] == ["sent", "planned"]


def test_two_who_plan_the_same_orders_never_wait_in_a_circle(home: Path, ledger: Ledger) -> None:
    """Each of two writers lists the same orders the other way round, as two machines on one run may."""
    orders = [an_order(replicate=k) for k in range(4000)]
    meet = threading.Barrier(2, timeout=60)

    def plan(listed: Sequence[Order]) -> None:
        with open_ledger(home) as own:
            meet.wait()
            own.orders.plan(listed)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(plan, (orders, orders[::-1])))
    assert len(ledger.orders.of_run(RUN_ID)) == len(orders)


def test_an_order_comes_back_as_it_was_planned(ledger: Ledger) -> None:
    """The ledger loses nothing of an order, so its identity stays."""
    order = an_order()
    ledger.orders.plan([order])
    assert ledger.orders.of_run(RUN_ID)[0].order == order


def test_an_order_is_sent_once(ledger: Ledger) -> None:
    """The second sender is told, and nothing more is reserved."""
    order = an_order()
    ledger.orders.plan([order])
    ledger.orders.send(order, NO_LIMITS, NOON)
    with pytest.raises(LedgerError, match="not planned"):
        ledger.orders.send(order, NO_LIMITS, NOON)
    assert ledger.orders.charged_usd(RUN_ID) == CENT
    assert ledger.verify() == []


@pytest.mark.parametrize("key", ["per_run_usd", "per_month_usd", "ledger_per_month_usd"])
def test_no_budget_is_passed(ledger: Ledger, key: str) -> None:
    """The order that would pass a limit is not sent; the one that just fits is."""
    fits, too_much = an_order(replicate=0), an_order(replicate=1)
    ledger.orders.plan([fits, too_much])
    limits = Limits(**{key: CENT})  # type: ignore[arg-type]
    ledger.orders.send(fits, limits, NOON)
    with pytest.raises(BudgetError, match=key):
        ledger.orders.send(too_much, limits, NOON)
    assert [record.state for record in ledger.orders.of_run(RUN_ID)] == ["sent", "planned"]
    assert ledger.verify() == []


@pytest.mark.parametrize("key", ["per_month_usd", "ledger_per_month_usd"])
def test_a_months_budget_begins_anew_with_the_month_of_utc_and_says_when(ledger: Ledger, key: str) -> None:
    """Where the new year began hours ago it is still the old month; a second later the limit is free."""
    fits, too_much = an_order(replicate=0), an_order(replicate=1)
    ledger.orders.plan([fits, too_much])
    limits = Limits(**{key: CENT})  # type: ignore[arg-type]
    last = datetime(2027, 1, 1, 13, 59, 59, tzinfo=timezone(timedelta(hours=14)))
    ledger.orders.send(fits, limits, last)
    with pytest.raises(BudgetError, match=r"in 2026-12, .* or wait until 2027-01-01 00:00 UTC, then: "):
        ledger.orders.send(too_much, limits, last)
    ledger.orders.send(too_much, limits, last + timedelta(seconds=1))
    assert [spent.name for spent in ledger.spending.by("month")] == ["2026-12", "2027-01"]
    assert ledger.verify() == []


def test_settling_below_the_estimate_frees_the_rest(ledger: Ledger) -> None:
    """What was reserved and not used can be spent."""
    orders = [an_order(replicate=k) for k in range(2)]
    ledger.orders.plan(orders)
    limits = Limits(per_run_usd=Decimal("0.014"))
    ledger.orders.send(orders[0], limits, NOON)
    received = Settlement("received", cost_usd=Decimal("0.004"), usage=Usage(13, 0, 272))
    ledger.orders.settle(orders[0].order_id, received, [a_receipt(orders[0])])
    ledger.orders.send(orders[1], limits, NOON)
    assert ledger.orders.charged_usd(RUN_ID) == Decimal("0.014")


@pytest.mark.parametrize(
    ("settlement", "charged"),
    [
        (Settlement("refused"), Decimal(0)),
        (Settlement("failed"), Decimal(0)),
        (Settlement("unknown"), CENT),
        (Settlement("received", cost_usd=Decimal("0.0022")), Decimal("0.0022")),
        (Settlement("received", cost_usd=None, is_charged=True), CENT),
    ],
)
def test_an_order_is_charged_by_how_it_ended(
    ledger: Ledger, settlement: Settlement, charged: Decimal
) -> None:
    """Known cost, else the estimate where a bill is possible, else nothing."""
    order = an_order()
    ledger.orders.plan([order])
    ledger.orders.send(order, NO_LIMITS, NOON)
    receipts = [a_receipt(order)] if settlement.state == "received" else []
    ledger.orders.settle(order.order_id, settlement, receipts)
    assert ledger.orders.charged_usd(RUN_ID) == charged
    assert ledger.verify() == []


def test_a_settled_order_stays_settled(ledger: Ledger) -> None:
    """No second settlement, no second set of pictures."""
    order = an_order()
    ledger.orders.plan([order])
    ledger.orders.send(order, NO_LIMITS, NOON)
    ledger.orders.settle(order.order_id, Settlement("received", cost_usd=CENT), [a_receipt(order)])
    with pytest.raises(LedgerError, match="not sent"):
        ledger.orders.settle(order.order_id, Settlement("received", cost_usd=CENT), [a_receipt(order)])
    assert len(ledger.candidates.of_run(RUN_ID)) == 1


def test_many_threads_never_pass_one_budget(home: Path, ledger: Ledger) -> None:
    """Ten threads with two connections race for a budget of seven orders: seven are sent."""
    orders = [an_order(replicate=k) for k in range(40)]
    ledger.orders.plan(orders)
    other = open_ledger(home)
    limits = Limits(per_run_usd=Decimal("0.07"))

    def send(k: int) -> bool:
        try:
            (ledger if k % 2 else other).orders.send(orders[k], limits, NOON)
        except BudgetError:
            return False
        return True

    with ThreadPoolExecutor(10) as threads:
        sent = sum(threads.map(send, range(40)))
    assert sent == 7
    assert ledger.verify() == []
    other.close()


def test_what_steps_find_out_is_kept_by_candidate(ledger: Ledger) -> None:
    """Inspection, standing, scores and choice come back with the candidate they were given for."""
    orders = [an_order(replicate=k) for k in range(3)]
    ledger.orders.plan(orders)
    for order in orders:
        ledger.orders.send(order, NO_LIMITS, NOON)
        ledger.orders.settle(order.order_id, Settlement("received", cost_usd=CENT), [a_receipt(order)])
    one, two, _ = (candidate.candidate_id for candidate in ledger.candidates.of_run(RUN_ID, "draft"))
    inspection = Inspection(
        width=1024,
        height=1024,
        format="png",
        has_c2pa=False,
        phash="a" * 16,
        dhash="b" * 16,
        colorhash="c" * 11,
        measurements={"sharpness": 0.4},
        thumbnail="t.webp",
    )
    ledger.candidates.record_inspections({two: inspection, one: Inspection(fault="no picture")})
    ledger.candidates.record_standings({two: Standing("survivor", two), one: Standing("unfit", None)})
    scores = {two: {"technical": Score(0.7, "sharp", {"sharpness": 0.4}, "1")}}
    ledger.candidates.record_scores(scores, {two: 0.7, one: None})
    ledger.candidates.record_choices({two: Choice(1, True, "chosen: rank 1", "rule")})
    assert [waiting[0] for waiting in ledger.candidates.uninspected(RUN_ID)] == [
        candidate.candidate_id for candidate in ledger.candidates.of_run(RUN_ID)[2:]
    ]
    first, second, third = ledger.candidates.of_run(RUN_ID, "draft")
    assert second.inspection == inspection
    assert second.scores == scores[two]
    assert (second.score, second.choice) == (0.7, Choice(1, True, "chosen: rank 1", "rule"))
    assert (first.inspection, first.score) == (Inspection(fault="no picture"), None)
    assert first.standing == Standing("unfit", None)
    assert (third.inspection, third.standing, third.score, third.choice) == (None, None, None, None)


def test_an_older_score_is_kept_but_no_longer_current(ledger: Ledger) -> None:
    """Rescoring with a new version adds, and only the new one counts."""
    order = an_order()
    ledger.orders.plan([order])
    ledger.orders.send(order, NO_LIMITS, NOON)
    ledger.orders.settle(order.order_id, Settlement("received", cost_usd=CENT), [a_receipt(order)])
    name = ledger.candidates.of_run(RUN_ID)[0].candidate_id
    for version, value in (("1", 0.2), ("2", 0.9), ("2", 0.8)):
        score = Score(value, "", {}, version)
        ledger.candidates.record_scores({name: {"technical": score}}, {name: value})
    assert ledger.candidates.of_run(RUN_ID)[0].scores["technical"].value == 0.8
    with ledger.database.read() as connection:
        count = connection.execute(sa.text("SELECT count(*) FROM scores")).scalar()
    assert count == 2


def test_what_differs_from_the_order_can_be_told_later(ledger: Ledger) -> None:
    """A second look replaces what the first one said, of that picture alone."""
    orders = [an_order(), an_order(replicate=1)]
    ledger.orders.plan(orders)
    for order in orders:
        ledger.orders.send(order, NO_LIMITS, NOON)
        ledger.orders.settle(order.order_id, Settlement("received", cost_usd=CENT), [a_receipt(order)])
    first, second = ledger.candidates.of_run(RUN_ID)
    ledger.candidates.mark_downgraded({first.candidate_id: "opaque"})
    after = [candidate.downgraded for candidate in ledger.candidates.of_run(RUN_ID)]
    assert after == ["opaque", second.downgraded]


def test_a_ledger_without_runs_says_how_to_begin(home: Path) -> None:
    """Before the first run there is nothing to find, and the way to one is told."""
    with (
        open_ledger(home) as empty,
        pytest.raises(RunError, match=r"no run has been made yet(.|\n)*runoff demo"),
    ):
        empty.runs.find("latest")


def test_a_home_has_a_ledger_once_one_was_opened(home: Path) -> None:
    """Whoever only looks can ask first, and makes none by asking."""
    named_by_address = "RUNOFF_LEDGER_URL" in os.environ
    assert has_ledger(home, os.environ) is named_by_address
    open_ledger(home).close()
    assert has_ledger(home, os.environ)


def test_a_run_is_found_by_a_unique_beginning(ledger: Ledger) -> None:
    """Ids, beginnings and `latest` find a run; an ambiguous or unknown name is told with what there is."""
    later = RUN_ID.replace("120000", "130000")
    ledger.runs.start(later, campaign="otters", provider="emulator", now=NOON.replace(hour=13))
    assert ledger.runs.find("latest").run_id == later
    assert ledger.runs.find(RUN_ID[:12]).run_id == RUN_ID
    with pytest.raises(RunError, match="begins 2 runs"):
        ledger.runs.find("2026")
    with pytest.raises(RunError, match=f"no run 'x'.*{later}"):
        ledger.runs.find("x")


def test_an_empty_name_is_no_beginning_of_a_run(ledger: Ledger) -> None:
    """Such as of a variable that a script has not set: it must not promote or cancel the only run."""
    with pytest.raises(RunError, match=f"no run ''.*{RUN_ID}"):
        ledger.runs.find("")


def _tamper(ledger: Ledger, *statements: str) -> None:
    with ledger.database.write() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def test_verify_finds_a_tampered_sum(ledger: Ledger) -> None:
    """A sum that does not add up, and a picture nobody paid for, are told."""
    order = an_order()
    ledger.orders.plan([order])
    ledger.orders.send(order, NO_LIMITS, NOON)
    _tamper(ledger, "UPDATE orders SET charged_nanousd = 5, state = 'received'")
    faults = " ".join(ledger.verify())
    assert f"budget run:{RUN_ID} holds 0.01" in faults
    assert "is received and has no picture" in faults
    assert "charged neither 0 nor its estimate" in faults


def test_the_migrations_make_the_schema(ledger: Ledger) -> None:
    """The tables that code speaks of are those that the migrations make."""
    with ledger.database.read() as connection:
        found = sa.MetaData()
        found.reflect(connection)
        assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() == HEAD
    for table in metadata.sorted_tables:
        reflected = found.tables[table.name]
        assert {c.name: c.nullable for c in reflected.c} == {c.name: c.nullable for c in table.c}
        assert {i.name for i in reflected.indexes} == {i.name for i in table.indexes}


def test_a_ledger_of_a_newer_runoff_is_left_alone(home: Path, ledger: Ledger) -> None:
    """An unknown version is refused, not downgraded."""
    _tamper(ledger, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LedgerError, match="written by a newer Runoff"):
        open_ledger(home)


def test_a_changed_request_is_another_order() -> None:
    """Whatever is sent is part of an order's identity; what it is thought to cost is not."""
    order = an_order()
    assert replace(order, prompt="a grown otter").order_id != order.order_id
    assert replace(order, replicate=1).order_id != order.order_id
    assert replace(order, attempt=1).order_id != order.order_id
    assert replace(order, run_id="another").order_id != order.order_id
    assert replace(order, estimate_usd=Decimal(1)).order_id == order.order_id


def test_how_a_final_compares_is_kept(ledger: Ledger) -> None:
    """Fidelity and acceptance come back; nothing to write writes nothing."""
    order = an_order(stage="final", draft_id="c-1")
    ledger.orders.plan([order])
    ledger.orders.send(order, NO_LIMITS, NOON)
    ledger.orders.settle(order.order_id, Settlement("received", cost_usd=CENT), [a_receipt(order)])
    name = a_receipt(order).candidate_id
    fidelity = Fidelity(0.9, 0.8, 3, 0.95)
    ledger.candidates.record_fidelity(name, fidelity)
    ledger.candidates.record_acceptance({name: (True, "best try")})
    ledger.candidates.record_scores({}, {})
    (final,) = ledger.candidates.of_run(RUN_ID, "final")
    assert (final.fidelity, final.is_accepted) == (fidelity, True)


def test_a_resumed_run_goes_on_and_adds_to_what_it_says(ledger: Ledger) -> None:
    """Starting a known run again keeps its beginning, each warning once, and takes back its end."""
    begun = ledger.runs.find(RUN_ID)
    ledger.runs.end(RUN_ID, "stopped", NOON)
    assert (ledger.runs.find(RUN_ID).state, ledger.runs.find(RUN_ID).finished_at) == ("stopped", NOON)
    for _ in range(2):
        ledger.runs.start(RUN_ID, campaign="x", provider="x", now=NOON.replace(hour=23), warnings=["late"])
    assert ledger.runs.find(RUN_ID) == replace(begun, warnings=("late",))
    assert new_run_id(NOON).startswith("20261122-120000-")


def test_orders_are_counted_by_stage_and_state(ledger: Ledger) -> None:
    """One query tells how far a run is."""
    orders = [an_order(), an_order(replicate=1), an_order(stage="final", draft_id="c-1")]
    ledger.orders.plan(orders)
    ledger.orders.send(orders[0], NO_LIMITS, NOON)
    expected = {("draft", "sent"): 1, ("draft", "planned"): 1, ("final", "planned"): 1}
    assert ledger.orders.counts(RUN_ID) == expected


def test_a_time_without_a_zone_is_refused(ledger: Ledger) -> None:
    """Nobody could tell which month it is charged to; nothing is sent."""
    order = an_order()
    ledger.orders.plan([order])
    with pytest.raises(LedgerError, match="no time zone"):
        ledger.orders.send(order, NO_LIMITS, NOON.replace(tzinfo=None))
    assert ledger.orders.charged_usd(RUN_ID) == 0


def test_verify_finds_pictures_that_are_gone_or_changed(ledger: Ledger, tmp_path: Path) -> None:
    """Each picture of the ledger is read again and held against its digest."""
    orders = [an_order(replicate=k) for k in range(3)]
    ledger.orders.plan(orders)
    folder = tmp_path / "otters" / RUN_ID / "drafts"
    folder.mkdir(parents=True)
    for k, order in enumerate(orders):
        ledger.orders.send(order, NO_LIMITS, NOON)
        receipt = replace(a_receipt(order), sha256=hashlib.sha256(b"whole").hexdigest())
        ledger.orders.settle(order.order_id, Settlement("received", cost_usd=CENT), [receipt])
        if k < 2:
            (tmp_path / "otters" / RUN_ID / receipt.file).write_bytes([b"whole", b"half"][k])
    changed, gone = sorted(ledger.verify(tmp_path), key=lambda fault: "gone" in fault)
    assert "A-000-001.png is not what was bought" in changed
    assert "A-000-002.png is missing" in gone


def test_words_no_column_holds_are_fitted(ledger: Ledger) -> None:
    """A provider's NUL or endless code never keeps an order from being settled."""
    order = an_order()
    ledger.orders.plan([order])
    ledger.orders.send(order, NO_LIMITS, NOON)
    settlement = Settlement("failed", error_code="x" * 99, error_message="a\0b")
    ledger.orders.settle(order.order_id, settlement)
    (record,) = ledger.orders.of_run(RUN_ID)
    assert record.settlement is not None
    assert (record.settlement.error_code, record.settlement.error_message) == ("x" * 64, "ab")
