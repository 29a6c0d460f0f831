"""The command ``runoff review``, which serves the review page."""

import signal
import socket
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.commands import completing
from flows.commands.options import home_option, opened_ledger, read_settings

if TYPE_CHECKING:
    from flows.further.child_process import ChildFurtherBuyer
    from flows.promotion.child_process import ChildPromoter
    from flows.promotion.deployment import DeploymentPromoter
    from flows.review.access import Access
    from tasks.settings import Settings

DEFAULT_PORT = 8321
TOKEN_VARIABLE = "RUNOFF_REVIEW_TOKEN"  # noqa: S105 - the variable's name, not a secret


@click.command()
@click.argument("run", required=False, shell_complete=completing.runs)
@home_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=DEFAULT_PORT, show_default=True, help="Port to listen on; 0 takes a free one."
)
@click.option(
    "--name",
    "names",
    multiple=True,
    help="Another host name under which people reach the page; can be repeated.",
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
def review(
    run: str | None, *, home: Path | None, host: str, port: int, names: tuple[str, ...], no_browser: bool
) -> None:
    """Open the review page: look, vote, choose and buy finalists.

    Without RUN the page lists all runs. With a --host other than this machine, the page asks for a token.
    """
    from flows.further.child_process import ChildFurtherBuyer
    from flows.review.app import create_app
    from flows.review.page_context import PageContext
    from flows.review.server import listen, serve
    from flows.runs.stop_signals import noted_stops

    settings = read_settings(home)
    with opened_ledger(settings) as ledger:
        path = f"/runs/{ledger.runs.find(run).run_id}" if run else "/"
        listener = listen(host, port)
        access = _access(host, listener.getsockname()[1], names, settings.environ.get(TOKEN_VARIABLE))
        promoter = _promoter(settings)
        further = ChildFurtherBuyer(settings)
        give_up = partial(_give_up, settings)
        context = PageContext(settings, ledger, promoter, access, _person(), give_up, further)
        app = create_app(context)
        with noted_stops() as stops:
            serve(app, listener, lambda: _ready(_address(access, path), stops, opens=not no_browser))
        _end_purchases((promoter, further), stops)


def _give_up(settings: "Settings", run_id: str) -> str:
    from flows.session.cancelling import give_up

    return give_up(settings, run_id).sentence


def _access(host: str, port: int, names: Sequence[str], token: str | None) -> "Access":
    import secrets

    from flows.review.access import Access, is_loopback

    token = None if is_loopback(host) else token or secrets.token_urlsafe(24)
    return Access(host, port, frozenset({socket.gethostname(), socket.getfqdn(), *names}), token)


def _person() -> str:
    """Return this user's name, the default for decisions on the page."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _address(access: "Access", path: str) -> str:
    name = socket.gethostname() if access.host in ("0.0.0.0", "::") else access.host
    name = f"[{name}]" if ":" in name else name
    return f"http://{name}:{access.port}{path}" + (f"?token={access.token}" if access.token else "")


def _ready(address: str, stops: Sequence[int], *, opens: bool) -> None:
    if stops:  # told to stop before the server listened to signals
        signal.raise_signal(signal.SIGTERM)
    click.echo(f"Review: {address}\nPress Ctrl-C to stop.")
    if opens and sys.stdout.isatty():
        import webbrowser

        webbrowser.open(address)


def _promoter(settings: "Settings") -> "ChildPromoter | DeploymentPromoter":
    """Let workers buy if a Prefect server is set, otherwise a child process."""
    from flows.engine.prefect_server import PrefectServer
    from flows.promotion.child_process import ChildPromoter
    from flows.promotion.deployment import DeploymentPromoter

    child, server = ChildPromoter(settings), PrefectServer.of(settings.environ)
    return child if server is None else DeploymentPromoter(settings.home, server, child)


def _end_purchases(
    buyers: "Sequence[ChildPromoter | DeploymentPromoter | ChildFurtherBuyer]", stops: "Sequence[int]"
) -> None:
    """Wait for running purchases; end them in order if the whole service is told to stop."""
    from flows.runs.stop_signals import HANGUP, stopping_line

    runs = list(dict.fromkeys(run for buyer in buyers for run in buyer.running()))
    if not runs or HANGUP in stops:  # a purchase has a session of its own, and goes on
        return

    def stop_all(*_: object) -> None:
        for buyer in buyers:
            buyer.stop()

    if signal.SIGTERM in stops:
        stop_all()
        click.echo(f"Buying for {', '.join(runs)}. {stopping_line()}")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop_all)
    else:
        waiting = "waiting. Ctrl-C exits; the purchase continues."
        click.echo(f"Still buying for {', '.join(runs)}: {waiting}")
    for line in (line for buyer in buyers for line in buyer.wait()):
        click.echo(line)
