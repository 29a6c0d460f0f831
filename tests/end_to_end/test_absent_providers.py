"""A provider that is not there is told at the door: within seconds, before anything is started or written."""

import time
from pathlib import Path

import pytest

from tests.support.absent_providers import (
    Way,
    answering,
    behind_proxy,
    no_such_name,
    nobody_listens,
    resetting,
    self_signed,
    silent,
)
from tests.support.provider import KEY, OpenProvider, providers
from tests.support.shell import Shell

MOST_S = 30.0
"""Ten times what a silent provider is given, which its message says, for a busy machine."""
JSON = "application/json"
LOOK_AGAIN = "then look again:"
DOCTOR = "  runoff doctor --provider openai"
CHECK = f"Check the network, and the address in OPENAI_BASE_URL, {LOOK_AGAIN}\n{DOCTOR}"
SIGN_IN = f"Put user and password into the proxy's address, or sign in to the network, {LOOK_AGAIN}\n{DOCTOR}"

WAYS: dict[str, tuple[Way, str]] = {
    "nobody listens": (
        nobody_listens,
        f"{{url}} cannot be reached (Connection refused). Nothing was bought. {CHECK}",
    ),
    "no such name": (
        no_such_name,
        f"{{url}} cannot be reached: there is no address for 'nobody.invalid' ({{why}}). "
        f"Nothing was bought. {CHECK}",
    ),
    "certificate": (
        self_signed,
        "{url} shows a certificate that is not trusted: self-signed certificate. Accepted: a certificate of "
        "an authority that this machine trusts. Nothing was bought. If the address is right, trust its "
        f"authority by a PEM file that holds it, {LOOK_AGAIN}\n  export SSL_CERT_FILE=…\n{DOCTOR}",
    ),
    "page": (
        answering("200 OK", "text/html", "<html><title>Welcome</title></html>"),
        "{url}/models answers with a web page: 'Welcome'. Accepted: the address of the API. Nothing was "
        f"bought. Give the address up to and including /v1, {LOOK_AGAIN}\n"
        f"  export OPENAI_BASE_URL=…\n{DOCTOR}",
    ),
    "key": (
        answering(
            "401 Unauthorized", JSON, '{"error": {"message": "No such key", "code": "invalid_api_key"}}'
        ),
        "{url} rejects the key: No such key. Accepted: a valid key of your account at openai. Nothing was "
        f"bought. Set a valid key, {LOOK_AGAIN}\n  export OPENAI_API_KEY=…\n{DOCTOR}",
    ),
    "account": (
        answering(
            "403 Forbidden",
            JSON,
            '{"error": {"message": "Country not supported", "code": "country"}}',
            path="/403",  # as a port may have it by chance
        ),
        "{url}/models answers Country not supported (HTTP 403). Nothing was bought. Check at the provider "
        f"what the key and the account may do, {LOOK_AGAIN}\n{DOCTOR}",
    ),
    "proxy refuses": (
        behind_proxy(b"HTTP/1.1 407 No\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\nno way"),
        "the proxy in HTTP_PROXY lets nothing through to {url}: HTTP 407: no way. Nothing was bought. "
        f"{SIGN_IN}",
    ),
    "proxy is down": (
        behind_proxy(None),
        "the proxy in HTTP_PROXY, which leads to {url}, cannot be reached (Connection refused). Nothing was "
        f"bought. {CHECK}",
    ),
    "reset": (
        resetting,
        "{url} ends the connection without an answer (Connection reset by peer). Nothing was bought. "
        f"{CHECK}",
    ),
    "silence": (
        silent,
        "{url} gave no answer within 3 s. Nothing was bought. Try again; if it stays silent, check the "
        f"address in OPENAI_BASE_URL, proxies and firewalls, {LOOK_AGAIN}\n{DOCTOR}",
    ),
}


@pytest.fixture
def alone(tmp_path: Path) -> Shell:
    """A shell without a Prefect server, so that one that is started leaves its traces."""
    home = tmp_path / "home"
    return Shell(home, {"PATH": "/usr/bin:/bin", "RUNOFF_HOME": str(home), "OPENAI_API_KEY": KEY})


@pytest.mark.parametrize(("way", "expected"), WAYS.values(), ids=WAYS)
def test_a_provider_that_is_not_there_is_told_soon_and_nothing_is_written(
    alone: Shell, way: Way, expected: str
) -> None:
    """One message; no run, no home, no server."""
    file = alone.campaign()
    with way() as environ:
        began_s = time.monotonic()
        done = alone.runoff("run", file, **environ)
        took_s = time.monotonic() - began_s
    said = done.stderr.replace(environ["OPENAI_BASE_URL"], "{url}")
    head, name, rest = expected.partition("({why})")
    assert said.startswith(f"provider openai: {head}")
    assert said.rstrip().endswith(rest if name else head)
    assert name or said.rstrip() == f"provider openai: {head}"
    assert done.returncode == 1
    assert not alone.home.exists()
    assert took_s < MOST_S


def test_an_address_without_its_path_is_told_with_the_right_one(alone: Shell) -> None:
    """A line to paste; a slash and spaces around the address are no matter."""
    with providers() as opened:
        url = opened().url
        done = alone.runoff("run", alone.campaign(), OPENAI_BASE_URL=f" {url.removesuffix('/v1')}/ ")
    assert f"the API answers at {url}. " in done.stderr
    assert f"\n  export OPENAI_BASE_URL={url}\n" in done.stderr
    assert done.returncode == 1
    assert not alone.home.exists()


@pytest.mark.slow
def test_a_run_with_nothing_left_to_buy_needs_no_provider(shell: Shell, open_provider: OpenProvider) -> None:
    """It is finished though its provider has gone."""
    open_provider()
    assert shell.json("run", shell.campaign({"finalists": {"count": 0}}))["state"] == "done"
    with nobody_listens() as environ:
        done = shell.runoff("run", "--resume", "latest", **environ)
    assert done.returncode == 0, done.stderr
