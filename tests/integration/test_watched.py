"""Watching: metrics of the ledger, lines of JSON, and an error object for programs."""

import json
import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

import click
import pytest
from prometheus_client.parser import text_string_to_metric_families

from flows import command_line
from flows.metrics import BELIEVED_S, serve_metrics
from flows.runs.log_lines import JsonLines, LineDisplay, line_of, log_environment
from tasks.errors import SettingError
from tasks.ledger import Limits, Settlement
from tasks.settings import Settings
from tests.support.builders import NOON, RUN_ID, a_receipt, an_order
from tests.support.ledgers import open_ledger
from tests.support.review_home import fill_run, page_on
from tests.support.review_requests import ask


def read_metrics(text: str) -> dict[tuple[str, ...], float]:
    """Read metrics as Prometheus does: by name and values of labels."""
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels, reverse=True))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_ledger_is_served_in_figures(home: Path) -> None:
    """By state and provider, money and latency of the month, and what waits; nothing that is not known."""
    now, settings = datetime.now(UTC), Settings(home, os.environ)
    sent_at = max(now - timedelta(hours=1), datetime(now.year, now.month, 1, tzinfo=UTC))  # this month
    with open_ledger(home) as ledger:
        ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=now)
        received, lost, refused = [an_order(replicate=k) for k in range(3)]
        ledger.orders.plan([received, lost, refused])
        for order in (received, lost, refused):
            ledger.orders.send(order, Limits(), sent_at)
        settled = Settlement("received", is_charged=True, latency_s=3.0)
        ledger.orders.settle(received.order_id, settled, [a_receipt(received)])
        ledger.orders.settle(lost.order_id, Settlement("unknown"))
        ledger.orders.settle(refused.order_id, Settlement("refused", error_code="moderation_blocked"))
        ledger.runs.end(RUN_ID, "awaiting review", now - timedelta(minutes=30))
        ledger.spending_limits.set(received.estimate_usd * 10, "mara", NOON)
    server = serve_metrics(settings, "127.0.0.1", 0)
    with urlopen(f"http://127.0.0.1:{server.server_port}/metrics") as answer:
        found = read_metrics(answer.read().decode())
    provider = received.provider
    assert found["runoff_ledger_up",] == 1
    states = {
        state: found["runoff_month_orders", state, provider] for state in ("received", "unknown", "refused")
    }
    assert set(states.values()) == {1.0}
    estimate = float(received.estimate_usd)
    assert found["runoff_unknown_usd",] == pytest.approx(estimate)
    assert found["runoff_month_limit_usd",] == pytest.approx(10 * estimate)
    assert found["runoff_month_left_usd",] == pytest.approx(10 * estimate - found["runoff_month_ledger_usd",])
    assert found["runoff_runs", "awaiting review"] == 1
    assert "runoff_queued_orders" not in {name for name, *_ in found}, "nothing runs"
    unknown_s = (now - sent_at).total_seconds()
    assert found["runoff_oldest_unknown_seconds",] == pytest.approx(unknown_s, abs=60)
    assert found["runoff_oldest_awaiting_review_seconds",] == pytest.approx(1800, abs=60)
    assert found["runoff_month_latency_seconds_bucket", provider, "5.0"] == 1
    assert found["runoff_month_latency_seconds_bucket", provider, "2.5"] == 0
    with pytest.raises(SettingError, match="metrics cannot be served there"):
        serve_metrics(settings, "127.0.0.1", server.server_port)
    server.shutdown()
    server.server_close()
    assert BELIEVED_S > 0


def test_a_home_without_a_ledger_is_down_and_nothing_is_made(tmp_path: Path) -> None:
    """Nor is anything invented."""
    server = serve_metrics(Settings(tmp_path, {}), "127.0.0.1", 0)
    with urlopen(f"http://127.0.0.1:{server.server_port}/metrics") as answer:
        assert read_metrics(answer.read().decode()) == {("runoff_ledger_up",): 0}
    server.shutdown()
    server.server_close()
    assert list(tmp_path.iterdir()) == []


def test_the_page_tells_its_metrics_to_whoever_has_the_token(tmp_path: Path) -> None:
    """As a program sends it; a stranger gets nothing."""
    with open_ledger(tmp_path) as ledger:
        drafts = fill_run(tmp_path, ledger)
        with page_on(tmp_path, ledger, drafts, token="owner") as page:
            assert ask(page, "/metrics")[0].status == 401
            assert ask(page, "/metrics", authorization="Bearer wrong")[0].status == 401
            answer, content = ask(page, "/metrics", authorization="Bearer owner")
            assert answer.status == 200
            assert read_metrics(content.decode())["runoff_runs", "awaiting review"] == 1
            assert ask(page, "/", authorization="Bearer owner")[0].status == 401


