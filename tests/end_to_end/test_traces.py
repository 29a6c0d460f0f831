"""Traces: spans of a run at a real collector, which say nothing secret and cost nothing without one."""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.dask_setup import dask_setup
from tests.support.provider import KEY, OpenProvider
from tests.support.shell import CAMPAIGN, Shell

pytest.importorskip("opentelemetry.sdk", reason="comes with runoff[otel]")
pytest.importorskip("opentelemetry.proto", reason="comes with runoff[otel]")

from tests.support.otlp_collector import CollectedSpan, Collector, collector

TOKEN = "Bearer-collectors-own-token"
SMALL = {"drafts": {**CAMPAIGN["drafts"], "per_prompt": 1}, "finalists": {"count": 1, "approval": "review"}}


def traced(collected: Collector) -> dict[str, str]:
    """What leads traces to a collector: OpenTelemetry's own variables."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collected.url,
        "OTEL_EXPORTER_OTLP_HEADERS": f"x-token={TOKEN}",
        "OTEL_SERVICE_NAME": "night-shift",
    }


def up(span: CollectedSpan, collected: Collector) -> list[str]:
    """Name a span and those around it, inside out."""
    by_id = {one.span_id: one for one in collected.spans}
    names = [span.name]
    while span.parent_id:
        span = by_id[span.parent_id]
        names.append(span.name)
    return names


def test_a_run_and_what_goes_on_from_it_are_traced_down_to_each_order(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Run, stage, batch, order; with names, states and money, without a prompt, a key or an error's words."""
    provider = open_provider({"kind": "moderation", "path": "generations", "times": 1})
    campaign = shell.campaign(SMALL)
    with collector() as collected:
        done = shell.runoff_process("run", campaign, "--json", **traced(collected))
        assert "Traces" not in done.stderr
        first = list(collected.spans)
        run_id = json.loads(done.stdout)["run_id"]
        shell.runoff_process("promote", run_id, "--yes", **traced(collected))
    assert len({span.trace_id for span in first}) == 1
    assert {span.service for span in collected.spans} == {"night-shift"}
    orders = [span for span in first if span.name == "order"]
    assert len(orders) == provider.n_requests - 1 == 4
    assert all(up(order, collected) == ["order", "generate", "drafts", "run"] for order in orders)
    facts = [order.attributes for order in orders]
    assert {fact["runoff.run"] for fact in facts} == {run_id}
    assert {(fact["runoff.campaign"], fact["runoff.stage"]) for fact in facts} == {("otters", "draft")}
    assert sorted((fact["runoff.arm"], fact["runoff.row"]) for fact in facts) == [
        ("A", 1), ("A", 2), ("B", 1), ("B", 2),
    ]  # fmt: skip
    assert {fact["gen_ai.request.model"] for fact in facts} == {"gpt-image-2.5-flare"}
    assert {fact["gen_ai.provider.name"] for fact in facts} == {"openai"}
    states = sorted(fact["runoff.state"] for fact in facts)
    assert states == ["received", "received", "received", "refused"]
    known = [fact for fact in facts if "runoff.cost_usd" in fact]
    assert {fact["runoff.state"] for fact in known} == {"received"}, "what is not known is absent"
    (run, promotion) = collected.named("run")
    assert run.attributes["runoff.state"] == "awaiting review"
    assert run.attributes["runoff.charged_usd"] == pytest.approx(sum(f["runoff.cost_usd"] for f in known))
    assert promotion.links == (run.trace_id,)
    assert promotion.trace_id != run.trace_id
    (final,) = [span for span in collected.spans if span.attributes.get("runoff.stage") == "final"]
    assert up(final, collected) == ["order", "generate", "finals", "run"]
    assert {header["x-token"] for header in collected.headers} == {TOKEN}
    sent = b"".join(collected.bodies)
    assert [word for word in (b"watercolour", b"otter ", KEY.encode(), TOKEN.encode()) if word in sent] == []
    assert sum(span.n_events for span in collected.spans) == 0


@pytest.mark.slow  # every day: a collector that answers
@pytest.mark.parametrize("collector_kind", ["refuses", "never answers"])
def test_a_collector_that_is_away_is_said_once_and_slows_nothing(
    collector_kind: str, shell: Shell, open_provider: OpenProvider
) -> None:
    """The run is as without it; its end waits for a silent collector for seconds, not for its time-outs."""
    open_provider()
    campaign = shell.campaign(SMALL | {"finalists": {"count": 1, "approval": "auto"}})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        if collector_kind == "refuses":
            silent.close()
        began_s = time.monotonic()
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}", "OTEL_BSP_SCHEDULE_DELAY": "50"}
        done = shell.runoff_process("run", campaign, **environ)
        took_s = time.monotonic() - began_s
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    assert said.count("! Traces cannot be sent") == (collector_kind == "refuses"), said
    assert ("Connection refused" in said) == (collector_kind == "refuses")
    assert "Traceback" not in said
    assert took_s < 60
    assert shell.json("runs")[0]["state"] == "done"


