"""The commands ``serve``, ``deploy`` and ``worker`` for scheduled campaigns."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.commands.options import F, home_option, open_console, read_settings

if TYPE_CHECKING:
    from flows.deployments import Scheduled
    from flows.engine.start_server import Say
    from flows.runs.log_lines import LogFormat

FILES_WRONG = 2


def _read_address(_ctx: click.Context, _param: click.Parameter, text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    if not port.isdigit() or int(port) > 65535:
        message = f"{text!r} is not a port, such as 9100, or an address with one, such as 10.0.0.5:9100"
        raise click.BadParameter(message)
    return host or "127.0.0.1", int(port)


def watched_options(command: F) -> F:
    """Add ``--metrics`` and ``--log-format``."""
    metrics = click.option(
        "--metrics",
        "metrics",
        metavar="[HOST:]PORT",
        callback=_read_address,
        help="Serve /metrics for Prometheus there; without HOST on this machine only.",
    )
    log_format = click.option(
        "--log-format",
        type=click.Choice(("text", "json")),
        default="text",
        show_default=True,
        help="Lines of text with a time, or of JSON with time, level, campaign and run.",
    )
    return metrics(log_format(command))


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="The most runs at once; others wait until one has ended.",
)
@home_option
@watched_options
def serve(
    files: tuple[Path, ...],
    *,
    limit: int,
    home: Path | None,
    metrics: tuple[str, int] | None,
    log_format: "LogFormat",
) -> None:
    """Run campaigns on their schedules until interrupted. Each run buys within its budgets.

    A file with errors is reported and skipped; the others are served. The command then exits with 2.
    """
    say = _begin(log_format)
    from flows.serving import serve as serve_campaigns
    from tasks.storage.home import prepare_home

    folder = read_settings(home).home
    prepare_home(folder)
    _serve_metrics(home, metrics, say)
    _end(serve_campaigns(files, folder, say, limit=limit), say)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--pool", required=True, metavar="NAME", help="The work pool whose workers run them.")
@home_option
def deploy(files: tuple[Path, ...], *, pool: str, home: Path | None) -> None:
    """Deploy campaigns and their schedules to a work pool. Buys nothing.

    A campaign without a schedule runs when somebody starts it in Prefect. Uses the Prefect server at
    PREFECT_API_URL. Workers must find the files and the home at the same paths. A file with errors is
    reported and skipped; the command then exits with 2.
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
@click.option("--name", help="Its name in Prefect's UI [default: this machine's and the process's id].")
@home_option
@watched_options
def worker(
    *,
    pool: str,
    limit: int | None,
    name: str | None,
    home: Path | None,
    metrics: tuple[str, int] | None,
    log_format: "LogFormat",
) -> None:
    """Run deployed campaigns from a work pool until interrupted. Each run buys within its budgets.

    As `prefect worker start`, at the Prefect server of PREFECT_API_URL, but when it is stopped or a run is
    cancelled, requests in flight come in, however long they take: Prefect's own kills runs after 30 seconds.
    """
    say = _begin(log_format)
    from flows.deployments import work
    from tasks.storage.home import prepare_home

    folder = read_settings(home).home
    prepare_home(folder)
    _serve_metrics(home, metrics, say)
    work(pool, folder, say, limit=limit, name=name)


def _begin(log_format: "LogFormat | None" = None) -> "Say":
    """Say what begins, and return what prints further lines; with a format, as lines of a log."""
    from importlib.metadata import version

    begun = f"Runoff {version('runoff')} · reading, pricing, checking …"
    if log_format is None:
        click.echo(begun)
        console = open_console()
        return lambda line: console.print(line, markup=False)
    from flows.runs.log_lines import line_of, log_environment

    os.environ |= log_environment(log_format)  # for the flow runs, which are processes of their own

    def say(line: str) -> None:
        level = "warning" if line.startswith("!") else "info"
        click.echo(line_of(line, log_format, level=level))

    say(begun)
    return say


def _serve_metrics(home: Path | None, address: tuple[str, int] | None, say: "Say") -> None:
    if address is None:
        return
    from flows.metrics import serve_metrics

    host, port = address
    server = serve_metrics(read_settings(home), host, port)
    say(f"Metrics: http://{host}:{server.server_port}/metrics")


def _end(scheduled: "Scheduled", say: "Say") -> None:
    if scheduled.faults:
        say(f"Skipped because of errors: {', '.join(map(str, scheduled.faults))}")
        sys.exit(FILES_WRONG)
