"""Orders moved at the same time share a transaction, and each fares as if it had had one of its own."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.crash_points import watching
from tasks.errors import BudgetError, LedgerError, RunError, RunoffError
from tasks.ledger import Ledger, Limits, Settlement
from tasks.ledger.group_commit import MOST_TOGETHER
from tasks.money import from_nanousd, to_nanousd
from tasks.order import Order
from tests.support.builders import NOON, RUN_ID, a_receipt, an_order
from tests.support.fuzzing import fuzz_factor
from tests.support.ledgers import open_ledger
from tests.support.moves import LIMIT_S, NO_LIMITS, Moves, planned, together

CENT = Decimal("0.01")


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    """A ledger with a run."""
    with open_ledger(home) as opened:
        opened.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
        yield opened


def transactions(ledger: Ledger) -> list[str]:
    """List the transactions of a ledger as they are committed from now on."""
    committed: list[str] = []
    sa.event.listen(ledger.database.engine, "commit", lambda _: committed.append("commit"))
    return committed


def test_orders_sent_at_the_same_time_share_a_transaction_and_are_charged_each(ledger: Ledger) -> None:
    """So do those that are settled, with their pictures."""
    orders = planned(ledger, 20)
    committed = transactions(ledger)
    begin_send, begin_settle = ledger.orders.begin_send, ledger.orders.begin_settle
    sent = together(ledger, lambda: [begin_send(one, NO_LIMITS, NOON) for one in orders])
    assert sent == [None] * 20
    assert ledger.orders.charged_usd(RUN_ID) == 20 * CENT
    end = Settlement("received", cost_usd=CENT / 2)
    settled = together(ledger, lambda: [begin_settle(one.order_id, end, [a_receipt(one)]) for one in orders])
    assert settled == [None] * 20
    assert len(committed) == 2 + 2 + 1, "two others that were waited for, two shared ones, and one read"
    assert ledger.orders.charged_usd(RUN_ID) == 10 * CENT
    assert len(ledger.candidates.of_run(RUN_ID)) == 20
    assert ledger.verify() == []


LIMIT_USD = Decimal("0.0353")


@pytest.mark.parametrize(
    "limits",
    [
        Limits(per_run_usd=LIMIT_USD),
        Limits(per_month_usd=LIMIT_USD),
        Limits(ledger_per_month_usd=LIMIT_USD),
    ],
    ids=["run", "campaign", "ledger"],
)
def test_those_that_fit_into_a_budget_are_sent_and_others_are_refused(ledger: Ledger, limits: Limits) -> None:
    """Those asked for first come first, and a cheaper one after a refused one may still fit."""
    dear, cheap = planned(ledger, 4), planned(ledger, 2, row=1, estimate_usd=CENT / 4)
    wanted = [*dear, *cheap]
    ends = together(ledger, lambda: [ledger.orders.begin_send(one, limits, NOON) for one in wanted])
    assert [type(end) for end in ends] == [type(None)] * 3 + [BudgetError] + [type(None)] * 2
    assert "0.03 dollars are spent or reserved of 0.0353" in str(ends[3])
    assert ledger.orders.charged_usd(RUN_ID) == Decimal("0.035")
    assert ledger.verify() == []


def test_a_draft_counts_for_the_limit_of_its_arm_at_once(ledger: Ledger) -> None:
    """Of three of an arm two fit; another arm has no limit; money that a settlement frees counts too."""
    of_a, of_b = planned(ledger, 3), planned(ledger, 3, arm="B")
    limits = Limits(per_arm_usd={"A": Decimal("0.02")})
    begin = ledger.orders.begin_send
    ends = together(ledger, lambda: [begin(one, limits, NOON) for one in [*of_a, *of_b]])
    assert [type(end) for end in ends] == [type(None)] * 2 + [BudgetError] + [type(None)] * 3
    ends = together(
        ledger,
        lambda: [
            ledger.orders.begin_settle(of_a[0].order_id, Settlement("refused")),
            begin(of_a[2], limits, NOON),
        ],
    )
    assert ends == [None, None]
    assert ledger.verify() == []


def test_what_is_wrong_with_one_order_is_its_own(ledger: Ledger) -> None:
    """A state it is not in, a time without a zone, a picture that is stored already: the others go on."""
    orders = planned(ledger, 6)
    for order in orders[:3]:
        ledger.orders.send(order, NO_LIMITS, NOON)
    ledger.orders.settle(orders[0].order_id, Settlement("received", cost_usd=CENT), [a_receipt(orders[0])])
    end = Settlement("received", cost_usd=CENT)
    begin_settle, begin_send = ledger.orders.begin_settle, ledger.orders.begin_send
    ends = together(
        ledger,
        lambda: [
            begin_settle(orders[0].order_id, end, [a_receipt(orders[0])]),
            begin_settle(orders[1].order_id, end, [a_receipt(orders[0])]),
            begin_settle(orders[2].order_id, end, [a_receipt(orders[2])]),
            begin_send(orders[3], NO_LIMITS, NOON.replace(tzinfo=None)),
            begin_send(orders[4], NO_LIMITS, NOON),
            begin_send(an_order(99), NO_LIMITS, NOON),
        ],
    )
    assert [isinstance(end, LedgerError) for end in ends] == [True, True, False, True, False, True]
    assert "is not sent" in str(ends[0])
    assert "no time zone" in str(ends[3])
    assert "is not planned" in str(ends[5])
    states = [record.state for record in ledger.orders.of_run(RUN_ID)]
    assert states == ["received", "sent", "received", "planned", "sent", "planned"]
    assert ledger.verify() == []


def test_orders_of_a_run_that_was_lost_are_refused_and_those_of_another_run_go_on(ledger: Ledger) -> None:
    """A process may work on two runs, and lose its hold of one."""
    lost, own = planned(ledger, 2), [an_order(k, run_id="20261122-130000-test") for k in range(2)]
    ledger.runs.start(own[0].run_id, campaign="otters", provider="emulator", now=NOON)
    ledger.orders.plan(own)
    ledger.database.holds[RUN_ID] = "a token that another process has replaced"
    wanted = [lost[0], own[0], lost[1], own[1]]
    ends = together(ledger, lambda: [ledger.orders.begin_send(one, NO_LIMITS, NOON) for one in wanted])
    assert [type(end) for end in ends] == [RunError, type(None)] * 2
    assert ledger.orders.charged_usd(RUN_ID) == 0
    assert ledger.orders.charged_usd(own[0].run_id) == 2 * CENT


def test_more_orders_than_share_a_transaction_take_several(ledger: Ledger) -> None:
    """None of them is forgotten, and the others are not kept waiting for ever."""
    orders = planned(ledger, 2 * MOST_TOGETHER + 1)
    committed = transactions(ledger)
    begin = ledger.orders.begin_send
    assert not any(together(ledger, lambda: [begin(one, NO_LIMITS, NOON) for one in orders]))
    assert len(committed) == 1 + 3
    assert ledger.orders.counts(RUN_ID) == {("draft", "sent"): len(orders)}


def test_answers_that_come_together_are_kept_by_their_questions(ledger: Ledger) -> None:
    """Each with its own, though they are written in one statement."""
    asked = [an_order(k, stage="judge", endpoint="chat", prompt=f"What is in picture {k}?") for k in range(3)]
    ledger.orders.plan(asked)
    for order in asked:
        ledger.orders.send(order, NO_LIMITS, NOON)
    end, begin = Settlement("received", cost_usd=CENT), ledger.orders.begin_settle
    moves = [partial(begin, one.order_id, end, (), f"no {k}\0") for k, one in enumerate(asked)]
    assert together(ledger, lambda: [move() for move in reversed(moves)]) == [None] * 3
    expected = {order.question: f"no {k}" for k, order in enumerate(asked)}
    assert ledger.answers.find([order.question for order in asked]) == expected


def test_two_moves_of_one_order_are_made_one_after_the_other(ledger: Ledger) -> None:
    """Of two that would send it one does; a settlement asked for before the send has ended follows it."""
    order, other = planned(ledger, 2)
    begin = ledger.orders.begin_send
    ends = together(
        ledger,
        lambda: [
            begin(order, NO_LIMITS, NOON),
            begin(order, NO_LIMITS, NOON),
            ledger.orders.begin_settle(order.order_id, Settlement("refused")),
            begin(other, NO_LIMITS, NOON),
        ],
    )
    assert [type(end) for end in ends] == [type(None), LedgerError, type(None), type(None)]
    assert ledger.orders.counts(RUN_ID) == {("draft", "refused"): 1, ("draft", "sent"): 1}
    assert ledger.verify() == []


def test_nobody_hears_of_a_move_before_its_commit(ledger: Ledger) -> None:
    """Whoever is told that an order is reserved may send it: by then it has outlived a power cut."""
    orders = planned(ledger, 3)
    moves: Moves = []
    done_by_then: list[bool] = []

    def look(moment: str, _: tuple[Path, ...]) -> None:
        if moment == "before commit" and len(moves) == 3:
            done_by_then.extend(move.done() for move in moves)

    with watching(look):
        with ledger.database.write():
            moves += [ledger.orders.begin_send(one, NO_LIMITS, NOON) for one in orders]
        wait(moves, LIMIT_S)
    assert done_by_then[-3:] == [False] * 3
    assert all(move.done() for move in moves)


def test_a_send_that_nobody_waits_for_any_more_is_dropped_and_a_settlement_is_not(ledger: Ledger) -> None:
    """Cancelled while it waits its turn, an order stays planned; what was paid for is recorded."""
    unsent, sent = planned(ledger, 2)
    ledger.orders.send(sent, NO_LIMITS, NOON)

    async def give_up() -> None:
        with ledger.database.write():
            moves = [
                asyncio.wrap_future(ledger.orders.begin_send(unsent, NO_LIMITS, NOON)),
                asyncio.wrap_future(ledger.orders.begin_settle(sent.order_id, Settlement("refused"))),
            ]
            for move in moves:
                move.cancel()
            await asyncio.gather(*moves, return_exceptions=True)

    asyncio.run(give_up())
    ledger.orders.close()
    assert ledger.orders.counts(RUN_ID) == {("draft", "planned"): 1, ("draft", "refused"): 1}


# --- together is as one after the other ---------------------------------------------------------------------

ESTIMATES = st.integers(0, 12_000_000)
KINDS = st.sampled_from(["send", "unsend", "refused", "unknown", "received"])
CASES = st.lists(st.tuples(st.booleans(), ESTIMATES, KINDS, st.sampled_from("AB")), min_size=1, max_size=8)
LIMITS = Limits(Decimal("0.04"), Decimal("0.035"), Decimal("0.03"), {"A": Decimal("0.02")})


@pytest.mark.fuzz
@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_moves_made_together_end_as_if_made_one_after_the_other(home: Path) -> None:
    """Whatever moves of orders in whatever state: the same are refused, and the same is charged."""
    with open_ledger(home) as ledger:
        years = count(2000)

        @settings(
            max_examples=25 * fuzz_factor(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
        )
        @given(CASES)
        def compare(cases: list[tuple[bool, int, str, str]]) -> None:
            alone, shared = (_Case(ledger, next(years), cases) for _ in range(2))
            ends = [move().exception(LIMIT_S) for move in alone.moves]
            assert _kinds(ends) == _kinds(together(ledger, lambda: [move() for move in shared.moves]))
            assert alone.state() == shared.state()

        compare()
        assert ledger.verify() == []


def _kinds(ends: list[BaseException | None]) -> list[tuple[type, str]]:
    return [(type(end), end.what if isinstance(end, RunoffError) else "") for end in ends]


class _Case:
    """Orders of a run in a year of their own, some of them sent, and a move for each."""

    def __init__(self, ledger: Ledger, year: int, cases: list[tuple[bool, int, str, str]]) -> None:
        self._ledger, self._now = ledger, datetime(year, 1, 1, tzinfo=UTC)
        self._run_id = f"run-{year}"
        ledger.runs.start(self._run_id, campaign="otters", provider="emulator", now=self._now)
        orders = [
            an_order(k, run_id=self._run_id, arm=arm, estimate_usd=from_nanousd(nano))
            for k, (_, nano, _, arm) in enumerate(cases)
        ]
        ledger.orders.plan(orders)
        for order, (is_sent, *_) in zip(orders, cases, strict=True):
            if is_sent:
                ledger.orders.send(order, NO_LIMITS, self._now)
        self.moves = [self._move(order, kind) for order, (_, _, kind, _) in zip(orders, cases, strict=True)]

    def _move(self, order: Order, kind: str) -> Callable[[], "Future[None]"]:
        if kind == "send":
            return lambda: self._ledger.orders.begin_send(order, LIMITS, self._now)
        if kind == "unsend":
            return lambda: self._ledger.orders.begin_unsend(order.order_id, "busy", "wait")
        end = Settlement(kind, cost_usd=order.estimate_usd / 2 if kind == "received" else None)  # type: ignore[arg-type]
        pictures = [a_receipt(order)] if kind == "received" else []
        return lambda: self._ledger.orders.begin_settle(order.order_id, end, pictures)

    def state(self) -> list[tuple[str, str, int, int]]:
        """What the ledger has of the orders, and of the month."""
        spent = self._ledger.spending.month(self._now)
        return [
            *(
                (one.order.arm, one.state, to_nanousd(one.charged_usd), one.n_sends)
                for one in self._ledger.orders.of_run(self._run_id)
            ),
            ("", "", to_nanousd(spent.ledger_usd), len(self._ledger.candidates.of_run(self._run_id))),
        ]