def test_nothing_of_it_is_imported_where_nobody_asks() -> None:
    """Neither the SDK nor an exporter; and switched off, nothing is sent although a collector is named."""
    program = """
import sys
from tasks.tracing import begin_tracing, current_carrier, end_tracing, span
said = []
for environ in ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"},
                {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_TRACES_EXPORTER": "none"}):
    begin_tracing(environ, said.append)
    with span("run", parent={"traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01"}, run="r") as made:
        made.note(cost_usd=1.0)
        made.fail("x")
        made.follow({"traceparent": "?"})
        assert current_carrier() == {}
    end_tracing()
    sys.modules["tasks.tracing"]._is_begun = False
assert said == []
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize(
    ("exporter", "told"),
    [("zipkin", "no installed package offers zipkin"), ("otlp", "offers otlp_proto_grpc")],
)
def test_an_exporter_that_is_not_there_is_told_and_stops_nothing(exporter: str, told: str) -> None:
    """With what is accepted instead."""
    program = f"""
from tasks.tracing import begin_tracing, span
begin_tracing({{"OTEL_TRACES_EXPORTER": {exporter!r}, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}}, print)
with span("run"):
    pass
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told in done.stdout
    assert "otlp_proto_http" in done.stdout


def test_a_setting_that_cannot_be_read_is_told_and_the_spans_are_sent_all_the_same() -> None:
    """OpenTelemetry takes its default then."""
    program = """
import os
from tasks.tracing import begin_tracing, end_tracing, span
begin_tracing(os.environ, print)
with span("run"):
    pass
end_tracing()
"""
    words = [sys.executable, "-c", program]
    with collector() as collected:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collected.url, "OTEL_BSP_SCHEDULE_DELAY": "soon"}
        done = subprocess.run(words, capture_output=True, text=True, check=True, env=environ)
    assert "! Traces: Unable to parse value for OTEL_BSP_SCHEDULE_DELAY" in done.stdout
    assert "cannot be sent" not in done.stdout
    assert len(collected.named("run")) == 1


def test_spans_on_the_terminal_keep_to_standard_error() -> None:
    """Standard output is for answers."""
    program = """
import os
from tasks.tracing import begin_tracing, carrier_in, end_tracing, span
begin_tracing(os.environ, print)
with span("run", parent=carrier_in(os.environ), run="r"):
    pass
end_tracing()
"""
    trace_id = "1" * 32
    environ = {"OTEL_TRACES_EXPORTER": "console", "TRACEPARENT": f"00-{trace_id}-{'2' * 16}-01"}
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=environ)
    assert done.stdout == ""
    shown = json.loads(done.stderr)
    assert (shown["name"], shown["context"]["trace_id"]) == ("run", f"0x{trace_id}")
    assert shown["resource"]["attributes"]["service.name"] == "runoff"


def test_a_program_that_traces_itself_has_the_runs_spans_in_its_own_traces() -> None:
    """By its own provider; no other is set up."""
    program = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
kept = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(kept))
trace.set_tracer_provider(provider)
from tasks.tracing import begin_tracing, span
begin_tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, print)
with trace.get_tracer("shop").start_as_current_span("order of a customer"):
    try:
        with span("run"):
            raise ValueError("a prompt")
    except ValueError:
        pass
run, around = kept.get_finished_spans()
assert run.parent.span_id == around.context.span_id
assert dict(run.attributes) == {"error.type": "ValueError"}
assert not run.events and run.status.description is None
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.long
@pytest.mark.timeout(300)
def test_orders_at_a_worker_of_dask_are_in_the_trace_of_their_run(
    shell: Shell, open_provider: OpenProvider, tmp_path: Path
) -> None:
    """In another process: below the batch that sent them there."""
    open_provider()
    campaign = shell.campaign(SMALL)
    with collector() as collected:
        environ = traced(collected) | {"OTEL_BSP_SCHEDULE_DELAY": "100"}
        with dask_setup(tmp_path, shell.environ | environ, "one") as team:
            done = shell.runoff_process("run", campaign, RUNOFF_DASK=team.address, **environ)
    assert done.returncode == 0, done.stderr
    orders = collected.named("order")
    assert len(orders) == 4
    assert {tuple(up(order, collected)) for order in orders} == {
        ("order", "worker", "generate", "drafts", "run")
    }
