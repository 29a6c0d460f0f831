"""The command ``runoff review``, which serves the review page."""

import re
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from flows.commands import completing
from flows.commands.invitations import invite, print_invitations, read_amount, read_person, revoke
from flows.commands.options import home_option, opened_ledger, read_settings

if TYPE_CHECKING:
    from flows.further.child_process import ChildFurtherBuyer
    from flows.promotion.child_process import ChildPromoter
    from flows.promotion.deployment import DeploymentPromoter
    from flows.review.access import Access
    from tasks.ledger import Ledger
    from tasks.settings import Settings

DEFAULT_PORT = 8321
TOKEN_VARIABLE = "RUNOFF_REVIEW_TOKEN"  # noqa: S105 - the variable's name, not a secret
RIGHTS = ("look", "vote", "choose", "buy")


def _read_root_path(_ctx: click.Context, _param: click.Parameter, text: str) -> str:
    from flows.review.root_path import normal_root_path

    try:
        return normal_root_path(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _read_networks(_ctx: click.Context, _param: click.Parameter, texts: tuple[str, ...]) -> tuple[Any, ...]:
    from ipaddress import ip_network

    try:
        return tuple(ip_network(text, strict=False) for text in texts)
    except ValueError as error:
        message = f"{error}; accepted: an address such as 10.0.0.5, or a network such as 10.0.0.0/24"
        raise click.BadParameter(message) from error


def _read_duration(_context: click.Context, _option: click.Parameter, text: str | None) -> timedelta | None:
    """Read how long something lasts."""
    if text is None:
        return None
    found = re.fullmatch(r"([1-9]\d{0,3})([mhd])", text)
    if found is None:
        message = f"{text!r} is no time, accepted: minutes, hours or days, such as 30m, 48h or 7d"
        raise click.BadParameter(message)
    return (
        int(found[1]) * {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[found[2]]
    )


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
@click.option(
    "--root-path",
    default="",
    metavar="PATH",
    callback=_read_root_path,
    help="Path under which a proxy serves the page, such as /runoff.",
)
@click.option(
    "--trusted-proxy",
    "proxies",
    multiple=True,
    metavar="ADDRESS",
    callback=_read_networks,
    help="Address or network of a proxy whose X-Forwarded-Proto and --user-header are believed; repeatable.",
)
@click.option(
    "--user-header", default="", metavar="NAME", help="The header in which that proxy names the user."
)
@click.option(
    "--everyone-may",
    type=click.Choice(RIGHTS),
    default="vote",
    show_default=True,
    help="What a user in --user-header may do who was not invited by name.",
)
@click.option(
    "--invite", "invited", metavar="NAME", callback=read_person, help="Invite a person by a link, and end."
)
@click.option(
    "--may",
    type=click.Choice(RIGHTS),
    default="vote",
    show_default=True,
    help="With --invite: what the person may do; each includes those before it.",
)
@click.option(
    "--up-to",
    "limit_usd",
    metavar="USD",
    callback=read_amount,
    help="With --may buy: what all purchases of the person may cost at most.",
)
@click.option(
    "--revoke", "revoked", metavar="NAME", callback=read_person, help="Revoke an invitation, and end."
)
@click.option("--read-only", "is_read_only", is_flag=True, help="Whoever opens the page may only look.")
@click.option("--votes", "may_vote", is_flag=True, help="With --read-only: people may vote and remark, too.")
@click.option(
    "--expires",
    "lasts",
    metavar="TIME",
    callback=_read_duration,
    help="With --read-only: how long the page can be opened, such as 48h or 7d.",
)
@click.option("--invitations", "is_listing", is_flag=True, help="List who is invited, and end.")
def review(
    run: str | None,
    *,
    home: Path | None,
    host: str,
    port: int,
    names: tuple[str, ...],
    no_browser: bool,
    is_listing: bool,
    invited: str | None,
    revoked: str | None,
    **people: Any,  # noqa: ANN401 - options of access and invitations
) -> None:
    """Open the review page: look, vote, choose and buy finalists.

    Without RUN the page lists all runs. With a --host other than this machine, or a --trusted-proxy, the page
    asks for a token: its own, or that of an invitation. --read-only makes a link that can be handed on.
    """
    _check_people(invited, **people)
    settings = read_settings(home)
    # A service and invitations come before the first run; in a wrong folder, a person is told so.
    with opened_ledger(settings, creates=no_browser or bool(invited)) as ledger:
        if invited:
            invite(ledger, invited, people["may"], people["limit_usd"], _public(settings, host, port, people))
        elif revoked:
            revoke(ledger, revoked)
        elif is_listing:
            print_invitations(ledger.invitations.all())
        else:
            _serve(settings, ledger, run, host, port, names, opens=not no_browser, people=people)


def _check_people(invited: str | None, **people: Any) -> None:  # noqa: ANN401 - options
    """Refuse options that say nothing without others.

    Raises:
        UsageError: One does.
    """
    if people["user_header"] and not people["proxies"]:
        message = "--user-header needs --trusted-proxy: whoever can reach the page could name anybody."
        raise click.UsageError(message)
    if (people["may_vote"] or people["lasts"]) and not people["is_read_only"]:
        message = "--votes and --expires go with --read-only."
        raise click.UsageError(message)
    if people["limit_usd"] is not None and (not invited or people["may"] != "buy"):
        message = "--up-to goes with --invite NAME --may buy."
        raise click.UsageError(message)


def _public(settings: "Settings", host: str, port: int, people: Mapping[str, Any]) -> str:
    """Return the page's address for other people: ``RUNOFF_PUBLIC_URL``, else that of the options."""
    from tasks.settings import PUBLIC_URL_VARIABLE

    if public := settings.environ.get(PUBLIC_URL_VARIABLE):
        return public.rstrip("/")
    name = socket.gethostname() if host in ("0.0.0.0", "::") else host
    return f"http://{name}:{port}{people['root_path']}"


def _serve(
    settings: "Settings",
    ledger: "Ledger",
    run: str | None,
    host: str,
    port: int,
    names: Sequence[str],
    *,
    opens: bool,
    people: Mapping[str, Any],
) -> None:
    """Serve the page until interrupted.

    Args:
        settings: The home and the environment.
        ledger: Its ledger, open.
        run: The run to open; ``None`` for the list of runs.
        host: The address to listen on.
        port: The port; 0 for a free one.
        names: Further host names of the server.
        opens: Open a browser.
        people: The options of access.
    """
    from flows.further.child_process import ChildFurtherBuyer
    from flows.review.app import create_app
    from flows.review.page_context import PageContext
    from flows.review.server import listen, serve
    from flows.review.visitors import Visitors
    from flows.runs.stop_signals import noted_stops
    from tasks.settings import PUBLIC_URL_VARIABLE

    path = f"/runs/{ledger.runs.find(run).run_id}" if run else "/"
    listener = listen(host, port)
    token, public = settings.environ.get(TOKEN_VARIABLE), settings.environ.get(PUBLIC_URL_VARIABLE, "")
    known = [*names, *filter(None, [urlsplit(public).hostname])]
    access = replace(
        _access(host, listener.getsockname()[1], known, token, is_behind_proxy=bool(people["proxies"])),
        root_path=people["root_path"],
        proxies=people["proxies"],
        user_header=people["user_header"],
        everyone_may=people["everyone_may"],
        visitors=Visitors(ledger.invitations),
        most=("vote" if people["may_vote"] else "look") if people["is_read_only"] else "buy",
        until=datetime.now(UTC) + people["lasts"] if people["lasts"] else None,
    )
    promoter, further = _promoter(settings), ChildFurtherBuyer(settings)
    give_up = partial(_give_up, settings)
    context = PageContext(settings, ledger, promoter, access, _person(), give_up, further)
    with noted_stops() as stops:
        serve(create_app(context), listener, lambda: _ready(_address(access, path), stops, opens=opens))
    _end_purchases((promoter, further), stops)


def _give_up(settings: "Settings", run_id: str) -> str:
    from flows.session.cancelling import give_up

    return give_up(settings, run_id).sentence


def _access(
    host: str, port: int, names: Sequence[str], token: str | None, *, is_behind_proxy: bool = False
) -> "Access":
    import secrets

    from flows.review.access import Access, is_loopback

    is_own = is_loopback(host) and not is_behind_proxy  # what a proxy forwards comes from this machine, too
    token = None if is_own else token or secrets.token_urlsafe(24)
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
    address = f"http://{name}:{access.port}{access.root_path}{path}"
    return address + (f"?token={access.token}" if access.token else "")


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
