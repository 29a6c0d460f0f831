"""The command ``runoff review``, which serves the review page."""

import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.commands.options import home_option, opened_ledger, read_settings

if TYPE_CHECKING:
    from flows.promotion.child_process import ChildPromoter
    from flows.promotion.deployment import DeploymentPromoter
    from flows.review.access import Access
    from tasks.settings import Settings

DEFAULT_PORT = 8321
TOKEN_VARIABLE = "RUNOFF_REVIEW_TOKEN"  # noqa: S105 - the variable's name, not a secret


@click.command()
@click.argument("run", required=False)
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
    from flows.review.app import create_app
    from flows.review.page_context import PageContext
    from flows.review.server import listen, serve

    settings = read_settings(home)
    with opened_ledger(settings) as ledger:
        path = f"/runs/{ledger.runs.find(run).run_id}" if run else "/"
        listener = listen(host, port)
        access = _access(host, listener.getsockname()[1], names, settings.environ.get(TOKEN_VARIABLE))
        promoter = _promoter(settings)
        app = create_app(PageContext(settings, ledger, promoter, access, _person()))
        serve(app, listener, lambda: _ready(_address(access, path), opens=not no_browser))
        _wait_for_purchases(promoter)


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


def _ready(address: str, *, opens: bool) -> None:
    click.echo(f"Review: {address}\nPress Ctrl-C to stop.")
    if opens and sys.stdout.isatty():
        import webbrowser

        webbrowser.open(address)


def _promoter(settings: "Settings") -> "ChildPromoter | DeploymentPromoter":
    """Let workers buy if a Prefect server is set, otherwise a child process."""
    from flows.promotion.child_process import ChildPromoter
    from flows.promotion.deployment import DeploymentPromoter, PrefectServer

    child, server = ChildPromoter(settings), PrefectServer.of(settings.environ)
    return child if server is None else DeploymentPromoter(settings.home, server, child)


def _wait_for_purchases(promoter: "ChildPromoter | DeploymentPromoter") -> None:
    """Wait for running purchases."""
    if runs := promoter.running():
        click.echo(
            f"Still buying finals of {', '.join(runs)}: waiting. Ctrl-C exits; the purchase continues."
        )
    promoter.wait()
