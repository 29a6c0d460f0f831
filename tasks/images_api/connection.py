"""The HTTP connection to one provider: only its own headers leave this machine.

The SDK also reads ``OPENAI_ORG_ID``, ``OPENAI_PROJECT_ID`` and ``OPENAI_CUSTOM_HEADERS`` by itself and sends
them to whichever provider it speaks to. Here a provider gets the headers of its own description and those
that HTTP needs; all others are taken out of the request before it is sent.
"""

from importlib.metadata import version
from typing import Any
from urllib.request import getproxies

import httpx2

from tasks.images_api.receiving import BoundedClient, BoundedSyncClient
from tasks.images_api.spread_transport import SpreadTransport
from tasks.images_api.terms import Terms
from tasks.network import is_loopback
from tasks.redaction import Secret

NO_KEY = "none"
_OF_HTTP = frozenset(
    {
        "accept", "accept-encoding", "connection", "content-length", "content-type", "host",
        "transfer-encoding", "x-client-request-id",
    }
)  # fmt: skip
_OF_THE_SDK = "x-stainless-"
CONNECTIONS = 2
"""Connections besides those of orders in flight."""


def client_options(terms: Terms) -> dict[str, Any]:
    """Return the options for the SDK's client of a provider: address, parameters, and one attempt per call.

    Raises:
        SettingError: The key, the address or another variable is missing or unusable.
    """
    key = terms.api_key
    return {
        "api_key": key.reveal() if key else NO_KEY,
        "default_query": _query(terms),
        "max_retries": 0,
    }


def sync_http_client(terms: Terms, **options: Any) -> httpx2.Client:  # noqa: ANN401 - those of httpx2
    """Make a client that sends only the provider's own headers, follows no redirect, and bounds answers.

    Raises:
        SettingError: As ``Terms.check`` says.
    """
    headers = _own_headers(terms)

    def clean(request: httpx2.Request) -> None:
        _keep_own(request, headers)

    if _is_here(terms):
        options["transport"] = httpx2.HTTPTransport()
    options["params"] = _query(terms)
    return BoundedSyncClient(follow_redirects=False, event_hooks={"request": [clean]}, **options)


def async_http_client(
    terms: Terms,
    limits: httpx2.Limits,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> httpx2.AsyncClient:
    """Make the same for asyncio.

    Args:
        terms: The provider's terms.
        limits: How many connections it may open.
        transport: Where requests go instead of the network.

    Raises:
        SettingError: As ``Terms.check`` says.
    """
    headers = _own_headers(terms)
    if transport is None and (_is_here(terms) or not getproxies()):
        transport = SpreadTransport(limits)  # a client that is given one goes through no proxy

    async def clean(request: httpx2.Request) -> None:
        _keep_own(request, headers)

    return BoundedClient(
        follow_redirects=False, event_hooks={"request": [clean]}, limits=limits, transport=transport
    )


def _is_here(terms: Terms) -> bool:
    """Return whether the provider is on this machine, which is reached without any proxy."""
    return terms.base_url is not None and is_loopback(terms.base_url)


def _own_headers(terms: Terms) -> dict[str, str]:
    terms.check()
    own = {"User-Agent": f"Runoff/{version('runoff')}"}
    if terms.provider.key_variable is None and not terms.provider.headers:
        own["Authorization"] = f"Bearer {NO_KEY}"
    return own | {name: _plain(value) for name, value in terms.provider.headers_now(terms.environ).items()}


def _query(terms: Terms) -> dict[str, str]:
    return {name: _plain(value) for name, value in terms.provider.query_now(terms.environ).items()}


def _keep_own(request: httpx2.Request, headers: dict[str, str]) -> None:
    for name in list(request.headers):
        if name not in _OF_HTTP and not name.startswith(_OF_THE_SDK):
            del request.headers[name]
    request.headers.update(headers)


def _plain(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value
