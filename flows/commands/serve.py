"""The commands ``serve``, ``deploy`` and ``worker`` for scheduled campaigns."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.commands.options import home_option, open_console, read_settings

if TYPE_CHECKING:
    from flows.deployments import Scheduled
    from flows.engine.start_server import Say

FILES_WRONG = 2


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@home_option
def serve(files: tuple[Path, ...], *, home: Path | None) -> None:
    """Run campaigns on their schedules until interrupted. Each run buys within its budgets.

    A file with errors is reported and skipped; the others are served. The command then exits with 2.
    """
    say = _begin()
    from flows.serving import serve as serve_campaigns
    from tasks.storage.home import prepare_home

    folder = read_settings(home).home
    prepare_home(folder)
    _end(serve_campaigns(files, folder, say), say)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--pool", required=True, metavar="NAME", help="The work pool whose workers run them.")
@home_option
def deploy(files: tuple[Path, ...], *, pool: str, home: Path | None) -> None:
    """Deploy campaigns and their schedules to a work pool. Buys nothing.

    Uses the Prefect server at PREFECT_API_URL. Workers must find the files and the home at the same
    paths. A file with errors is reported and skipped; the command then exits with 2.
    """
    say = _begin()
    from flows.deployments import deploy as deploy_campaigns

    _end(deploy_campaigns(files, read_settings(home).home, pool, say), say)


@click.command()
@click.option(
    "--pool",
    required=True,
    metavar="NAME",
    help="The work pool whose runs it takes; created if there is none.",
)
@click.option("--limit", type=click.IntRange(min=1), help="The most runs at once [default: no limit].")
@click.option("--name", help="Its name in Prefect's UI [default: one that Prefect makes].")
@home_option
def worker(*, pool: str, limit: int | None, name: str | None, home: Path | None) -> None:
    """Run deployed campaigns from a work pool until interrupted. Each run buys within its budgets.

    As `prefect worker start`, at the Prefect server of PREFECT_API_URL, but when it is stopped or a run is
    cancelled, requests in flight come in, however long they take: Prefect's own kills runs after 30 seconds.
    """
    say = _begin()
    from flows.deployments import work
    from tasks.storage.home import prepare_home

    folder = read_settings(home).home
    prepare_home(folder)
    work(pool, folder, say, limit=limit, name=name)


def _begin() -> "Say":
    from importlib.metadata import version

    click.echo(f"Runoff {version('runoff')} · reading, pricing, checking …")
    console = open_console()
    return lambda line: console.print(line, markup=False)


def _end(scheduled: "Scheduled", say: "Say") -> None:
    if scheduled.faults:
        say(f"Skipped because of errors: {', '.join(map(str, scheduled.faults))}")
        sys.exit(FILES_WRONG)
