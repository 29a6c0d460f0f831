"""Who may come in, and what may come with them: checked before any page is made.

A page on this machine is in reach of every site that the browser visits. So the name in the address must be
ours (a foreign name that points here is refused), every change needs a token that only our pages know, and
scripts, styles and pictures come from here only. Away from loopback a second token is asked for as well.
"""

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSRF_HEADER = "x-runoff-csrf"
MOST_BODY_BYTES = 200_000
READING = ("GET", "HEAD")
KEPT = ("/pictures/", "/thumbnails/")
"""Paths whose bytes never change, so that a browser may keep them."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
ENTERED = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Runoff review</title>
<meta http-equiv="refresh" content="0; url={path}"><p><a href="{path}">Go on to the review.</a></p></html>"""


def is_loopback(host: str) -> bool:
    """Tell whether an address is in reach of this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True)
class Gate:
    """How one server is entered.

    Args:
        host: The address it listens on.
        port: The port, which names the cookie: browsers keep one jar for all ports of a host.
        names: Further names it may be called by.
        token: What must be shown to enter; ``None`` on loopback.
        csrf: What every change must bring along.
    """

    host: str
    port: int
    names: frozenset[str] = frozenset()
    token: str | None = None
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @property
    def cookie(self) -> str:
        """The cookie's name."""
        return f"runoff_review_{self.port}"

    @property
    def pass_(self) -> str:
        """The cookie's value: made from the token, which itself stays out of the jar."""
        return hmac.new(str(self.token).encode(), b"entered", hashlib.sha256).hexdigest()

    def is_ours(self, header: str) -> bool:
        """Tell whether a Host header names this server.

        A name could be anybody's and point here (DNS rebinding), so only names known beforehand do. An
        address in figures cannot be rebound; away from loopback any of them is this machine's.
        """
        name = _name_in(header)
        if name in {"localhost", self.host.lower(), *(known.lower() for known in self.names)}:
            return True
        return is_loopback(name) or (self.token is not None and _is_address(name))

    def opens_to(self, token: str) -> bool:
        """Compare a token, in the same time whatever is wrong with it."""
        return self.token is None or hmac.compare_digest(token.encode(), self.token.encode())

    def admits(self, cookies: str) -> bool:
        """Tell whether somebody entered before."""
        if self.token is None:
            return True
        try:
            morsel = SimpleCookie(cookies).get(self.cookie)
        except CookieError:
            return False
        return morsel is not None and hmac.compare_digest(morsel.value.encode(), self.pass_.encode())


def _name_in(header: str) -> str:
    """Read the name off a Host header, without its port; empty for what is none."""
    try:
        return (urlsplit(f"//{header}").hostname or "").lower()
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Guard:
    """The gate as middleware around the whole application.

    Args:
        app: What is guarded.
        gate: How it is entered.
    """

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer at once, or let the request through; either way with the headers that keep it safe."""
        if scope["type"] != "http":
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                is_kept = message["status"] == 200 and str(scope["path"]).startswith(KEPT)
                headers["Cache-Control"] = "private, max-age=31536000, immutable" if is_kept else "no-store"
            await send(message)

        answer = self._refusal(scope, Headers(scope=scope))
        await (answer or self._app)(scope, receive, send_safely)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        """Say no, or let in who brings the token; ``None`` when the request may pass."""
        if not self._gate.is_ours(headers.get("host", "")):
            return PlainTextResponse("This server is not known by that name.", 421)
        if not self._gate.admits(headers.get("cookie", "")):
            return self._at_the_door(scope)
        if scope["method"] in READING:
            return None
        return self._wrong_change(headers)

    def _at_the_door(self, scope: Scope) -> Response:
        query = parse_qsl(scope["query_string"].decode("latin-1"))
        token = dict(query).get("token")
        if token is None or scope["method"] != "GET" or not self._gate.opens_to(token):
            return PlainTextResponse(
                "This page needs its token: open the address that the command printed.", 401
            )
        # A page of our own leads on: after a redirect from elsewhere the browser would keep a strict cookie.
        answer = HTMLResponse(ENTERED.format(path=_local_path(scope["path"], query)))
        answer.set_cookie(self._gate.cookie, self._gate.pass_, httponly=True, samesite="strict", path="/")
        return answer

    def _wrong_change(self, headers: Headers) -> Response | None:
        if not hmac.compare_digest(headers.get(CSRF_HEADER, "").encode(), self._gate.csrf.encode()):
            return PlainTextResponse("A change must come from a page of this server. Load it again.", 403)
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != headers.get("host"):
            return PlainTextResponse("A change must come from a page of this server.", 403)
        if not headers.get("content-type", "").startswith("application/json"):
            return PlainTextResponse("Only JSON is read here.", 415)
        length = headers.get("content-length", "")
        if not length.isdecimal():
            return PlainTextResponse("Say how long it is.", 411)
        return None if int(length) <= MOST_BODY_BYTES else PlainTextResponse("That is too long.", 413)


def _local_path(path: str, query: Iterable[tuple[str, str]]) -> str:
    """Write a path of this server again, without its token, safe inside an attribute."""
    from urllib.parse import quote

    rest = urlencode([(name, value) for name, value in query if name != "token"])
    safe = "/" + quote(path.lstrip("/\\"), safe="/")
    return f"{safe}?{rest}".replace("&", "&amp;") if rest else safe