def test_lines_have_time_campaign_and_run(capsys: pytest.CaptureFixture[str]) -> None:
    """As text and as JSON; what Prefect logs has the same keys."""
    LineDisplay("json", "otters", RUN_ID).say("drafts 1/2 [bold]é")
    facts = json.loads(capsys.readouterr().err)
    assert facts.pop("time").endswith("+00:00")
    assert facts == {"level": "info", "message": "drafts 1/2 [bold]é", "campaign": "otters", "run": RUN_ID}
    assert line_of("x", "text", campaign="otters").endswith(" UTC  otters: x")
    record = logging.LogRecord("prefect", logging.ERROR, "f", 1, "It %s", ("failed",), None)
    record.flow_run_name = "otters · 6"
    told = json.loads(JsonLines("default", None, "%").format(record))
    assert (told["level"], told["message"], told["flow_run"]) == ("error", "It failed", "otters · 6")
    assert log_environment("text") == {"RUNOFF_LOG_FORMAT": "text"}
    assert log_environment("json")["PREFECT_LOGGING_HANDLERS_CONSOLE_FORMATTER"] == "json"


def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Give the command; returns its code and its standard output."""
    monkeypatch.setattr("sys.argv", ["runoff", *words])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    return int(str(ended.value.code)), capsys.readouterr().out


def test_an_error_is_an_object_where_a_program_asked_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of every kind, with its parts; for people there is none; and never a second answer."""
    home = ["--home", str(tmp_path)]
    code, out = said(monkeypatch, capsys, "report", "latest", "--json", *home)
    error = json.loads(out)["error"]
    assert (code, error["type"], error["what"], error["exit_code"]) == (
        1, "RunError", "no run has been made here", 1,
    )  # fmt: skip
    assert error["next_step"] == "Start with: runoff demo"
    assert said(monkeypatch, capsys, "report", "latest", *home) == (1, "")
    code, out = said(monkeypatch, capsys, "report", "--json", "--nowhere")
    assert (code, json.loads(out)["error"]["type"]) == (2, "usage")
    with open_ledger(tmp_path) as ledger:
        fill_run(tmp_path, ledger)
    code, out = said(monkeypatch, capsys, "ledger", "verify", "--json", *home)
    assert (code, set(json.loads(out))) in [(0, {"faults", "elsewhere"}), (1, {"faults", "elsewhere"})]


def commands_with_json(group: click.Group = command_line.runoff, *words: str) -> Iterator[tuple[str, ...]]:
    """Walk the commands that answer a program."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands_with_json(command, *words, name)
        elif any("--json" in parameter.opts for parameter in command.params):
            yield (*words, name)


ANSWERING = list(commands_with_json())
BARE = {"models", "emulator"}
"""Commands that nothing in a home can keep from answering."""


def command_of(words: tuple[str, ...]) -> click.Command:
    """Find a command by its words."""
    found: click.Command = command_line.runoff
    for word in words:
        assert isinstance(found, click.Group)
        found = found.commands[word]
    return found


@pytest.mark.parametrize("words", ANSWERING, ids=" ".join)
def test_every_command_answers_a_program_by_an_object_when_it_cannot_do_it(
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A wrong option, and a home that is a file: one object with all its keys, and the code that it names."""
    assert len(ANSWERING) > 15
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").write_text("no folder")
    given = ["x"] * sum(isinstance(one, click.Argument) and one.required for one in command_of(words).params)
    tries = [["--nowhere"]]
    if any("--home" in parameter.opts for parameter in command_of(words).params) and words[0] not in BARE:
        tries.append([*given, "--home", str(tmp_path / "home")])
    for more in tries:
        code, out = said(monkeypatch, capsys, *words, "--json", *more)
        answer = json.loads(out)
        assert answer.keys() == {"error"}
        keys = {"type", "where", "what", "accepted", "money", "next_step", "exit_code"}
        assert answer["error"].keys() == keys
        assert (answer["error"]["what"] != "", answer["error"]["exit_code"]) == (True, code)
        assert "fault in Runoff" not in out
        assert code in (1, 2)
