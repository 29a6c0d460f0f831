"""Metrics for Prometheus, read from the ledger when they are asked for: the same wherever they are served.

The review page, ``runoff serve`` and ``runoff worker`` serve them. What only one process knows, such as its
pace, is in its log.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from threading import Lock
from typing import Any
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric

from tasks.errors import LedgerError, SettingError
from tasks.ledger import has_ledger, open_ledger
from tasks.ledger.figures import LATENCY_BOUNDS_S, Figures, read_figures
from tasks.ledger.monthly_limit import ledger_per_month_usd
from tasks.ledger.spending_limits import lower_of
from tasks.settings import Settings

BELIEVED_S = 10.0
"""How long figures are believed: several scrapers ask the ledger once."""


class LedgerCollector:
    """Collects the metrics of a home's ledger.

    Args:
        settings: The home and the environment.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._known: tuple[float, list[Metric]] | None = None

    def collect(self) -> Iterable[Metric]:
        """Read the ledger and yield its metrics; ``runoff_ledger_up`` is 0 where it does not answer."""
        with self._lock:
            if self._known is None or time.monotonic() - self._known[0] > BELIEVED_S:
                self._known = (time.monotonic(), list(self._read()))
            return self._known[1]

    def _read(self) -> Iterator[Metric]:
        home, environ, now = self._settings.home, self._settings.environ, datetime.now(UTC)
        figures = None
        try:
            limit_usd = ledger_per_month_usd(home, environ)
            if has_ledger(home, environ):
                with open_ledger(home, environ) as ledger:
                    figures = read_figures(ledger.database, now)
        except (LedgerError, SettingError):
            figures = None
        yield _gauge("ledger_up", "Whether the ledger answers.", {(): int(figures is not None)})
        if figures is not None:
            yield from _metrics(figures, lower_of(limit_usd, figures.limit_usd), now)


def registry_of(settings: Settings) -> CollectorRegistry:
    """Make the registry of a home's metrics.

    Args:
        settings: The home and the environment.
    """
    registry = CollectorRegistry()
    registry.register(LedgerCollector(settings))
    return registry


def serve_metrics(settings: Settings, host: str, port: int) -> WSGIServer:
    """Serve the metrics in a thread, for as long as the process lasts.

    Args:
        settings: The home and the environment.
        host: The address to listen on.
        port: The port; 0 for a free one.

    Raises:
        SettingError: The address cannot be listened on.
    """
    try:
        server, _ = start_http_server(port, host, registry_of(settings))
    except OSError as error:
        raise SettingError(
            where=f"--metrics {host}:{port}",
            what=f"metrics cannot be served there: {error.strerror or error}",
            next_step="Choose another port.",
        ) from error
    return server


def _metrics(figures: Figures, limit_usd: Decimal | None, now: datetime) -> Iterator[Metric]:
    yield _gauge("month_orders", "Requests of this calendar month.", figures.n_orders, ("provider", "state"))
    yield _gauge(
        "month_charged_usd", "What a campaign is charged this month, dollars.",
        {(name,): amount for name, amount in figures.charged_usd.items()}, ("campaign",),
    )  # fmt: skip
    yield _gauge("month_ledger_usd", "What all are charged this month, dollars.", {(): figures.ledger_usd})
    yield _gauge(
        "month_reserved_usd", "The part reserved for requests in flight, dollars.", {(): figures.reserved_usd}
    )
    yield _gauge(
        "unknown_usd", "Charged for requests that may not have been billed, dollars.",
        {(): figures.unknown_usd},
    )  # fmt: skip
    if limit_usd is not None:
        yield _gauge("month_limit_usd", "What all may be charged this month, dollars.", {(): limit_usd})
        left_usd = max(limit_usd - figures.ledger_usd, Decimal(0))
        yield _gauge("month_left_usd", "What is left of it, dollars.", {(): left_usd})
    yield _by_provider("queued_orders", "Requests of running runs still to be sent.", figures.n_queued)
    told = "Requests sent within the last minute."
    yield _by_provider("minute_sent_orders", told, figures.n_sent_lately)
    yield _gauge("runs", "Runs.", {(state,): n for state, n in figures.n_runs.items()}, ("state",))
    yield _gauge(
        "oldest_unknown_seconds", "Age of the oldest unknown request; 0 without one.",
        {(): _age_s(figures.oldest_unknown_at, now)},
    )  # fmt: skip
    yield _gauge(
        "oldest_awaiting_review_seconds", "Age of the oldest run that awaits review; 0 without one.",
        {(): _age_s(figures.oldest_awaiting_at, now)},
    )  # fmt: skip
    yield _latencies(figures)


def _gauge(
    name: str,
    told: str,
    values: Mapping[Any, Decimal | float],
    labels: tuple[str, ...] = (),
) -> Metric:
    metric = GaugeMetricFamily(f"runoff_{name}", told, labels=labels)
    for of, value in values.items():
        metric.add_metric(of, float(value))
    return metric


def _by_provider(name: str, told: str, counted: Mapping[str, int]) -> Metric:
    return _gauge(name, told, {(provider,): n for provider, n in counted.items()}, ("provider",))


def _latencies(figures: Figures) -> Metric:
    told = "How long a provider's answers of this month took, seconds."
    metric = HistogramMetricFamily("runoff_month_latency_seconds", told, labels=("provider",))
    for provider, found in figures.latencies.items():
        buckets = [(str(bound), float(n)) for bound, n in zip(LATENCY_BOUNDS_S, found.n_within, strict=True)]
        metric.add_metric((provider,), [*buckets, ("+Inf", float(found.n_answers))], found.total_s)
    return metric


def _age_s(moment: datetime | None, now: datetime) -> float:
    return 0.0 if moment is None else max((now - moment).total_seconds(), 0.0)
