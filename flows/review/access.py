"""Access control of the review page: host names, people, tokens and headers, before any page is made.

Every site that a browser visits can send requests to a server on this machine. So the Host header must name
this server (which defeats DNS rebinding), every change needs a token that only its own pages have, and
scripts, styles and pictures come from this server only. Except on loopback, people need a token too: the
page's own, or that of an invitation; or a proxy that is trusted by its address names them in a header. Whose
name is known, in that name all is stored, whatever a request says.
"""

import asyncio
import hmac
import ipaddress
import json
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flows.review.refusals import NOTHING_HERE, PUBLIC, refusal
from flows.review.visitors import Visitor, Visitors, right_for
from tasks.ledger.invitations import Invitation, Right, cookie_of, includes

CSRF_HEADER = "x-runoff-csrf"
MAX_BODY_BYTES = 200_000
BODY_WITHIN_S = 30.0
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""No path of ours has a control character, and PostgreSQL refuses NUL."""
SAFE_METHODS = ("GET", "HEAD")
MOST_NAME_CHARACTERS = 60
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
HEALTH, SIGN_OUT, METRICS = "/health", "/sign-out", "/metrics"
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
STRANGER = "This page needs its token: open the address that the command printed, or that of your invitation."
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
        token: The token of whoever serves the page; ``None`` on loopback, where everybody is that person.
        csrf: The token required for every change.
        root_path: The path under which a proxy serves it; empty for the root.
        proxies: The addresses or networks of proxies whose headers are believed.
        user_header: The header in which they name the user; empty if they do not.
        everyone_may: The most that such a user may do who was not invited by name.
        visitors: The invited people; ``None`` if nobody can be invited.
        most: The most that anybody may do here, whoever it is.
        until: When everybody's access ends, aware; ``None`` if it does not.
    """

    host: str
    port: int
    names: frozenset[str] = frozenset()
    token: str | None = None
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    root_path: str = ""
    proxies: tuple[Network, ...] = ()
    user_header: str = ""
    everyone_may: Right = "vote"
    visitors: Visitors | None = None
    most: Right = "buy"
    until: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether everybody's access has ended."""
        return self.until is not None and datetime.now(UTC) >= self.until

    @property
    def cookie(self) -> str:
        """The cookie's name."""
        return f"runoff_review_{self.port}"

    @property
    def cookie_value(self) -> str:
        """The value of the cookie of whoever serves the page."""
        return cookie_of(str(self.token))

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

    def is_proxy(self, scope: Scope) -> bool:
        """Whether a request came through a trusted proxy, by the address of the connection."""
        peer = (scope.get("client") or ("",))[0]
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self.proxies)

    def is_secure(self, scope: Scope, headers: Headers) -> bool:
        """Whether the browser speaks TLS, as a trusted proxy says."""
        forwarded = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
        return scope.get("scheme") == "https" or (self.is_proxy(scope) and forwarded == "https")

    def visitor(self, scope: Scope, headers: Headers) -> Visitor | None:
        """Find out who sent a request, and what the person may do; ``None`` if somebody without access."""
        found = self._visitor(scope, headers)
        return found if found is None or includes(self.most, found.may) else replace(found, may=self.most)

    def _visitor(self, scope: Scope, headers: Headers) -> Visitor | None:
        cookie = self._cookie_in(headers.get("cookie", ""))
        if scope["path"] == METRICS and self.token is not None and self._has_bearer(headers):
            return Visitor(may="look")
        if self.user_header and self.is_proxy(scope):
            return self._user(headers.get(self.user_header, ""))
        if cookie and self.token and hmac.compare_digest(cookie.encode(), self.cookie_value.encode()):
            return Visitor(has_cookie=True)
        if cookie and self.visitors and (invitation := self.visitors.of_cookie(cookie)):
            return _invited(invitation)
        return Visitor() if self.token is None else None

    def _user(self, name: str) -> Visitor | None:
        """Return the user whom a proxy names; the rights are those of an invitation of that name."""
        name = name.strip()
        if not name or len(name) > MOST_NAME_CHARACTERS or _CONTROL.search(name):
            return None
        invitation = self.visitors.of_name(name) if self.visitors else None
        return Visitor(name, invitation.may if invitation else self.everyone_may, invitation)

    def entering(self, token: str) -> str | None:
        """Return the value of the cookie for whoever has a token; ``None`` if it opens nothing."""
        if self.token is None or self.accepts_token(token):
            return self.cookie_value
        return cookie_of(token) if self.visitors and self.visitors.of_token(token) else None

    def _has_bearer(self, headers: Headers) -> bool:
        kind, _, token = headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and self.accepts_token(token)

    def _cookie_in(self, cookies: str) -> str:
        try:
            morsel = SimpleCookie(cookies).get(self.cookie)
        except CookieError:
            return ""
        return morsel.value if morsel is not None else ""


