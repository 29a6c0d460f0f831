"""What the commands that buy have alike: their first line, the engine, the question, and the outcome."""

import asyncio
import contextlib
import gc
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flows.commands.options import answer_json, open_console

if TYPE_CHECKING:
    from rich.console import Console

    from flows.engine import Engine
    from flows.runs.outcome import Outcome

Work = Callable[[], Coroutine[Any, Any, dict[str, Any]]]


def begin(*, as_json: bool = False) -> "Console":
    """Print the first line before anything slow is loaded; ``loaded`` says when all is.

    What is loaded stays: looking for garbage in it meanwhile would cost a fifth of the time for nothing.
    """
    gc.disable()
    click.echo(f"Runoff {version('runoff')} · reading, pricing, checking …", err=as_json)
    return open_console(as_json=as_json)


def loaded() -> None:
    """Collect garbage again, but not in what was loaded."""
    gc.freeze()
    gc.enable()


def started_engine(home: Path, console: "Console") -> "Engine":
    """Start Prefect's server in the background, or find one that runs; used as a context.

    Args:
        home: Runoff's home.
        console: Told what is waited for.
    """
    import logging
    import os

    from flows.engine import start_engine

    logging.raiseExceptions = False  # or Prefect prints each log line that its server did not take
    os.environ.setdefault(
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL"
    )  # errors are printed below, once
    return start_engine(home, lambda line: console.print(line, markup=False, style="dim"))


def run_shown(work: Work, console: "Console") -> "Outcome":
    """Do the work of a flow and show its progress. May spend money, as the flow does.

    Args:
        work: Makes what is awaited.
        console: Where progress is shown.
    """
    from flows.runs.outcome import Outcome
    from flows.runs.progress import LiveDisplay, PlainDisplay, showing

    display = LiveDisplay(console) if console.is_terminal else PlainDisplay(console)
    with showing(display):
        return Outcome(**asyncio.run(work()))


@contextlib.contextmanager
def loading(module: str) -> Iterator[None]:
    """Import a module while a person reads a question; what fails is raised where the module is needed.

    A person who answers by Ctrl-C does not wait for it.

    Args:
        module: Its dotted name.
    """

    def load() -> None:
        with contextlib.suppress(Exception):
            import_module(module)

    thread = threading.Thread(target=load, name="loading", daemon=True)
    thread.start()
    yield
    thread.join()  # whoever goes on must not meet a library that is loaded by half


def confirmed(*, yes: bool, question: str = "Buy it?") -> bool:
    """Ask once before spending; without a terminal nobody is asked, the budget being the guard.

    Args:
        yes: Nobody is asked.
        question: What is asked.
    """
    if yes or not sys.stdin.isatty():
        return True
    return click.confirm(question, default=False)


def report_outcome(outcome: "Outcome", console: "Console", *, as_json: bool) -> None:
    """Show the outcome of a run, and end the process with its exit code if it is not 0.

    Args:
        outcome: The outcome.
        console: Where people read.
        as_json: Standard output is for JSON.
    """
    if as_json:
        answer_json(outcome)
    else:
        from flows.commands.tables import outcome_renderable, where_to_look

        console.print(outcome_renderable(outcome))
        click.echo("\n".join(where_to_look(outcome)))
    if outcome.exit_code:
        sys.exit(outcome.exit_code)
