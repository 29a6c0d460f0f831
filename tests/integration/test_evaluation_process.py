"""The process that evaluates a run's pictures beside the one that buys them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.engine.registry import is_alive
from flows.evaluation.drafts import inspect_new
from flows.runs.progress import without_repeats
from flows.runs.run import StoredRun
from flows.workers.evaluation_process import MANY_PICTURES
from flows.workers.evaluator import Evaluator, open_evaluator
from tasks.candidate import Receipt
from tasks.errors import BudgetError
from tasks.ledger import open_ledger
from tasks.ledger.candidates import insert_receipts
from tasks.settings import Settings
from tests.support import evaluations
from tests.support.builders import NOON, RUN_ID, an_order
from tests.support.campaign_files import basis, load
from tests.support.child_process import end_by, read_line, started, wait_until
from tests.support.emulator_client import png

N_PICTURES = 3


@pytest.fixture
def run(tmp_path: Path) -> Iterator[StoredRun]:
    """A run with a few pictures that nobody has inspected."""
    with open_ledger(tmp_path, {}) as ledger:
        ledger.runs.start(RUN_ID, campaign="otter", provider="emulator", now=NOON)
        stored = StoredRun(Settings(tmp_path, {}), ledger, ledger.runs.find(RUN_ID))
        orders = [an_order(replicate=number) for number in range(N_PICTURES)]
        ledger.orders.plan(orders)
        receipts = []
        for order in orders:
            file, data = f"drafts/{order.replicate}.png", png((64, 64))
            (stored.folder / "drafts").mkdir(parents=True, exist_ok=True)
            (stored.folder / file).write_bytes(data)
            receipts.append(Receipt(order.order_id, 0, order.replicate, file, "0" * 64, len(data), None))
        with ledger.database.write() as connection:
            insert_receipts(connection, [(RUN_ID, one) for one in receipts])
        yield stored


def lines_of() -> tuple[list[str], Any]:
    """Return a list, and what writes lines for people into it."""
    lines: list[str] = []
    return lines, without_repeats(lines.append)


async def test_a_run_of_many_pictures_is_evaluated_in_a_process_of_its_own(run: StoredRun) -> None:
    """Which writes into the same ledger and folder."""
    async with open_evaluator(run, MANY_PICTURES, "", print) as evaluator:
        assert await evaluator.evaluate(run, evaluations.process_of) != os.getpid()
        assert await evaluator.evaluate(run, inspect_new) == N_PICTURES
    drafts = run.read_candidates("draft")
    assert [draft.inspection and draft.inspection.width for draft in drafts] == [64] * N_PICTURES
    assert all((run.folder / str(draft.thumbnail)).is_file() for draft in drafts)


@pytest.mark.skipif(sys.platform != "linux", reason="how memory is reclaimed is Linux's own")
async def test_where_memory_runs_out_that_process_ends_and_not_the_one_that_buys(run: StoredRun) -> None:
    """The one that buys goes on without it."""
    own = Path("/proc/self/oom_score_adj").read_text()
    async with open_evaluator(run, MANY_PICTURES, "", print) as evaluator:
        process = await evaluator.evaluate(run, evaluations.process_of)
        assert Path(f"/proc/{process}/oom_score_adj").read_text() == "1000\n" != own


async def test_a_small_run_needs_no_process(run: StoredRun) -> None:
    """One more would take longer to start than it gains."""
    async with open_evaluator(run, MANY_PICTURES - 1, "", print) as evaluator:
        assert await evaluator.evaluate(run, evaluations.process_of) == os.getpid()


@pytest.mark.slow
async def test_the_campaign_that_a_run_is_decided_by_now_is_that_of_the_process(
    run: StoredRun, tmp_path: Path
) -> None:
    """Statements that are written in a run change its campaign."""
    campaign = load(tmp_path, basis())
    async with open_evaluator(run, MANY_PICTURES, "", print) as evaluator:
        assert await evaluator.evaluate(run.decided_by(campaign), evaluations.arms_of) == list(campaign.arms)


async def test_what_goes_wrong_there_is_raised_here(run: StoredRun) -> None:
    """Runoff's errors as they are, and others by what they say; the process goes on."""
    async with open_evaluator(run, MANY_PICTURES, "", print) as evaluator:
        with pytest.raises(BudgetError, match=r"is used up.*Nothing was bought\.") as refusal:
            await evaluator.evaluate(run, evaluations.refuse)
        assert refusal.value.exit_code == 3
        with pytest.raises(RuntimeError, match=r"OddError\('odd'\)"):
            await evaluator.evaluate(run, evaluations.fail_oddly)
        assert evaluator.is_apart


