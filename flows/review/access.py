"""Access control of the review page: host names, tokens and headers, checked before any page is made.

Every site that a browser visits can send requests to a server on this machine. So the Host header must name
this server (which defeats DNS rebinding), every change needs a token that only its own pages have, and
scripts, styles and pictures come from this server only. Except on loopback, a second token is required.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSRF_HEADER = "x-runoff-csrf"
MAX_BODY_BYTES = 200_000
BODY_WITHIN_S = 30.0
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""No path of ours has a control character, and PostgreSQL refuses NUL."""
SAFE_METHODS = ("GET", "HEAD")
CACHED = ("/pictures/", "/thumbnails/")
"""Paths whose bytes never change, so that a browser may cache them."""

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
CONTINUE_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Runoff review</title>
<meta http-equiv="refresh" content="0; url={path}"><p><a href="{path}">Continue to the page</a></p></html>"""


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True)
class Access:
    """Access to one server.

    Args:
        host: The address it listens on.
        port: The port; it is part of the cookie's name, because browsers share cookies between ports.
        names: Further host names of the server.
        token: The token required for access; ``None`` on loopback.
        csrf: The token required for every change.
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
    def cookie_value(self) -> str:
        """The cookie's value, derived from the token, which is not stored in the browser."""
        return hmac.new(str(self.token).encode(), b"entered", hashlib.sha256).hexdigest()

    def is_ours(self, header: str) -> bool:
        """Whether a Host header names this server.

        A foreign name can resolve to this server (DNS rebinding), so only known names are accepted. An IP
        address cannot be rebound; if a token is required, any IP address is accepted.
        """
        name = _name_in(header)
        if name in {"localhost", self.host.lower(), *(known.lower() for known in self.names)}:
            return True
        return is_loopback(name) or (self.token is not None and _is_address(name))

    def accepts_token(self, token: str) -> bool:
        """Compare a token in constant time."""
        return self.token is None or hmac.compare_digest(token.encode(), self.token.encode())

    def admits(self, cookies: str) -> bool:
        """Whether the cookies give access."""
        if self.token is None:
            return True
        try:
            morsel = SimpleCookie(cookies).get(self.cookie)
        except CookieError:
            return False
        return morsel is not None and hmac.compare_digest(morsel.value.encode(), self.cookie_value.encode())


def _name_in(header: str) -> str:
    """Return the host of a Host header, without its port; empty if it is invalid."""
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


class AccessMiddleware:
    """Access control as middleware around the whole application.

    Args:
        app: The application.
        access: Who has access.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reject the request or pass it on; every answer gets the security headers."""
        if scope["type"] != "http":
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                is_cached = message["status"] == 200 and str(scope["path"]).startswith(CACHED)
                headers["Cache-Control"] = "private, max-age=31536000, immutable" if is_cached else "no-store"
            await send(message)

        headers = Headers(scope=scope)
        answer = self._rejection(scope, headers)
        if answer is None and scope["method"] not in SAFE_METHODS:
            body = await _read_body(receive)
            answer = body if isinstance(body, Response) else None
            receive = _with_body(body, receive) if isinstance(body, bytes) else receive
        await (answer or self._app)(scope, receive, send_safely)

    def _rejection(self, scope: Scope, headers: Headers) -> Response | None:
        """Return an answer that rejects the request or sets the cookie; ``None`` to pass the request on."""
        if _CONTROL.search(str(scope["path"])):
            return PlainTextResponse("There is no such page.", 404)
        if not self._access.is_ours(headers.get("host", "")):
            return PlainTextResponse("This server does not have that host name.", 421)
        if not self._access.admits(headers.get("cookie", "")):
            return self._without_cookie(scope)
        if scope["method"] in SAFE_METHODS:
            return None
        return self._invalid_change(headers)

    def _without_cookie(self, scope: Scope) -> Response:
        query = parse_qsl(scope["query_string"].decode("latin-1"))
        token = dict(query).get("token")
        if token is None or scope["method"] != "GET" or not self._access.accepts_token(token):
            return PlainTextResponse(
                "This page needs its token: open the address that the command printed.", 401
            )
        # A page, not a redirect: after one from another site the browser would withhold a strict cookie.
        answer = HTMLResponse(CONTINUE_PAGE.format(path=_local_path(scope["path"], query)))
        answer.set_cookie(
            self._access.cookie, self._access.cookie_value, httponly=True, samesite="strict", path="/"
        )
        return answer

    def _invalid_change(self, headers: Headers) -> Response | None:
        if not hmac.compare_digest(headers.get(CSRF_HEADER, "").encode(), self._access.csrf.encode()):
            return PlainTextResponse("A change must come from a page of this server. Reload it.", 403)
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != headers.get("host"):
            return PlainTextResponse("A change must come from a page of this server.", 403)
        if not headers.get("content-type", "").startswith("application/json"):
            return PlainTextResponse("Only JSON is accepted here.", 415)
        if headers.get("content-length") is None:
            return PlainTextResponse("The Content-Length header is missing.", 411)
        return None


async def _read_body(receive: Receive) -> bytes | Response:
    """Read a request's body, whatever length its headers state, or return the answer that refuses it."""
    body = b""
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            while True:
                message = await receive()
                body += bytes(message.get("body", b""))
                if len(body) > MAX_BODY_BYTES:
                    return PlainTextResponse("The request is too large.", 413)
                if not message.get("more_body", False):
                    return body
    except TimeoutError:
        return PlainTextResponse("The request did not arrive in time.", 408)


def _with_body(body: bytes, receive: Receive) -> Receive:
    """Hand on a body that was read, then what else arrives."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_again


def _local_path(path: str, query: Iterable[tuple[str, str]]) -> str:
    """Return a path of this server without its token, escaped for an HTML attribute."""
    from urllib.parse import quote

    rest = urlencode([(name, value) for name, value in query if name != "token"])
    safe = "/" + quote(path.lstrip("/\\"), safe="/")
    return f"{safe}?{rest}".replace("&", "&amp;") if rest else safe
