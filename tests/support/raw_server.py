"""A server of bytes: answers every request as told, down to single bytes and pauses."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Send = Callable[[bytes], None]
Answer = Callable[[Send], None]


@dataclass
class RawServer:
    """An address, and what was sent from there.

    Args:
        url: The address, up to ``/v1``.
        sent_bytes: How much every request was sent, one entry each.
    """

    url: str
    sent_bytes: list[int] = field(default_factory=list)


@contextmanager
def raw_server(answer: Answer) -> Iterator[RawServer]:
    """Serve on a free port of this machine until the end; a client that goes away ends its answer.

    Args:
        answer: Sends the bytes of an answer, from its status line on.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = RawServer(f"http://127.0.0.1:{listening.getsockname()[1]}/v1")

        def serve() -> None:
            with suppress(OSError):  # it was closed
                while True:
                    connection, _ = listening.accept()
                    threading.Thread(target=_answer, args=(connection, answer, server), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield server


def _answer(connection: socket.socket, answer: Answer, server: RawServer) -> None:
    place = len(server.sent_bytes)
    server.sent_bytes.append(0)

    def send(data: bytes) -> None:
        connection.sendall(data)
        server.sent_bytes[place] += len(data)

    with connection, suppress(OSError):
        _read_request(connection)
        answer(send)


def _read_request(connection: socket.socket) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(65536) or b"\r\n\r\n"
    head, _, body = head.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    left = int(lengths[0].split(b":")[1]) - len(body) if lengths else 0
    while left > 0:
        left -= len(connection.recv(65536)) or left
