"""The command ``runoff``: parses arguments, calls a flow or a step, and prints errors.

Slow imports happen inside the command that needs them, so that help is immediate and commands that run no
flow never load Prefect.
"""

import atexit
import gc
import os
import sys
import traceback
from importlib.metadata import version
from pathlib import Path

import click

from flows.commands.automations import automations
from flows.commands.begin import init, schema
from flows.commands.buy import demo, promote, run
from flows.commands.buying import loaded
from flows.commands.compare import compare
from flows.commands.completion import completion
from flows.commands.doctor import doctor
from flows.commands.duplicates import duplicates
from flows.commands.emulator import emulator
from flows.commands.grid import grid
from flows.commands.judge import judge
from flows.commands.ledger import ledger
from flows.commands.models import models
from flows.commands.more import more
from flows.commands.options import answer_json, forget_answers, is_answered
from flows.commands.questions import questions
from flows.commands.read import explain, plan, report, rescore
from flows.commands.review import review
from flows.commands.runs import cancel, decline, runs
from flows.commands.sections import SectionedGroup
from flows.commands.serve import deploy, serve, worker
from flows.commands.share import share
from flows.commands.verdict import verdict
from tasks.errors import RunoffError, SettingError
from tasks.memory import ran_out_of_memory
from tasks.redaction import redacted_outputs
from tasks.secret_files import for_children

FAULT = 1
INTERRUPTED = 130


@click.group(
    cls=SectionedGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: runoff demo (no key, no cost), then: runoff init.",
)
@click.version_option(version("runoff"), prog_name="runoff")
def runoff() -> None:
    """Make many cheap pictures, pick the best few, and buy only those at high quality."""
    os.environ |= for_children(os.environ)  # for this process and those that it starts
    try:
        Path.cwd()
    except FileNotFoundError as fault:
        raise SettingError(
            where="the folder that this command was started in",
            what="is gone",
            money="Nothing was bought.",
            next_step="Change to a folder that exists, then give the command again.",
        ) from fault


runoff.add_sections(
    {
        "Begin": (demo, init, schema),
        "Run": (plan, questions, run, more, promote, decline, rescore, cancel),
        "Look": (runs, review, report, share, compare, grid, verdict, explain, duplicates, judge),
        "Money": (ledger, models),
        "Operate": (serve, deploy, worker, automations, doctor, emulator, completion),
    }
)


def main() -> None:
    """Run the command, and end the process with its exit code.

    Exit codes: 0 done, 1 an error, 2 wrong usage or campaign file, 3 budget used up, 4 finished but some
    orders were refused, failed or are unknown, 130 interrupted.
    """
    atexit.register(gc.freeze)  # or the last collection, of all that Prefect loaded, takes 0.6 s
    with redacted_outputs() as lost:
        code = _run()
        loaded()  # a command may have ended before all was
        sys.stdout.flush()
        if incomplete := [fault for fault in lost if not isinstance(fault, BrokenPipeError)]:
            click.echo(f"Not all could be printed: {incomplete[0].strerror}. See: runoff runs", err=True)
            code = code or FAULT
    sys.exit(code or 0)


def _run() -> int | None:
    forget_answers()
    try:
        code: int | None = runoff.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = _answered(error.format_message(), error.exit_code)
    except RunoffError as error:
        code = _told(error)
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted. The ledger is consistent; see: runoff runs", err=True)
        code = _answered("interrupted", INTERRUPTED)
    except Exception as error:
        if ran_out_of_memory(error):
            return _told(_without_memory(error))
        traceback.print_exc()
        click.echo("This is a fault in Runoff. What was bought is kept; see: runoff runs", err=True)
        code = _answered("this is a fault in Runoff", FAULT)
    return code


def _without_memory(error: Exception) -> SettingError:
    return SettingError(
        where="this machine",
        what=f"has no memory left ({str(error) or type(error).__name__})",
        money="What was bought is kept.",
        next_step="See how much there is: runoff doctor. Go on with: runoff run --resume latest",
    )


def _told(error: RunoffError) -> int:
    """Tell people an error, and a program that asked for JSON; returns the exit code."""
    click.echo(str(error), err=True)
    return _answered(error, error.exit_code)


def _answered(error: RunoffError | str, code: int) -> int:
    """Answer a program that asked for JSON, and got none, by the error; returns the exit code."""
    if "--json" not in sys.argv or is_answered():
        return code
    keys = ("where", "what", "accepted", "money", "next_step")
    facts = dict.fromkeys(keys, "") | {"what": error} if isinstance(error, str) else {
        key: getattr(error, key) for key in keys
    }  # fmt: skip
    answer_json({"error": {"type": "usage" if isinstance(error, str) else type(error).__name__, **facts,
                           "exit_code": code}})  # fmt: skip
    return code
