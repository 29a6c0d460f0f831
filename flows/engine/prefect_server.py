"""A Prefect server somewhere else, asked over HTTP: nothing here imports Prefect.

Its address may hold a name and a password. They are sent with every request and stand in no message.
"""

import base64
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any
from urllib.parse import unquote, urlsplit

from tasks.errors import EngineError

VARIABLE = "PREFECT_API_URL"
WAIT_S = 10.0
ASKS_FOR_A_KEY = (401, 403)
_ACCEPTED = "the address of a running Prefect server, ending in /api"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a server cannot be used.

    Args:
        what: The reason, for people.
        is_final: Waiting longer does not help.
    """

    what: str
    is_final: bool = False


@dataclass(frozen=True)
class PrefectServer:
    """A Prefect server's API.

    Args:
        api_url: Its address, ending in ``/api``, without a name and a password.
        headers: Sent with every request; they contain the key, if any.
    """

    api_url: str
    headers: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "PrefectServer | None":
        """Find the server that ``PREFECT_API_URL`` names, and its key.

        Raises:
            EngineError: It is no address.
        """
        given = environ.get(VARIABLE)
        if not given:
            return None
        address, credentials = _split(given)
        headers = {"content-type": "application/json"}
        if key := environ.get("PREFECT_API_KEY"):
            headers["authorization"] = f"Bearer {key}"
        elif credentials := environ.get("PREFECT_API_AUTH_STRING") or credentials:
            headers["authorization"] = "Basic " + base64.b64encode(credentials.encode()).decode()
        return cls(address, headers)

    def ask(
        self, path: str, body: Mapping[str, Any] | None = None, method: str | None = None
    ) -> dict[str, Any] | None:
        """Send a GET request, or with a body a POST request; returns ``None`` for 404.

        Args:
            path: What follows ``/api``.
            body: Sent as JSON.
            method: Another method, such as ``PATCH``.

        Raises:
            EngineError: It does not answer, or answers with another error.
        """
        try:
            content: dict[str, Any] = json.loads(self._fetch(path, body, WAIT_S, method) or "{}")
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 404:
                return None
            raise self.failure(what=f"answers {error.code}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise self.failure(what="does not answer") from error
        return content

    def trouble(self, wait_s: float) -> Trouble | None:
        """Return why flows cannot run against it; ``None`` if they can, even if it only asks for a key.

        Args:
            wait_s: How long it may take to answer, seconds.
        """
        try:
            if self._fetch("/health", None, wait_s).strip() != b"true":
                return Trouble("something else answers there", is_final=True)
            return _trouble_of_version(self._fetch("/admin/version", None, wait_s))
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in ASKS_FOR_A_KEY:
                return None  # it runs; Prefect itself reports a wrong key
            return Trouble(f"it answers {error.code}")
        except (OSError, ValueError, http.client.HTTPException) as error:
            return Trouble(str(getattr(error, "reason", error)))

    def takes(self, flow: str, wait_s: float) -> bool:
        """Whether the server records the name of a flow, which it may know already.

        Args:
            flow: The name.
            wait_s: How long it may take to answer, seconds.
        """
        try:
            self._fetch("/flows/", {"name": flow}, wait_s)
        except (OSError, http.client.HTTPException):
            return False
        return True

    def failure(self, *, what: str, next_step: str = "") -> EngineError:
        """Build the error for people.

        Args:
            what: What is wrong with the server.
            next_step: What to do; default: start it, or do without.
        """
        return EngineError(
            where=f"{VARIABLE}={self.api_url}",
            what=f"the Prefect server {what}",
            accepted=_ACCEPTED,
            next_step=next_step or f"Start that server, or unset {VARIABLE} to let Runoff start its own.",
        )

    def _fetch(
        self, path: str, body: Mapping[str, Any] | None, wait_s: float, method: str | None = None
    ) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.api_url + path, data, dict(self.headers), method=method)
        with urllib.request.urlopen(request, timeout=wait_s) as answer:
            content: bytes = answer.read()
        return content


def _split(given: str) -> tuple[str, str]:
    """Split an address into one without a name and a password, and these two."""
    try:
        parts = urlsplit(given)
        host = parts.netloc.rpartition("@")[2]
        _ = parts.port  # raises if it is no number
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not is_address:
        raise EngineError(
            where=VARIABLE,
            what="is not an address",
            accepted=_ACCEPTED,
            next_step=f"Correct it, or unset {VARIABLE} to let Runoff start its own server.",
        )
    named = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}" if "@" in parts.netloc else ""
    return f"{parts.scheme}://{host}{parts.path}".rstrip("/"), named


def _trouble_of_version(answer: bytes) -> Trouble | None:
    """Compare a server's version with Prefect's here: those with the same first number work together."""
    here = version("prefect")
    try:
        there = json.loads(answer)
    except ValueError:
        there = None
    if not isinstance(there, str):
        return Trouble("something else answers there", is_final=True)
    if there.partition(".")[0] != here.partition(".")[0]:
        return Trouble(f"it has version {there[:20]}, which Prefect {here} here cannot use", is_final=True)
    return None
