"""Proxies and certificates: what no library could use is said, or kept from what stays on this machine."""

import ssl
from pathlib import Path
from unittest.mock import patch

import httpx
import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.errors import SettingError
from tasks.network import check_certificates, check_proxies, is_loopback, local_network

FAR = "https://images.example.org/v1"
NEAR = "http://127.0.0.1:8000/v1"
SOCKS = "socks5://me:planted-word+1@127.0.0.1:1080"


def without_socksio(name: str) -> None:
    """Find no package."""
    assert name == "socksio"


@pytest.fixture(autouse=True)
def _no_socksio(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be on a machine without the package for SOCKS."""
    monkeypatch.setattr("tasks.network.find_spec", without_socksio)


@pytest.mark.parametrize("name", ["ALL_PROXY", "all_proxy", "HTTPS_PROXY"])
def test_a_socks_proxy_without_its_package_is_told_in_a_sentence(name: str) -> None:
    """It names the variable, what to install, and no password; what is on this machine needs no proxy."""
    with pytest.raises(SettingError) as caught:
        check_proxies({name: SOCKS}, FAR)
    message = str(caught.value)
    assert message.startswith(f"{name}: the proxy 'socks5://me:[secret]@127.0.0.1:1080' is a SOCKS proxy")
    assert "pip install socksio" in message
    assert "Nothing was bought." in message
    check_proxies({name: SOCKS}, NEAR)


def test_a_socks_proxy_with_its_package_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said, and nothing is kept from anybody."""
    monkeypatch.setattr("tasks.network.find_spec", lambda name: name)
    check_proxies({"ALL_PROXY": SOCKS}, FAR)
    assert "ALL_PROXY" not in local_network({"ALL_PROXY": SOCKS})


@pytest.mark.parametrize("value", ["socks4://h:1", "http://", "http://h:99999", "ftp://h", "http://[::1"])
def test_what_is_no_proxy_is_refused(value: str) -> None:
    """Every one of them would be a traceback in the library."""
    with pytest.raises(SettingError, match=r"HTTP_PROXY: the proxy .* is no address of a proxy"):
        check_proxies({"HTTP_PROXY": value}, FAR)


@pytest.mark.parametrize("value", ["", "proxy:8080", "http://proxy:8080", "https://me:word@proxy"])
def test_an_http_proxy_is_accepted(value: str) -> None:
    """With or without a scheme, a port, and credentials."""
    check_proxies({"HTTPS_PROXY": value}, FAR)


@pytest.mark.parametrize(
    ("url", "is_here"),
    [
        (NEAR, True), ("http://localhost:4200/api", True), ("http://[::1]:1/v1", True),
        ("http://127.9.9.9", True),
        (FAR, False), ("http://10.0.0.1/v1", False), ("http://localhost.example.org", False),
    ],
)  # fmt: skip
def test_this_machine_is_known(url: str, is_here: bool) -> None:
    """By name and by address."""
    assert is_loopback(url) is is_here


NAMES = st.sampled_from(
    [
        "localhost", "[::1]", "::1", "fd00::/8", "10.0.0.0/8", ".example.org", "*.example.org", "*",
        "host:8080",
        "[fe80::1]:80", "a[b", "http://h", "", " ", "ü.example", "host:80:90", "::/0",
    ]
) | st.text(st.characters(codec="ascii", exclude_characters="\0\n"), max_size=12)  # fmt: skip
PROXIES = st.sampled_from(["", SOCKS, "http://127.0.0.1:9", "proxy:8080", "socks4://h", "http://["])


@given(
    environ=st.fixed_dictionaries(
        {},
        optional={
            "NO_PROXY": st.lists(NAMES, max_size=4).map(",".join),
            "no_proxy": st.lists(NAMES, max_size=4).map(",".join),
            **dict.fromkeys(("ALL_PROXY", "http_proxy", "HTTPS_PROXY"), PROXIES),
        },
    )
)
@example(environ={"NO_PROXY": "localhost,[::1],fd00::/8", "ALL_PROXY": "http://127.0.0.1:9"})
def test_with_the_changes_every_client_can_be_made_and_reaches_this_machine(environ: dict[str, str]) -> None:
    """Both libraries, whatever proxies and exceptions are set; and this machine is never behind a proxy."""
    changed = {
        name: value for name, value in {**environ, **local_network(environ)}.items() if value is not None
    }
    with patch.dict("os.environ", changed, clear=True):
        for library in (httpx, httpx2):
            with library.Client(verify=False) as client:
                transport = client._transport_for_url(library.URL(NEAR))
                assert transport is client._transport


def test_a_file_of_certificates_must_be_there_and_hold_some(tmp_path: Path) -> None:
    """The sentence names the variable and the file."""
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for file, fault in (
        (tmp_path / "none.pem", "is missing"),
        (tmp_path, "is missing, or no file"),
        (empty, "cannot"),
    ):
        with pytest.raises(SettingError, match=rf"SSL_CERT_FILE: the file of certificates '{file}' {fault}"):
            check_certificates({"SSL_CERT_FILE": str(file)})
    check_certificates({})
    check_certificates({"SSL_CERT_FILE": str(ssl.get_default_verify_paths().cafile or "")})
