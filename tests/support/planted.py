"""Planted secrets: providers that repeat them in every way, and a search of all that is left afterwards."""

import base64
import html
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

KEY = "planted/key+0123\"45\\6'789=abcdef"
"""A key that Python, JSON, URLs, HTML and Base64 each write in another way."""

OTHER_KEY = "sk-other-0123456789abcdef"
"""A key that nobody has told Runoff of."""


def writings(text: str) -> dict[str, str]:
    """Write a text as programs and providers do."""
    return {
        "raw": text,
        "repr": repr(text)[1:-1],
        "repr of bytes": repr(text.encode())[2:-1],
        "JSON": json.dumps(text)[1:-1],
        "JSON in JSON": json.dumps(json.dumps(text))[3:-3],
        "URL": quote(text, safe=""),
        "path": quote(text),
        "form": quote_plus(text),
        "HTML": html.escape(text),
        "Base64": base64.b64encode(text.encode()).decode(),
        "Base64 for URLs": base64.urlsafe_b64encode(text.encode()).decode(),
        "Basic": base64.b64encode(f"anna:{text}".encode()).decode(),
        "Base64 of a header": base64.b64encode(f"Bearer {text}".encode()).decode(),
    }


def needles(secrets: Mapping[str, str]) -> dict[str, bytes]:
    """Name what must not be found: every writing of every secret; of Base64 what neighbours do not change."""
    found = {}
    for name, secret in secrets.items():
        for how, text in writings(secret).items():
            found[f"{name} as {how}"] = (text[8:-4] if "Base64" in how or how == "Basic" else text).encode()
    return found


def leaks(folder: Path, secrets: Mapping[str, str]) -> list[str]:
    """Name every file below a folder that holds a secret, and how it is written there."""
    looked_for = needles(secrets)
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [
        f"{path.relative_to(folder)}: {what}"
        for path in files
        for data in [path.read_bytes()]
        for what, needle in looked_for.items()
        if needle in data
    ]


def told(text: str, secrets: Mapping[str, str]) -> list[str]:
    """Name every secret that a text holds, with the text around it."""
    return [
        f"{what}: {text[max(0, at - 200) : at + 60]}"
        for what, needle in needles(secrets).items()
        if (at := text.find(needle.decode())) >= 0
    ]


def repeated(headers: Mapping[str, str]) -> str:
    """Say all that came in with a request that may be a secret, in every writing."""
    values = [headers.get(name, "") for name in ("authorization", "x-pass")]
    bare = [value.removeprefix("Bearer ") for value in values if value]
    return " ".join(text for value in bare for text in [f"Bearer {value}", *writings(value).values()])


Message = MutableMapping[str, Any]


class Parrot:
    """A web application in front of another one that adds the request's secrets to every answer.

    They stand in every text of its JSON but ids and pictures, in its pages, and in the request's id.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app
        self.state = getattr(app, "state", None)

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        """Answer as the application does, and repeat the secrets."""
        headers = {name.decode(): value.decode() for name, value in scope.get("headers", ())}
        echo = repeated(headers)
        start: Message = {}
        body = bytearray()

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            content = _with_echo(bytes(body), echo)
            sizes = (
                (b"content-length", str(len(content)).encode()),
                (b"x-request-id", quote(echo[:900]).encode()),
            )
            kept = [(name, value) for name, value in start["headers"] if name not in dict(sizes)]
            await send({**start, "headers": [*kept, *sizes]})
            await send({**message, "body": content})

        await self._app(scope, receive, send_on)


def _with_echo(content: bytes, echo: str) -> bytes:
    lines = content.split(b"\n")
    try:
        read = [json.loads(line) if line.strip() else None for line in lines]
    except ValueError:
        try:
            read = [json.loads(content)]
        except ValueError:
            return content + f"<p>{echo}</p>".encode() if b"<" in content[:20] else content
    return b"\n".join(b"" if one is None else json.dumps(_told_in(one, echo)).encode() for one in read)


_KEPT = ("id", "b64_json", "custom_id", "status", "object", "type", "role", "code")


def _told_in(value: Any, echo: str, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _told_in(item, echo, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_told_in(item, echo, name) for item in value]
    is_code_of_error = name == "code" and isinstance(value, str)
    if isinstance(value, str) and (name not in _KEPT and not name.endswith("_id")) and not is_code_of_error:
        return f"{value} {echo}"
    return value


def files_of(folder: Path) -> Iterator[Path]:
    """List the files below a folder."""
    yield from (path for path in folder.rglob("*") if path.is_file())
