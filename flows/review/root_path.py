"""The review page under a path of a proxy, such as ``/runoff``.

Pages and scripts are written for the root of a server. Here the path is taken from what is asked, whether
the proxy leaves it there or not, and put before every address of ours in what is answered: in attributes of
pages, whose texts cannot hold a quotation mark, and in the string literals of our own scripts.
"""

import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_IN_PAGE = re.compile(rb'(\s(?:href|src|action)=")/(?!/)')
_IN_REFRESH = re.compile(rb'(content="0; url=)/(?!/)')
_IN_SCRIPT = re.compile(
    rb"([\"'`])/(runs|campaigns|compare|thumbnails|pictures|duels|static|sign-out)(?=[/?\"'`])"
)
_WHOLE = re.compile(rb'((?:assign|fetch)\(")/(?=")')
_NO_PATH = re.compile(r"[^A-Za-z0-9._~/-]")


def normal_root_path(text: str) -> str:
    """Return a path that begins with a slash and ends with none; empty for the root.

    Raises:
        ValueError: It has other characters than those of a plain path, or an empty part.
    """
    path = "/" + text.strip("/") if text.strip("/") else ""
    if _NO_PATH.search(path) or "//" in path or "/." in path:
        message = f"{text!r} is not a path such as /runoff"
        raise ValueError(message)
    return path


class RootPathMiddleware:
    """Serves an application of ours under a path.

    Args:
        app: The application.
        root_path: The path, as ``normal_root_path`` gives it, not empty.
    """

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self._app = app
        self._root = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on without the path, and its answer back with it."""
        path = str(scope.get("path", ""))
        if path == self._root or path.startswith(f"{self._root}/"):
            scope = {**scope, "path": path.removeprefix(self._root) or "/", "root_path": ""}
        await self._app(scope, receive, _Rewriting(self._root, send))


class _Rewriting:
    """Sends an answer on; one with addresses of ours is collected and rewritten first."""

    def __init__(self, root: str, send: Send) -> None:
        self._root, self._send = root.encode(), send
        self._start: Message | None = None
        self._kind = ""
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            kind = MutableHeaders(scope=message).get("content-type", "")
            if "html" in kind or "javascript" in kind:
                self._start, self._kind = message, kind
                return
        elif self._start is not None and message["type"] == "http.response.body":
            self._body += bytes(message.get("body", b""))
            if message.get("more_body", False):
                return
            await self._finish(self._start)
            return
        await self._send(message)

    async def _finish(self, start: Message) -> None:
        if self._body:  # none where only the headers were asked for
            body = _rewritten(self._body, self._root, is_page="html" in self._kind)
            headers = MutableHeaders(scope=start)
            headers["content-length"] = str(len(body))
            self._body = body
        await self._send(start)
        await self._send({"type": "http.response.body", "body": self._body})


def _rewritten(body: bytes, root: bytes, *, is_page: bool) -> bytes:
    if is_page:
        return _IN_REFRESH.sub(rb"\1" + root + b"/", _IN_PAGE.sub(rb"\1" + root + b"/", body))
    return _WHOLE.sub(rb"\1" + root + b"/", _IN_SCRIPT.sub(rb"\1" + root + rb"/\2", body))
