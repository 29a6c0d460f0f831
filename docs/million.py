"""The arithmetic of a million pictures a day: measured figures and today's prices in, tables out.

What one machine can do was measured and stands in ``benchmarks/scale.yaml``. Prices come from the catalogue,
allowances of accounts from the provider's page. Nothing here is a figure of its own but what it assumes,
and that is said in the tables.
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
"""Buying a batch and looking at it are a task run each."""
RUN_PICTURES = 10_000
ANSWER_S = 15
"""How long an answer takes is the vendor's affair; this is assumed."""
MOST_IMAGES_PER_MINUTE = 250
"""An account of the highest tier: https://developers.openai.com/api/docs/guides/rate-limits (2026-11-22)."""
PRICED: Mapping[str, str] = {"model": "gpt-image-2.5-flare", "quality": "low", "size": "1024x1024"}
PROMPT = "A lighthouse on a rocky coast at sunset, seen from the sea, watercolour on rough paper"
LANES: Mapping[Lane, str] = {"interactive": "one by one", "batch": "by the Batch lane"}
LEDGERS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
REPORTS = ("report.html", "report.csv", "report.parquet", "contact_sheet.png")

Row = tuple[str, str, str]


def measured() -> Mapping[str, Any]:
    """Read what was measured."""
    figures: Mapping[str, Any] = yaml.safe_load(FIGURES.read_text(encoding="utf-8"))
    return figures


def measurements() -> Iterator[str]:
    """Lay out the measured figures."""
    figures = measured()
    before, after = figures["load_before_and_after"]
    yield (
        f"Measured on {figures['measured_on']}: {figures['machine']}, "
        f"load average {before} before and {after} after."
    )
    yield ""
    yield "| what | figure |"
    yield "|---|---|"
    for runner, rate in figures["runner_orders_per_s"].items():
        yield f"| one run buys, {runner} | {rate} orders a second |"
    for ledger, name in LEDGERS.items():
        rates = figures["ledger"][ledger]["orders_per_s"]
        told = ", ".join(f"{rate} with {n} process{'es' if n > 1 else ''}" for n, rate in rates.items())
        yield f"| {name} takes through their whole lives | orders a second: {told} |"
    cpu_ms = 1000 * figures["run"]["cpu_s_per_order"]
    yield f"| a run, all steps and the report | {cpu_ms:.0f} ms of the processor for each order |"
    looked = figures["inspected_per_cpu_s"]
    yield f"| looking at pictures of 1024 px, 1.7 MB | {looked} in a second of the processor |"
    for ledger, name in LEDGERS.items():
        weight = figures["ledger"][ledger]["bytes_per_order"]
        yield f"| kept in the ledger, {name} | {weight / 1e3:.1f} kB for each order |"
    for kind, weight in figures["bytes_per_picture"].items():
        if weight > 0 and kind != "ledger (SQLite)":
            yield f"| kept as {kind} | {weight / 1e3:.1f} kB for each picture |"


def arithmetic(catalogue: Catalogue) -> Iterator[str]:
    """Reckon a million pictures a day."""
    figures = measured()
    yield "| what | how it is reckoned | comes to |"
    yield "|---|---|---|"
    for what, how, comes_to in (*_demand(), *_money(catalogue), *_machines(figures), *_storage(figures)):
        yield f"| {what} | {how} | {comes_to} |"


def _demand() -> Iterator[Row]:
    per_s = A_DAY / DAY_S
    accounts = math.ceil(per_s * 60 / MOST_IMAGES_PER_MINUTE)
    yield "rate", f"{A_DAY:,} ÷ {DAY_S:,} s", f"{per_s:.1f} orders a second, {per_s * 60:.0f} a minute"
    yield (
        "allowance",
        f"÷ {MOST_IMAGES_PER_MINUTE} pictures a minute, an account of the highest tier",
        f"**{accounts} such accounts**, or the Batch lane",
    )
    yield "under way at once", f"× {ANSWER_S} s for an answer", f"{per_s * ANSWER_S:.0f} requests"


def _money(catalogue: Catalogue) -> Iterator[Row]:
    for lane, how in LANES.items():
        estimate = catalogue.model(str(PRICED["model"])).estimate_usd(PRICED, PROMPT, lane=lane)
        yield (
            f"money, {how}",
            f"× {format_range(estimate.low_usd, estimate.high_usd)} a draft "
            f"(`{PRICED['model']}`, {PRICED['quality']}, {PRICED['size']})",
            f"**${estimate.low_usd * A_DAY:,.0f}–{estimate.high_usd * A_DAY:,.0f} a day**",
        )


def _machines(figures: Mapping[str, Any]) -> Iterator[Row]:
    cpu_s = figures["run"]["cpu_s_per_order"]
    cores = A_DAY * cpu_s / DAY_S
    yield (
        "processors",
        f"× {1000 * cpu_s:.0f} ms for each order",
        f"**{cores:.1f} cores** busy all day; twice as many, so that a slow hour catches up",
    )
    yield (
        "runs",
        f"÷ {RUN_PICTURES:,} pictures each",
        f"{A_DAY // RUN_PICTURES} a day, one every {DAY_S * RUN_PICTURES / A_DAY / 60:.0f} minutes",
    )
    for ledger, name in LEDGERS.items():
        most = max(figures["ledger"][ledger]["orders_per_s"].values())
        yield (
            f"ledger, {name}",
            f"{A_DAY / DAY_S:.1f} orders a second of {most} measured",
            f"{A_DAY / DAY_S / most:.0%} of what it can",
        )
    tasks = TASKS_PER_BATCH * A_DAY // ORDERS_PER_TASK
    yield (
        "Prefect's server",
        f"{TASKS_PER_BATCH} task runs for {ORDERS_PER_TASK} orders, 10 ms of the processor each",
        f"{tasks:,} task runs, {tasks * 0.01 / DAY_S:.1%} of a core",
    )


def _storage(figures: Mapping[str, Any]) -> Iterator[Row]:
    of_picture = figures["bytes_per_picture"]
    picture = of_picture["the picture"]
    yield "pictures", f"× {picture / 1e6:.2f} MB", f"**{A_DAY * picture / 1e12:.2f} TB a day**"
    beside = sum(max(0, of_picture[kind]) for kind in ("its receipt", "thumbnail", *REPORTS))
    yield "what lies beside them", f"× {beside / 1e3:.0f} kB", f"{A_DAY * beside / 1e9:.0f} GB a day"
    row = figures["ledger"]["postgresql"]["bytes_per_order"]
    yield (
        "ledger, PostgreSQL",
        f"× {row / 1e3:.1f} kB, never pruned",
        f"{A_DAY * row / 1e9:.1f} GB a day, {A_DAY * 365 * row / 1e12:.1f} TB a year",
    )
    prefect = of_picture["Prefect's database"]
    yield "Prefect's database", f"× {prefect / 1e3:.1f} kB", f"{A_DAY * prefect / 1e9:.1f} GB a day"
    yield "writes to the store", "picture, receipt and thumbnail", f"{3 * A_DAY:,} a day"
