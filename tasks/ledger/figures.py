"""The ledger in figures, for those who watch it: requests, money, runs, and what waits for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import sqlalchemy as sa

from tasks.ledger.database import Database
from tasks.ledger.schema import budgets, orders, runs
from tasks.ledger.spending_limits import limit_now
from tasks.money import from_nanousd

LATELY_S = 60.0
LATENCY_BOUNDS_S = (1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 60.0, 120.0, 300.0, 600.0)
_OF_RUNNING_RUN = orders.c.run_id.in_(sa.select(runs.c.run_id).where(runs.c.state == "running"))


@dataclass(frozen=True, slots=True)
class Latencies:
    """How long one provider's answers took this month.

    Args:
        n_within: How many took at most each of ``LATENCY_BOUNDS_S``.
        n_answers: How many there are.
        total_s: How long they took together, seconds.
    """

    n_within: Sequence[int]
    n_answers: int
    total_s: float


@dataclass(frozen=True)
class Figures:
    """A ledger in figures; those of requests and money are of this calendar month (UTC).

    Args:
        n_orders: How many requests, by provider and state.
        charged_usd: What each campaign is charged, dollars.
        ledger_usd: What all are charged, dollars.
        reserved_usd: The part of it that is reserved for requests in flight, dollars.
        unknown_usd: The part of it that may not have been billed, dollars, of any month.
        limit_usd: What all may be charged, dollars; ``None`` for no limit in the ledger.
        n_runs: How many runs, by state.
        oldest_unknown_at: When the oldest unknown request was sent; ``None`` without one.
        oldest_awaiting_at: Since when the oldest run awaits review; ``None`` without one.
        latencies: By provider.
        n_queued: How many requests of running runs are still to be sent, by provider.
        n_sent_lately: How many were sent within the last ``LATELY_S``, by provider.
    """

    n_orders: Mapping[tuple[str, str], int]
    charged_usd: Mapping[str, Decimal]
    ledger_usd: Decimal
    reserved_usd: Decimal
    unknown_usd: Decimal
    limit_usd: Decimal | None
    n_runs: Mapping[str, int]
    oldest_unknown_at: datetime | None
    oldest_awaiting_at: datetime | None
    latencies: Mapping[str, Latencies]
    n_queued: Mapping[str, int]
    n_sent_lately: Mapping[str, int]


def read_figures(database: Database, now: datetime) -> Figures:
    """Read a ledger in figures.

    Args:
        database: The ledger's database.
        now: Aware time; its UTC month counts.
    """
    month = f"{now.astimezone(UTC):%Y-%m}"
    of_month = orders.c.month == month
    charged = sa.func.coalesce(sa.func.sum(orders.c.charged_nanousd), 0)
    with database.read() as connection:
        counted = sa.select(orders.c.provider, orders.c.state, sa.func.count(), charged).where(of_month)
        by_state = connection.execute(counted.group_by(orders.c.provider, orders.c.state)).all()
        unknown = sa.select(charged, sa.func.min(orders.c.sent_at)).where(orders.c.state == "unknown")
        unknown_nanousd, unknown_at = connection.execute(unknown).one()
        sums = sa.select(budgets).where(budgets.c.scope.like(f"month:%:{month}"))
        by_scope = {row.scope.split(":")[1]: row.charged_nanousd for row in connection.execute(sums)}
        states = connection.execute(sa.select(runs.c.state, sa.func.count()).group_by(runs.c.state)).all()
        awaiting = sa.select(sa.func.min(runs.c.finished_at)).where(runs.c.state == "awaiting review")
        return Figures(
            n_orders={(provider, state): count for provider, state, count, _ in by_state},
            ledger_usd=from_nanousd(int(by_scope.pop("*", 0))),
            charged_usd={name: from_nanousd(int(amount)) for name, amount in sorted(by_scope.items())},
            reserved_usd=from_nanousd(sum(int(row[3]) for row in by_state if row[1] == "sent")),
            unknown_usd=from_nanousd(int(unknown_nanousd)),
            limit_usd=limit_now(connection),
            n_runs={row[0]: int(row[1]) for row in states},
            oldest_unknown_at=unknown_at,
            oldest_awaiting_at=connection.execute(awaiting).scalar(),
            latencies=_latencies(connection, of_month),
            n_queued=_count(connection, orders.c.state == "planned", _OF_RUNNING_RUN),
            n_sent_lately=_count(connection, orders.c.sent_at >= now - timedelta(seconds=LATELY_S)),
        )


def _count(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> dict[str, int]:
    """Count requests by provider."""
    query = sa.select(orders.c.provider, sa.func.count()).where(*where).group_by(orders.c.provider)
    return {name: int(n) for name, n in connection.execute(query)}


def _latencies(connection: sa.Connection, of_month: sa.ColumnElement[bool]) -> dict[str, Latencies]:
    took = orders.c.latency_s
    within = [sa.func.sum(sa.case((took <= bound_s, 1), else_=0)) for bound_s in LATENCY_BOUNDS_S]
    query = sa.select(orders.c.provider, sa.func.count(), sa.func.sum(took), *within)
    rows = connection.execute(query.where(of_month, took.is_not(None)).group_by(orders.c.provider))
    return {name: Latencies([int(n) for n in counts], n, float(total)) for name, n, total, *counts in rows}
