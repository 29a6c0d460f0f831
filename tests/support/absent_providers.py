"""Ways in which a provider is not there: real sockets and servers, and the environment that leads to them."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.support.raw_server import Send, raw_server

Environ = dict[str, str]
Way = Callable[[], AbstractContextManager[Environ]]


@contextmanager
def closed_port() -> Iterator[int]:
    """Hold a port of this machine at which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@contextmanager
def nobody_listens() -> Iterator[Environ]:
    """Lead to a closed port."""
    with closed_port() as port:
        yield {"OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1"}


@contextmanager
def no_such_name() -> Iterator[Environ]:
    """Lead to a name that is reserved for having no address."""
    yield {"OPENAI_BASE_URL": "https://nobody.invalid/v1"}


def behind_proxy(answer: bytes | None) -> Way:
    """Lead through a proxy that gives one answer to everything; ``None`` for one that is down."""

    @contextmanager
    def way() -> Iterator[Environ]:
        url = "http://images.example/v1"
        if answer is None:
            with closed_port() as port:
                yield {"OPENAI_BASE_URL": url, "HTTP_PROXY": f"http://127.0.0.1:{port}"}
            return
        with raw_server(lambda send: send(answer)) as server:
            yield {"OPENAI_BASE_URL": url, "HTTP_PROXY": server.url.removesuffix("/v1")}

    return way


def answering(status: str, media_type: str, body: str, path: str = "") -> Way:
    """Lead to a server that gives one answer to everything, at an address that ends with a path."""
    content = body.encode()
    head = f"HTTP/1.1 {status}\r\ncontent-type: {media_type}\r\ncontent-length: {len(content)}\r\n"
    answer = f"{head}connection: close\r\n\r\n".encode() + content

    @contextmanager
    def way() -> Iterator[Environ]:
        def answer_with(send: Send) -> None:
            send(answer)

        with raw_server(answer_with) as server:
            yield {"OPENAI_BASE_URL": f"{server.url}{path}"}

    return way


@contextmanager
def silent() -> Iterator[Environ]:
    """Lead to a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield {"OPENAI_BASE_URL": f"http://127.0.0.1:{listening.getsockname()[1]}/v1"}


@contextmanager
def resetting() -> Iterator[Environ]:
    """Lead to a server that resets each connection once it has read from it."""

    def reset(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with _accepting(reset) as port:
        yield {"OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1"}


@contextmanager
def self_signed() -> Iterator[Environ]:
    """Lead to a server whose certificate nobody vouches for."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "certificate.pem"
        file.write_bytes(_certificate())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)

    def shake_hands(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            wrapped.recv(65536)

    with _accepting(shake_hands) as port:
        yield {"OPENAI_BASE_URL": f"https://127.0.0.1:{port}/v1"}


@contextmanager
def _accepting(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Give every connection to a function, one after another."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            with suppress(OSError):  # it was closed
                while True:
                    connection, _ = listening.accept()
                    with connection, suppress(OSError):
                        serve(connection)

        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1]


def _certificate() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM) + private
