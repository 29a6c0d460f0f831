"""Evaluations of a run that show where they are done, and a process that has some done until it is killed."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from flows.runs.progress import current_display
from flows.runs.run import StoredRun
from flows.workers.evaluation_process import MANY_PICTURES, forked_ahead
from flows.workers.evaluator import open_evaluator
from tasks.errors import BudgetError
from tasks.ledger import open_ledger
from tasks.settings import Settings

HELD = "held"
"""A file in the home that the process which buys has open."""


class OddError(Exception):
    """An error that can be pickled and not be made again."""

    def __init__(self, *, what: str) -> None:
        super().__init__(what)


def process_of(_run: StoredRun) -> int:
    """Return the process that evaluates."""
    return os.getpid()


def arms_of(run: StoredRun) -> list[str]:
    """Return the arms of the campaign by which a run is evaluated."""
    return list(run.campaign.arms)


def refuse(run: StoredRun) -> None:
    """Raise one of Runoff's errors."""
    raise BudgetError(budget="per_run_usd", where=run.run_id, what="is used up", money="Nothing was bought.")


def fail_oddly(_run: StoredRun) -> None:
    """Raise an error that no other process can make again."""
    raise OddError(what="odd")


def say_twice(_run: StoredRun) -> None:
    """Say one line, and the same once more."""
    for _ in range(2):
        current_display().say("The ledger does not answer.")


def end_once(run: StoredRun) -> int:
    """End the process that evaluates, as out of memory, the first time; return the other one later."""
    mark = run.home / "ended"
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def stay(_run: StoredRun) -> None:
    """Go on for longer than anybody waits."""
    time.sleep(300)


def describe(_run: StoredRun) -> dict[str, Any]:
    """Describe the process that evaluates: what it was started as, its group, and the files that it has."""
    files = [os.path.realpath(each) for each in Path("/proc/self/fd").iterdir()]
    program = Path("/proc/self/cmdline").read_bytes().decode()
    return {"program": program, "group": os.getpgrp(), "process": os.getpid(), "files": files}


def main(home: str, run_id: str, how: str) -> None:
    """Print what the process that evaluates is, and have it go on until this one is killed."""
    from tests.support import evaluations  # the other process knows no __main__ of this one's

    async def evaluate() -> None:
        settings = Settings(Path(home), {})
        with open_ledger(settings.home, {}) as ledger:
            run = StoredRun.find(settings, ledger, run_id)
            async with open_evaluator(run, MANY_PICTURES, "", print) as evaluator:
                sys.stdout.write(json.dumps(await evaluator.evaluate(run, evaluations.describe)) + "\n")
                sys.stdout.flush()
                await evaluator.evaluate(run, evaluations.stay)

    if how == "in threads":
        threading.Thread(target=time.sleep, args=(300,), daemon=True).start()
    with (
        (Path(home) / HELD).open("w"),
        contextlib.suppress(KeyboardInterrupt),
        forked_ahead(MANY_PICTURES if how != "later" else 0),
    ):
        asyncio.run(evaluate())


if __name__ == "__main__":
    main(*sys.argv[1:])
