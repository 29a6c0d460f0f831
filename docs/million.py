"""The arithmetic of a million pictures a day: tables from measured figures and current prices.

What one machine can do was measured; the figures are in ``benchmarks/scale.yaml``. Prices come from the
catalogue, rate limits of accounts from the provider's page. The only other figures are assumptions, and the
tables name them.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from flows.commands.plan_tables import format_range
from tasks.catalogue import Catalogue
from tasks.catalogue.prices import Lane

FIGURES = Path(__file__).parents[1] / "benchmarks" / "scale.yaml"
A_DAY = 1_000_000
DAY_S = 86_400
ORDERS_PER_TASK = 50
TASKS_PER_BATCH = 2
"""One task run to buy a batch and one to inspect it."""
RUN_PICTURES = 10_000
ANSWER_S = 15
"""Assumed: the vendor publishes no latency."""
MOST_IMAGES_PER_MINUTE = 250
"""Highest account tier: https://developers.openai.com/api/docs/guides/rate-limits (2026-11-22)."""
PRICED: Mapping[str, str] = {"model": "gpt-image-2.5-flare", "quality": "low", "size": "1024x1024"}
PROMPT = "A lighthouse on a rocky coast at sunset, seen from the sea, watercolour on rough paper"
LANES: Mapping[Lane, str] = {"interactive": "interactive", "batch": "Batch lane"}
LEDGERS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
REPORTS = ("report.html", "report.csv", "report.parquet", "contact_sheet.png")

Row = tuple[str, str, str]


def measured() -> Mapping[str, Any]:
    """Read what was measured."""
    figures: Mapping[str, Any] = yaml.safe_load(FIGURES.read_text(encoding="utf-8"))
    return figures


def measurements() -> Iterator[str]:
    """Write the measured figures as a table."""
    figures = measured()
    yield f"Measured on {_when(figures)}; the ledgers on {_when(figures['ledger'])}."
    yield ""
    yield "| what | figure |"
    yield "|---|---|"
    for runner, rate in figures["runner_orders_per_s"].items():
        yield f"| one run, {runner} | {rate} requests per second |"
    for ledger, name in LEDGERS.items():
        rates = figures["ledger"][ledger]["orders_per_s"]
        rates_text = ", ".join(f"{rate} with {n} process{'es' if n > 1 else ''}" for n, rate in rates.items())
        yield f"| {name}, requests through their whole life cycle | {rates_text} per second |"
    cpu_ms = 1000 * figures["run"]["cpu_s_per_order"]
    yield f"| one run, all steps and the report | {cpu_ms:.0f} ms of CPU time per request |"
    inspected = figures["inspected_per_cpu_s"]
    yield f"| inspecting pictures of 1024 px, 1.7 MB | {inspected} per second of CPU time |"
    for ledger, name in LEDGERS.items():
        weight = figures["ledger"][ledger]["bytes_per_order"]
        yield f"| storage, ledger on {name} | {weight / 1e3:.1f} kB per request |"
    for kind, weight in figures["bytes_per_picture"].items():
        if weight > 0 and kind != "ledger (SQLite)":
            name = kind.removeprefix("the ")
            yield f"| storage, {name} | {weight / 1e3:.1f} kB per picture |"


def _when(figures: Mapping[str, Any]) -> str:
    before, after = figures["load_before_and_after"]
    where = f"{figures['machine']}, load average {before} before and {after} after"
    return f"{figures['measured_on']} ({where})"


def arithmetic(catalogue: Catalogue) -> Iterator[str]:
    """Calculate what a million pictures a day require."""
    figures = measured()
    yield "| what | calculation | result |"
    yield "|---|---|---|"
    for what, how, comes_to in (*_demand(), *_money(catalogue), *_machines(figures), *_storage(figures)):
        yield f"| {what} | {how} | {comes_to} |"


def _demand() -> Iterator[Row]:
    per_s = A_DAY / DAY_S
    accounts = math.ceil(per_s * 60 / MOST_IMAGES_PER_MINUTE)
    yield "rate", f"{A_DAY:,} ÷ {DAY_S:,} s", f"{per_s:.1f} requests per second, {per_s * 60:.0f} per minute"
    yield (
        "rate limit",
        f"÷ {MOST_IMAGES_PER_MINUTE} pictures per minute, an account of the highest tier",
        f"**{accounts} such accounts**, or the Batch lane",
    )
    yield "in flight at once", f"× {ANSWER_S} s per answer (assumed)", f"{per_s * ANSWER_S:.0f} requests"


def _money(catalogue: Catalogue) -> Iterator[Row]:
    for lane, how in LANES.items():
        estimate = catalogue.model(str(PRICED["model"])).estimate_usd(PRICED, PROMPT, lane=lane)
        yield (
            f"money, {how}",
            f"× {format_range(estimate.low_usd, estimate.high_usd)} per draft "
            f"(`{PRICED['model']}`, {PRICED['quality']}, {PRICED['size']})",
            f"**${estimate.low_usd * A_DAY:,.0f}–{estimate.high_usd * A_DAY:,.0f} per day**",
        )


def _machines(figures: Mapping[str, Any]) -> Iterator[Row]:
    cpu_s = figures["run"]["cpu_s_per_order"]
    cores = A_DAY * cpu_s / DAY_S
    yield (
        "CPU",
        f"× {1000 * cpu_s:.0f} ms per request",
        f"**{cores:.1f} cores** busy all day; plan twice as many, to catch up after a slow hour",
    )
    yield (
        "runs",
        f"÷ {RUN_PICTURES:,} pictures each",
        f"{A_DAY // RUN_PICTURES} per day, one every {DAY_S * RUN_PICTURES / A_DAY / 60:.0f} minutes",
    )
    for ledger, name in LEDGERS.items():
        most = max(figures["ledger"][ledger]["orders_per_s"].values())
        yield (
            f"ledger, {name}",
            f"{A_DAY / DAY_S:.1f} of {most} requests per second measured",
            f"{A_DAY / DAY_S / most:.1%} of its capacity",
        )
    tasks = TASKS_PER_BATCH * A_DAY // ORDERS_PER_TASK
    yield (
        "Prefect's server",
        f"{TASKS_PER_BATCH} task runs per {ORDERS_PER_TASK} requests, 10 ms of CPU time each",
        f"{tasks:,} task runs, {tasks * 0.01 / DAY_S:.1%} of a core",
    )


def _storage(figures: Mapping[str, Any]) -> Iterator[Row]:
    of_picture = figures["bytes_per_picture"]
    picture = of_picture["the picture"]
    yield "pictures", f"× {picture / 1e6:.2f} MB", f"**{A_DAY * picture / 1e12:.2f} TB per day**"
    beside = sum(max(0, of_picture[kind]) for kind in ("the sidecar", "thumbnail", *REPORTS))
    yield (
        "sidecars, thumbnails, reports",
        f"× {beside / 1e3:.0f} kB",
        f"{A_DAY * beside / 1e9:.0f} GB per day",
    )
    row = figures["ledger"]["postgresql"]["bytes_per_order"]
    yield (
        "ledger, PostgreSQL",
        f"× {row / 1e3:.1f} kB, never pruned",
        f"{A_DAY * row / 1e9:.1f} GB per day, {A_DAY * 365 * row / 1e12:.1f} TB per year",
    )
    prefect = of_picture["Prefect's database"]
    yield "Prefect's database", f"× {prefect / 1e3:.1f} kB", f"{A_DAY * prefect / 1e9:.1f} GB per day"
    yield "writes to the store", "picture, sidecar and thumbnail", f"{3 * A_DAY:,} per day"
