"""What leaves a process without its code knowing: logs, standard output and error, errors as objects."""

import asyncio
import errno
import io
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator

import click
import httpx2
import pytest
from rich.console import Console

from tasks.errors import SettingError
from tasks.redaction import Secret, learn_environment, redacted_outputs, with_redacted_errors

KEY = "planted/key+0123\"45\\6'789=abcdef"


@pytest.fixture(autouse=True)
def _known() -> None:
    """Know the key."""
    learn_environment({"SOME_KEY": KEY})


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The text that a handler of a logger far below writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger = logging.getLogger("planted.below")
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)


def test_no_log_record_has_a_secret(log: io.StringIO) -> None:
    """Neither in its message, its arguments nor its traceback; what has none is logged as ever."""
    logger = logging.getLogger("planted.below")
    logger.error("as an argument: %s, %r, 100 %%", KEY, KEY)
    logger.error(f"in the message: {KEY}, 100 %")
    try:
        raising(ValueError(KEY))
    except ValueError:
        logger.exception("with a traceback")
    logger.error("wrong arguments are logging's own affair", extra={"other": 1})
    text = log.getvalue()
    assert "planted/key" not in text
    assert "6'789" not in text
    assert "ERROR as an argument: [secret], '[secret]', 100 %\n" in text
    assert "ERROR in the message: [secret], 100 %\n" in text
    assert "Traceback (most recent call last)" in text
    assert "ValueError: [secret]" in text


def test_standard_output_and_error_have_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever writes to them: print, a console made before, a traceback of a thread."""
    before = sys.stdout, sys.stderr

    def fail() -> None:
        raise ValueError(KEY)

    with redacted_outputs():
        sys.stdout.write(f"written {KEY}\n")
        sys.stdout.writelines([f"lines {KEY}\n"])
        Console(width=200).print(f"console {KEY}", markup=False)
        click.echo(f"bytes {KEY}".encode())  # as click answers a shell that completes
        assert not hasattr(sys.stdout, "buffer")
        thread = threading.Thread(target=lambda: sys.excepthook(ValueError, ValueError(KEY), None))
        thread.start()
        thread.join()
        sys.stderr.write(f"error {KEY!r}\n")
    assert (sys.stdout, sys.stderr) == before
    said = capsys.readouterr()
    assert said.out == "written [secret]\nlines [secret]\nconsole [secret]\nbytes [secret]\n"
    assert "ValueError: [secret]" in said.err
    assert "error '[secret]'\n" in said.err


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("ascii", "4 - 2 ... -> ? [secret] ?\n"),
        ("cp1252", "4 - 2 ... -> é [secret] ?\n"),
        ("utf-8", "4 - 2 ... -> é [secret] ?\n"),
    ],
)
def test_what_an_encoding_cannot_express_is_written_in_another_way(
    encoding: str, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine without UTF-8, or a file name that is no text, stops no command."""
    stream = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(stream, encoding=encoding, newline="\n"))
    with redacted_outputs():
        sys.stdout.write(f"4 · 2 … → é {KEY} \udcff\n")
        sys.stdout.flush()
    assert stream.getvalue().decode(encoding) == written


class Full(io.StringIO):
    """A file on a full disk."""

    def write(self, _: str) -> int:
        """Fail."""
        raise OSError(errno.ENOSPC, "No space left on device")


def test_an_output_that_cannot_be_written_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever prints; why is told in the end, and what was written before is still there."""
    monkeypatch.setattr(sys, "stdout", Full())
    with redacted_outputs() as lost:
        click.echo("a line")
        Console().print("another line")
    assert {fault.errno for fault in lost} == {errno.ENOSPC}


def test_a_pipe_that_nobody_reads_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is still to be written goes nowhere, and the process ends without a word about it."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        with redacted_outputs() as lost:
            click.echo("read")
            assert os.read(reading, 9) == b"read\n"
            os.close(reading)
            for _ in range(2):
                click.echo("not read")
    assert [type(fault) for fault in lost] == [BrokenPipeError]


def test_a_process_without_outputs_has_some_that_lead_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those that were started with them closed; nothing is asked then."""
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    with redacted_outputs() as lost:
        click.echo("a line")
        sys.stderr.write("an error")
        assert (sys.stdin.isatty(), sys.stdin.read(), sys.stdout.isatty()) == (False, "", False)
    assert (sys.stdin, sys.stdout, sys.stderr, lost) == (None, None, None, [])


def raising(error: BaseException) -> None:
    """Raise it."""
    raise error


ERRORS: dict[str, Callable[[], Exception]] = {
    "an argument": lambda: ValueError("before", KEY, 3),
    "bytes": lambda: httpx2.LocalProtocolError(f"Illegal header value {KEY.encode()!r}"),
    "a list": lambda: KeyError([KEY]),
    "a group": lambda: ExceptionGroup("several", [ValueError(KEY)]),
    "a file name": lambda: FileNotFoundError(2, "No such file", f"/tmp-{KEY}"),
    "one of ours": lambda: SettingError(where=KEY, what=KEY),
}


@pytest.mark.parametrize("what", ERRORS)
def test_no_error_leaves_with_a_secret(what: str) -> None:
    """Nor does what caused it, or what was handled meanwhile: Prefect stores all of them."""

    def fail() -> None:
        try:
            raising(ValueError(KEY))
        except ValueError as cause:
            raise ERRORS[what]() from cause

    async def fail_async() -> None:
        fail()

    for call in (with_redacted_errors(fail), lambda: asyncio.run(with_redacted_errors(fail_async)())):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - of each kind
            call()
        error: BaseException | None = caught.value
        assert error is not None
        while error is not None:
            assert not any(part in f"{error} {error!r}" for part in ("planted", "6'789", "0123"))
            error = error.__cause__


def test_an_error_without_a_secret_is_the_same_error() -> None:
    """With its type, its attributes and its place."""
    error = ValueError("nothing", {"to": "hide"})
    with pytest.raises(ValueError, match="nothing") as caught:
        with_redacted_errors(raising)(error)
    assert caught.value is error


def test_a_redacted_function_is_called_like_the_one_it_is_made_of() -> None:
    """With its arguments, its result and its name."""

    def add(left: int, right: int = 1) -> int:
        """Add."""
        return left + right

    assert with_redacted_errors(add)(1, right=2) == 3
    assert with_redacted_errors(add).__name__ == "add"
    assert Secret(KEY).reveal() == KEY
