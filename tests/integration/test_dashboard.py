"""Alerts and dashboard: every metric that they name is served, and a real Prometheus answers every query."""

import json
import os
import re
import shutil
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import yaml

from flows.metrics import registry_of, serve_metrics
from tasks.ledger import Limits, Settlement
from tasks.settings import Settings
from tests.support.builders import a_receipt, an_order
from tests.support.child_process import started, wait_until
from tests.support.ledgers import open_ledger

DOCS = Path(__file__).parents[2] / "docs"
ALERTS, DASHBOARD, PAGE = (
    DOCS / "watching/alerts.yaml",
    DOCS / "watching/dashboard.json",
    DOCS / "watching.md",
)
NAME = re.compile(r"\brunoff_[a-z_]+")
RULES = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
PANELS: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]
QUIET = {"RunoffNotWatched", "RunoffLedgerAway", "RunoffQueueStandsStill", "RunoffManyRefused"}
"""Alerts that the ledger below gives no reason for."""
NEEDS = "Prometheus is not installed here (Debian: apt-get install prometheus)"


@pytest.fixture
def watched_home(home: Path) -> Path:
    """A home with something to say about everything: each state, a limit, old things that wait."""
    now = datetime.now(UTC)
    with open_ledger(home) as ledger:
        for run_id, days in (("20260101-000000-aaaa", 3), ("20260102-000000-bbbb", 0)):
            began = now - timedelta(days=days)
            ledger.runs.start(run_id, campaign="otters", provider="emulator", now=began)
            orders = [an_order(replicate=k, run_id=run_id) for k in range(5)]
            ledger.orders.plan(orders)
            received, lost, refused, in_flight, _ = orders
            for order in (received, lost, refused, in_flight):
                ledger.orders.send(order, Limits(), began)
            settled = Settlement("received", is_charged=True, latency_s=3.0)
            ledger.orders.settle(received.order_id, settled, [a_receipt(received)])
            ledger.orders.settle(lost.order_id, Settlement("unknown"))
            ledger.orders.settle(refused.order_id, Settlement("refused", error_code="moderation_blocked"))
            if days:
                ledger.runs.end(run_id, "awaiting review", began)
        ledger.spending_limits.set(ledger.orders.charged_usd(run_id) * 2, "mara", now)
    return home


def test_every_metric_of_the_files_and_of_the_page_is_served(watched_home: Path) -> None:
    """And every metric that is served is on the page; so is every alert."""
    families = list(registry_of(Settings(watched_home, os.environ)).collect())
    served = {family.name for family in families}
    samples = served | {sample.name for family in families for sample in family.samples}
    for file in (ALERTS, DASHBOARD):
        named = set(NAME.findall(file.read_text()))
        assert len(named) > 5
        assert named <= samples, file.name
    page = PAGE.read_text()
    assert {name for name in NAME.findall(page) if name != "runoff_page"} == served
    assert set(re.findall(r"^\| `(Runoff\w+)`", page, re.MULTILINE)) == {rule["alert"] for rule in RULES}


def test_the_dashboards_panels_fit_its_grid() -> None:
    """None overlaps another or leaves the 24 columns; each has a title, a unit and queries of one source."""
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        place = panel["gridPos"]
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }  # fmt: skip
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["description"]
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${source}"}
    assert len({panel["id"] for panel in PANELS}) == len({panel["title"] for panel in PANELS}) == len(PANELS)


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[str]:
    """Run a Prometheus with our rules that looks at a target each second; gives its address."""
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(ALERTS)],
        "scrape_configs": [
            {"job_name": "runoff", "static_configs": [{"targets": [target]}]},
            {"job_name": "runoff-page", "static_configs": [{"targets": [target]}]},
        ],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [
        "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with started(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield f"http://127.0.0.1:{port}/api/v1"
        finally:
            process.terminate()
            process.wait(30)


def ask(address: str, path: str, **query: str) -> Any:
    """Ask Prometheus; nothing while it does not answer yet."""
    try:
        with urlopen(f"{address}/{path}?{urlencode(query)}", timeout=10) as answer:
            told = json.load(answer)
    except (URLError, OSError):
        return None
    assert told["status"] == "success"
    return told["data"]


def by_state(home: Path) -> dict[str, float]:
    """Count this month's requests by state, as they are served."""
    counted: Counter[str] = Counter()
    for family in registry_of(Settings(home, os.environ)).collect():
        if family.name == "runoff_month_orders":
            for sample in family.samples:
                counted[sample.labels["state"]] += int(sample.value)
    assert counted["received"] >= 1
    return dict(counted)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("prometheus") is None, reason=NEEDS)
def test_a_real_prometheus_answers_every_query_and_fires_what_has_a_reason(
    watched_home: Path, tmp_path: Path
) -> None:
    """Two jobs look at the same ledger, and nothing is counted twice."""
    server = serve_metrics(Settings(watched_home, os.environ), "127.0.0.1", 0)
    try:
        with prometheus(tmp_path, f"127.0.0.1:{server.server_port}") as address:
            wait_until(lambda: bool(ask(address, "query", query="count(runoff_ledger_up) == 2")["result"]
                                    if ask(address, "query", query="1") else False))  # fmt: skip
            found = {query: ask(address, "query", query=query)["result"] for query in QUERIES}
            assert [query for query, result in found.items() if not result] == []
            states = next(query for query in QUERIES if query.startswith("sum by (state)"))
            counted = {one["metric"]["state"]: float(one["value"][1]) for one in found[states]}
            assert counted == by_state(watched_home)
            reasons = {rule["alert"] for rule in RULES} - QUIET
            firing = 'ALERTS{alertstate="firing"}'

            def fired() -> set[str]:
                return {one["metric"]["alertname"] for one in ask(address, "query", query=firing)["result"]}

            wait_until(lambda: fired() == reasons, told=fired, limit_s=30)
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.skipif(shutil.which("promtool") is None, reason=NEEDS)
def test_promtool_takes_the_rules() -> None:
    """And the page's own configuration, with the rules beside it."""
    done = subprocess.run(
        ["promtool", "check", "rules", str(ALERTS)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"{len(RULES)} rules found" in done.stdout


@pytest.mark.skipif(shutil.which("promtool") is None, reason=NEEDS)
def test_promtool_takes_the_pages_configuration(tmp_path: Path) -> None:
    """As pasted, beside the rules; only the file of the token is another's."""
    (config,) = re.findall(r"```yaml\n(rule_files.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "token").write_text("t")
    (tmp_path / "prometheus.yml").write_text(
        config.replace("/etc/prometheus/runoff-review-token", str(tmp_path / "token"))
    )
    shutil.copy(ALERTS, tmp_path / "alerts.yaml")
    words = ["promtool", "check", "config", str(tmp_path / "prometheus.yml")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
