"""Options, consoles and JSON output shared by the commands."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import Console

    from tasks.ledger import Ledger
    from tasks.settings import Settings

PLAIN_WIDTH = 100

F = TypeVar("F", bound=Callable[..., Any])


class _Folder(click.Path):
    """A folder that is named: an empty name would be the working folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Refuse an empty name, such as that of a script's variable that is not set."""
        if value == "":
            self.fail("it is empty; name a folder, or leave it out", param, ctx)
        return super().convert(value, param, ctx)


def home_option(command: F) -> F:
    """Add ``--home``."""
    return click.option(
        "--home",
        type=_Folder(file_okay=False, path_type=Path),
        help="Folder of the ledger, pictures and reports [default: RUNOFF_HOME or ./runs].",
    )(command)


def json_option(command: F) -> F:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")(command)


def yes_option(command: F) -> F:
    """Add ``--yes``."""
    return click.option("--yes", is_flag=True, help="Spend without asking.")(command)


def read_dollars(_context: click.Context, _option: click.Parameter, text: str | None) -> Decimal | None:
    """Read an exact amount of dollars."""
    from tasks.money import read_usd

    try:
        return None if text is None else read_usd(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def read_settings(home: Path | None) -> "Settings":
    """Read the settings from the environment; the only place where commands do.

    Args:
        home: The value of ``--home``.
    """
    from tasks.settings import Settings

    return Settings.of(home, os.environ)


@contextmanager
def opened_ledger(settings: "Settings", *, creates: bool = False) -> "Iterator[Ledger]":
    """Open the ledger of a home, and close it at the end; says so if runs on disk are unknown to it.

    Args:
        settings: The home and the environment.
        creates: Make an empty ledger where there is none: for what is set up before the first run.

    Raises:
        RunError: There is no ledger yet; reading does not create one.
        LedgerError: The ledger cannot be opened, or there is none beside the pictures of runs.
    """
    from tasks.ledger import has_ledger, open_existing_ledger, open_ledger
    from tasks.storage.home import paid_runs, prepare_home

    if creates and not has_ledger(settings.home, settings.environ) and not any(paid_runs(settings.home)):
        prepare_home(settings.home)
        open_ledger(settings.home, settings.environ).close()
    with open_existing_ledger(settings.home, settings.environ) as ledger:
        if note := ledger.note_of_lost_runs(settings.home):
            click.echo(note, err=True)
        yield ledger


def open_console(*, as_json: bool = False) -> "Console":
    """Make the console for people: standard error if standard output is for JSON."""
    from rich.console import Console

    from flows.commands.fitting_table import UncutConsole

    if (sys.stderr if as_json else sys.stdout).isatty():
        return Console(stderr=as_json, highlight=False)
    return UncutConsole(stderr=as_json, highlight=False, width=PLAIN_WIDTH)


_answers: list[object] = []


def is_answered() -> bool:
    """Whether the command has printed its JSON already."""
    return bool(_answers)


def forget_answers() -> None:
    """A command begins, which has printed nothing."""
    _answers.clear()


def answer_json(facts: object) -> None:
    """Print JSON for programs."""
    _answers.append(facts)
    click.echo(json.dumps(facts, indent=2, default=_plain, ensure_ascii=False))


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)