def _invited(invitation: Invitation) -> Visitor:
    return Visitor(invitation.name, invitation.may, invitation, has_cookie=True)


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
        health: Answers whether the page can work, to everybody; it tells nothing else.
    """

    def __init__(self, app: ASGIApp, access: Access, health: Callable[[], Response]) -> None:
        self._app = app
        self._access = access
        self._health = health

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
        visitor = None if answer else self._access.visitor(scope, headers)
        is_public = scope["method"] in SAFE_METHODS and scope["path"] in PUBLIC
        if answer is None and not is_public:
            answer = self._without_access(scope, headers) if visitor is None else None
        if visitor is not None:
            scope.setdefault("state", {})["visitor"] = visitor
            if scope["method"] not in SAFE_METHODS:
                answer = self._invalid_change(headers) or _not_allowed(visitor, scope["path"])
                if answer is None:
                    answer, receive = await self._change(visitor, scope, receive)
        await (answer or self._app)(scope, receive, send_safely)

    async def _change(
        self, visitor: Visitor, scope: Scope, receive: Receive
    ) -> tuple[Response | None, Receive]:
        """Read a change; returns an answer to it, or else what hands it on in the visitor's name."""
        body = await _read_body(receive)
        if isinstance(body, Response):
            return body, receive
        if scope["path"] == SIGN_OUT:
            answer = JSONResponse({})
            answer.delete_cookie(self._access.cookie, path=self._access.root_path or "/")
            return answer, receive
        if visitor.name:
            body = _in_the_name(body, visitor.name)
            named = {b"content-length": str(len(body)).encode()}
            scope["headers"] = [(name, named.get(name, value)) for name, value in scope["headers"]]
        return None, _with_body(body, receive)

    def _rejection(self, scope: Scope, headers: Headers) -> Response | None:
        """Return an answer that rejects a request whoever sent it, or says that the server is well."""
        if _CONTROL.search(str(scope["path"])):
            return refusal(headers, scope["method"], NOTHING_HERE, 404)
        if self._access.is_over:
            message = "This link has expired. Ask whoever sent it for another one."
            return refusal(headers, scope["method"], message, 410)
        if scope["path"] == HEALTH and scope["method"] in SAFE_METHODS:
            return self._health()
        if not self._access.is_ours(headers.get("host", "")):
            return refusal(headers, scope["method"], "This server does not have that host name.", 421)
        return None

    def _without_access(self, scope: Scope, headers: Headers) -> Response:
        query = parse_qsl(scope["query_string"].decode("latin-1"))
        token = dict(query).get("token")
        if self._access.user_header and self._access.is_proxy(scope):
            message = f"The proxy names nobody in {self._access.user_header}: sign in there, then reload."
            return refusal(headers, scope["method"], message, 401)
        entered = self._access.entering(token) if token and scope["method"] == "GET" else None
        if entered is None:
            return refusal(headers, scope["method"], STRANGER, 401)
        # A page, not a redirect: after one from another site the browser would withhold a strict cookie.
        answer = HTMLResponse(CONTINUE_PAGE.format(path=_local_path(scope["path"], query)))
        answer.set_cookie(
            self._access.cookie,
            entered,
            httponly=True,
            samesite="strict",
            secure=self._access.is_secure(scope, headers),
            path=self._access.root_path or "/",
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


def _not_allowed(visitor: Visitor, path: str) -> Response | None:
    """Return the answer to a change that a visitor may not make; ``None`` if it is allowed."""
    wanted = right_for(path)
    if includes(visitor.may, wanted):
        return None
    who = visitor.name or "Whoever opens this page"
    message = f"{who} may {visitor.may} here, and this needs the right to {wanted}. Nothing was changed."
    return JSONResponse({"message": message}, 403)


def _in_the_name(body: bytes, name: str) -> bytes:
    """Put a person's name into a change; what is no mapping is refused where it is read."""
    try:
        told = json.loads(body)
    except ValueError:
        return body
    return json.dumps(told | {"by": name}).encode() if isinstance(told, dict) else body


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
