"""Fetches a picture that an answer gives only the address of. Fetching is not buying: it sends no key.

A provider's answer is not trusted to name an address. Only ``https`` is followed, or the provider's own
address; a name that leads into a private network, to this machine or to a cloud's metadata is refused. The
connection goes to the very address that was checked, so that a name cannot be given another meaning in
between. Redirects are few, and each is checked in the same way. Bytes, time and tries are bounded.
"""

# ruff: noqa: EM101, EM102 - a reason is a part of the sentence about the order, not a message of its own

import contextlib
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from urllib.parse import urlsplit

import httpx2

from tasks.images_api.receiving import AnswerTooLargeError, BoundedSyncClient, Bounds, Received, receiving
from tasks.limits import FETCH_CONNECT_S, FETCH_REDIRECTS, FETCH_S, FETCH_TRIES
from tasks.network import proxy_variable
from tasks.pictures.container import detect_format
from tasks.redaction import redact

Network = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]

_READ_S = 20.0
_RETRY_WAITS_S = (0.5, 2.0)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_MAY_COME_LATER = frozenset({404, 408, 425, 429, 500, 502, 503, 504})
"""The file may not be everywhere yet, or its server be busy."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_WEB_PAGE = (b"<!doctype html", b"<html", b"<head")


class NotFetchedError(Exception):
    """A picture could not be fetched, for a reason in words; its address stays.

    Args:
        reason: Why, without the address.
        is_final: Whether trying again is of no use now.
    """

    def __init__(self, reason: str, *, is_final: bool = True) -> None:
        super().__init__(redact(reason))
        self.is_final = is_final


def addresses_of(host: str, port: int) -> list[str]:
    """Look up the addresses of a name.

    Raises:
        OSError: It has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class PictureFetcher:
    """Fetches pictures for one provider; without any credentials, cookies or headers of its own.

    Args:
        base_url: The provider's address, which may be private and needs no ``https``; ``None`` for none.
        environ: Where a proxy is named.
        resolve: Looks up the addresses of a name.
        sleep: Waits that many seconds.
    """

    def __init__(
        self,
        base_url: str | None,
        environ: Mapping[str, str],
        resolve: Resolve = addresses_of,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._own = None if base_url is None else _origin(base_url)
        self._environ = environ
        self._resolve = resolve
        self._sleep = sleep

    def fetch(self, address: str, most_bytes: int, within_s: float = FETCH_S) -> bytes:
        """Fetch a picture, trying again where that may help. Blocks: call it in a thread.

        Args:
            address: Where an answer says that it is.
            most_bytes: The most bytes that it may have.
            within_s: How long it may take, redirects and further tries included, seconds.

        Raises:
            NotFetchedError: It is not fetched from there, or could not be.
        """
        if within_s <= 0:
            raise NotFetchedError("the time for the pictures of its answer was over")
        received = Received(Bounds(within_s, most_bytes), keeps=False)
        for wait_s in (*_RETRY_WAITS_S[: FETCH_TRIES - 1], None):
            try:
                return self._once(address, received)
            except NotFetchedError as error:
                if error.is_final or wait_s is None or received.left_s < wait_s:
                    raise
                self._sleep(wait_s)
        raise AssertionError  # the last try returns or raises

    def _once(self, address: str, whole: Received) -> bytes:
        for _ in range(FETCH_REDIRECTS + 1):
            bounds = Bounds(max(whole.left_s, 0.0), whole.bounds.most_bytes)
            try:
                with receiving(Received(bounds, keeps=False)):
                    response = self._get(_url(address))
            except AnswerTooLargeError as error:
                message = f"it has more than {bounds.most_bytes:,} bytes"
                raise NotFetchedError(message) from error
            except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
                message = f"{type(error).__name__}: {error}"[:200]
                raise NotFetchedError(message, is_final=False) from error
            if not response.has_redirect_location:
                return _picture_of(response)
            address = str(_url(address).join(response.headers["location"]))
        raise NotFetchedError(f"it leads elsewhere more than {FETCH_REDIRECTS} times")

    def _get(self, url: httpx2.URL) -> httpx2.Response:
        is_own = self._own is not None and _origin(str(url)) == self._own
        _check_form(url, is_own=is_own)
        if not is_own and (variable := proxy_variable(self._environ, str(url))):
            _check_name(url.host)
            return _send(url, {}, httpx2.HTTPTransport(verify=_context(), proxy=self._environ[variable]))
        fault: Exception | None = None
        for place in self._places(url, is_own=is_own):
            extensions = {} if _is_number(url.host) else {"sni_hostname": url.host}
            pinned = url.copy_with(host=place)
            try:
                return _send(
                    pinned, {"Host": url.netloc.decode()}, httpx2.HTTPTransport(verify=_context()), extensions
                )
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                fault = error
        raise fault or NotFetchedError("its name has no address")

    def _places(self, url: httpx2.URL, *, is_own: bool) -> Sequence[str]:
        """Look up where an address leads, and refuse it if any of that is private."""
        try:
            found = self._resolve(url.host, url.port or _DEFAULT_PORTS[url.scheme])
        except (OSError, UnicodeError) as error:
            raise NotFetchedError(f"its name has no address: {error}") from error
        for place in found if not is_own else ():
            if is_private(place):
                raise NotFetchedError(f"it leads into a private network ({place})")
        return found


def is_private(place: str) -> bool:
    """Return whether a numeric address is anything but one of the public internet.

    Loopback, private, link-local (a cloud's metadata among them), multicast and reserved ones are, also where
    an IPv6 address carries one.
    """
    number: Network = ipaddress.ip_address(place.partition("%")[0])
    carried: Network | None = None
    if isinstance(number, ipaddress.IPv6Address):
        if number in _NAT64:
            return is_private(str(ipaddress.IPv4Address(int(number) & 0xFFFFFFFF)))
        if number.ipv4_mapped is not None:
            return is_private(str(number.ipv4_mapped))
        carried = number.sixtofour or (number.teredo or (None, None))[1]
    is_public = number.is_global and not number.is_multicast
    return not is_public or (carried is not None and is_private(str(carried)))


def _url(address: str) -> httpx2.URL:
    try:
        return httpx2.URL(address)
    except (httpx2.InvalidURL, UnicodeError, ValueError) as error:
        raise NotFetchedError("it is not a URL") from error


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme, (parts.hostname or "").lower(), parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return "", "", None


def _check_form(url: httpx2.URL, *, is_own: bool) -> None:
    if url.scheme not in _DEFAULT_PORTS or not url.host:
        raise NotFetchedError("only https addresses are fetched")
    if url.scheme != "https" and not is_own:
        raise NotFetchedError("only https addresses are fetched, and those of the provider itself")
    if url.userinfo:
        raise NotFetchedError("it has a user or a password in it")


def _check_name(host: str) -> None:
    """Refuse what is surely private before a proxy, which looks up names itself, is asked for it."""
    with contextlib.suppress(OSError, UnicodeError):  # 127.1 and 0x7f.0.0.1 are numbers to a proxy, too
        host = socket.inet_ntoa(socket.inet_aton(host))
    if _is_number(host):
        if is_private(host):
            raise NotFetchedError(f"it leads into a private network ({host})")
    elif "." not in host.strip(".") or host.lower().endswith((".localhost", ".local", ".internal")):
        raise NotFetchedError(f"it leads into a private network ({host})")


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@cache
def _context() -> ssl.SSLContext:
    return httpx2.create_ssl_context()


def _send(
    url: httpx2.URL,
    headers: Mapping[str, str],
    transport: httpx2.BaseTransport,
    extensions: Mapping[str, str] | None = None,
) -> httpx2.Response:
    """Send one request with no more headers than HTTP needs."""
    timeout = httpx2.Timeout(_READ_S, connect=FETCH_CONNECT_S)
    with BoundedSyncClient(
        transport=transport, trust_env=False, follow_redirects=False, timeout=timeout
    ) as client:
        own = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "Runoff", **headers}
        return client.get(url, headers=own, extensions=dict(extensions or {}))


def _picture_of(response: httpx2.Response) -> bytes:
    if not response.is_success:
        is_final = response.status_code not in _MAY_COME_LATER
        raise NotFetchedError(f"HTTP {response.status_code}", is_final=is_final)
    data = response.content
    if detect_format(data) is not None:
        return data
    says_picture = response.headers.get("content-type", "").lower().startswith("image/")
    if not data or not says_picture or data.lstrip()[:16].lower().startswith(_WEB_PAGE):
        raise NotFetchedError("what is there is not a picture")
    return data
