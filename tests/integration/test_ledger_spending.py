"""Where the money went, by whatever people ask for, and the month's budget of the whole ledger."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tasks.errors import SettingError
from tasks.ledger import Ledger, Limits, Settlement
from tasks.ledger.monthly_limit import LIMIT_VARIABLE, LIMITS_FILE, ledger_per_month_usd
from tasks.ledger.spending import GROUPS, Group, Spent
from tests.support.builders import NOON, RUN_ID, a_receipt, an_order
from tests.support.ledgers import open_ledger
from tests.support.shell import Shell

CENT, COST = Decimal("0.01"), Decimal("0.000000001")
NEXT_MONTH = NOON + timedelta(days=9)


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    """A ledger with a received, an unknown, a refused and a planned order, in two months."""
    opened = open_ledger(home)
    opened.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
    orders = [an_order(k, arm="A" if k < 2 else "B") for k in range(4)]
    opened.orders.plan(orders)
    for order, now in zip(orders, (NOON, NEXT_MONTH, NEXT_MONTH), strict=False):
        opened.orders.send(order, Limits(), now)
    received = Settlement("received", cost_usd=COST)
    opened.orders.settle(orders[0].order_id, received, [a_receipt(orders[0])])
    opened.orders.settle(orders[1].order_id, Settlement("unknown"))
    opened.orders.settle(orders[2].order_id, Settlement("refused"))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("run", [Spent(RUN_ID, 3, CENT + COST, CENT)]),
        ("campaign", [Spent("otters", 3, CENT + COST, CENT)]),
        ("model", [Spent("gpt-image-1-mini", 3, CENT + COST, CENT)]),
        ("arm", [Spent("A", 2, CENT + COST, CENT), Spent("B", 1, Decimal(0), Decimal(0))]),
        ("month", [Spent("2026-11", 1, COST, Decimal(0)), Spent("2026-12", 2, CENT, CENT)]),
        ("day", [Spent("2026-11-22", 1, COST, Decimal(0)), Spent("2026-12-01", 2, CENT, CENT)]),
    ],
)
def test_money_is_summed_by_group(ledger: Ledger, group: Group, expected: list[Spent]) -> None:
    """Sent orders count, exact to the nano-dollar; what is only estimated is told apart."""
    assert group in GROUPS
    assert ledger.spending.by(group) == expected


def test_a_month_has_what_was_sent_in_it(ledger: Ledger) -> None:
    """An order weighs on the month of its sending."""
    assert ledger.spending.month(NOON).ledger_usd == COST
    december = ledger.spending.month(NEXT_MONTH)
    assert (december.month, december.ledger_usd) == ("2026-12", CENT)
    assert december.campaigns_usd == {"otters": CENT}
    assert ledger.spending.month(NOON + timedelta(days=99)).campaigns_usd == {}


def test_a_plan_tells_what_is_left_of_this_month(tmp_path: Path) -> None:
    """Of the campaign's month and of all campaigns'; all of it before anything was bought; else not known."""
    shell = Shell(tmp_path / "home", {LIMIT_VARIABLE: "9", "RUNOFF_HOME": str(tmp_path / "home")})
    file = shell.campaign({"provider": "emulator", "budget": {"per_run_usd": 3, "per_month_usd": 5}})

    def left() -> tuple[str, str | None, str | None]:
        facts = shell.json("plan", file)
        said = " ".join(shell.runoff("plan", file).stdout.split())
        (line,) = re.findall(r"budget (\$.*for all campaigns \(.*?\))", said)
        return line, facts["left_of_month_usd"], facts["left_of_ledger_month_usd"]

    told = "$3.00 per run, ${} per month (${} left), ${} per month for all campaigns (${} left)"
    assert left() == (told.format("5.00", "5.00", "9.00", "9.00"), "5", "9")
    shell.home.mkdir()
    with shell.ledger() as opened:
        opened.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
        opened.orders.plan([an_order(estimate_usd=Decimal(2))])
        opened.orders.send(an_order(estimate_usd=Decimal(2)), Limits(), datetime.now(UTC))
    assert left() == (told.format("5.00", "3.00", "9.00", "7.00"), "3", "7")
    (shell.home / "ledger.db").write_bytes(b"not a ledger")
    line, own, of_all = left()
    assert (line.count("what is left of it is not known"), own, of_all) == (2, None, None)


def test_the_ledgers_limit_comes_from_the_environment_or_the_home(tmp_path: Path) -> None:
    """No limit unless one is set; the environment comes first; nothing is rounded."""
    assert ledger_per_month_usd(tmp_path, {}) is None
    (tmp_path / LIMITS_FILE).write_text("per_month_usd: 200.10\n")
    assert ledger_per_month_usd(tmp_path, {}) == Decimal("200.10")
    assert ledger_per_month_usd(tmp_path, {LIMIT_VARIABLE: "0"}) == 0


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("per_month_usd: plenty", "'plenty' is not dollars"),
        ("per_month_usd: -1", "'-1' is not dollars"),
        ("per_month_usd: [1]", "is not dollars"),
        ("per_month: 200", "holds .*per_month"),
        ("200", "holds '200'"),
        ("a: [", "cannot be read"),
    ],
)
def test_a_limit_that_is_none_is_refused(tmp_path: Path, text: str, what: str) -> None:
    """A wrong limit is never no limit."""
    (tmp_path / LIMITS_FILE).write_text(text)
    with pytest.raises(SettingError, match=what) as caught:
        ledger_per_month_usd(tmp_path, {})
    assert LIMITS_FILE in str(caught.value)
    with pytest.raises(SettingError, match=f"{LIMIT_VARIABLE}: 'inf'"):
        ledger_per_month_usd(tmp_path, {LIMIT_VARIABLE: "inf"})