@pytest.mark.slow
async def test_what_is_said_there_is_shown_here_and_once(run: StoredRun) -> None:
    """Both processes may say that the ledger is away."""
    lines, say = lines_of()
    async with open_evaluator(run, MANY_PICTURES, "", say) as evaluator:
        await evaluator.evaluate(run, evaluations.say_twice)
    assert lines == ["The ledger does not answer."]


async def test_a_process_that_ends_too_early_is_replaced_by_threads(run: StoredRun) -> None:
    """What it had not answered is done once more, and one line says so."""
    lines, say = lines_of()
    async with open_evaluator(run, MANY_PICTURES, "", say) as evaluator:
        assert await evaluator.evaluate(run, evaluations.end_once) == os.getpid()
        assert await evaluator.evaluate(run, inspect_new) == N_PICTURES
    assert lines == [
        "The process that evaluates the pictures was ended by signal 9, as when memory runs out. Nothing"
        " is lost: this one goes on without it."
    ]


@pytest.mark.slow
async def test_signals_for_all_of_a_service_are_left_to_the_process_that_buys(run: StoredRun) -> None:
    """A terminal that closes and a service manager signal every process."""
    async with open_evaluator(run, MANY_PICTURES, "", print) as evaluator:
        process = await evaluator.evaluate(run, evaluations.process_of)
        for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(process, how)
        assert await evaluator.evaluate(run, evaluations.process_of) == process


async def test_nobody_is_left_when_the_run_ends(run: StoredRun) -> None:
    """Not even what nobody awaits any more."""
    async with open_evaluator(run, MANY_PICTURES, "", print) as evaluator:
        process = await evaluator.evaluate(run, evaluations.process_of)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def evaluated(run: StoredRun, how: str, end: signal.Signals) -> dict[str, Any]:
    """Have a run evaluated beside another process until that is ended; describe what evaluated it."""
    words = [sys.executable, "-m", evaluations.__name__, str(run.home), run.run_id, how]
    with started(words, stdout=-1, cwd=Path(evaluations.__file__).parents[2]) as buying:
        described: dict[str, Any] = json.loads(read_line(buying))
        end_by(buying, end)
    return described


@pytest.mark.parametrize("how", ["later", *(["ahead"] if sys.platform == "linux" else [])])
@pytest.mark.parametrize("end", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_it_ends_with_the_process_that_started_it(run: StoredRun, how: str, end: signal.Signals) -> None:
    """At once, whatever it does: another process may take the run up by then."""
    process = evaluated(run, how, end)["process"]
    wait_until(lambda: not is_alive(process), 10)


@pytest.mark.skipif(sys.platform != "linux", reason="only there it is forked")
def test_a_command_forks_it_ahead_and_it_keeps_nothing_but_the_modules(run: StoredRun) -> None:
    """No file of the other process, and no place in the terminal's group."""
    forked = evaluated(run, "ahead", signal.SIGKILL)
    assert evaluations.__name__ in forked["program"]
    assert forked["group"] == forked["process"]
    assert "/dev/null" in forked["files"]
    assert str(run.home / evaluations.HELD) not in forked["files"]


@pytest.mark.skipif(sys.platform != "linux", reason="only there it is forked")
def test_a_process_of_several_threads_is_not_forked(run: StoredRun) -> None:
    """A lock that a thread holds would never be released; so it is a program of its own."""
    assert "evaluation_program" in evaluated(run, "in threads", signal.SIGKILL)["program"]


def test_what_was_forked_for_no_run_is_ended() -> None:
    """Such as where the server does not let a run begin."""
    program = (
        "import multiprocessing, sys; from flows.workers.evaluation_process import forked_ahead\n"
        "with forked_ahead(1000): print([child.pid for child in multiprocessing.active_children()])"
    )
    forked = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    processes = json.loads(forked.stdout)
    assert len(processes) == (sys.platform == "linux")
    assert not any(map(is_alive, processes))


def test_an_evaluator_without_a_process_is_one_of_threads() -> None:
    """As in a run of few pictures."""
    assert not Evaluator().is_apart
