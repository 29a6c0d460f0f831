"""Where things are kept: the home, a run's folder in it, and the lock one process holds on a run."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from tasks.errors import RunError, SettingError
from tasks.storage.mirror import HOME_VARIABLE, address_of, mirror_of

DEFAULT_HOME = "runs"
CAMPAIGN_FILE = "campaign.yaml"
"""The campaign as it was run, in the run's folder."""


def home_folder(option: str | Path | None, environ: Mapping[str, str]) -> Path:
    """Find the home folder: the option, else ``RUNOFF_HOME``, else ``./runs``; absolute.

    Of an address such as ``s3://bucket/prefix`` it is this machine's mirror.

    Raises:
        SettingError: The mirror cannot be made.
    """
    said = str(option or environ.get(HOME_VARIABLE) or DEFAULT_HOME)
    address = address_of(said)
    return mirror_of(address, environ) if address else Path(said).expanduser().resolve()


def drawn_folder(home: Path) -> Path:
    """Name the folder of the masks and pictures that Runoff draws to send along, below the home."""
    return home / "drawn"


def prepare_home(home: Path) -> None:
    """Make the home folder and see that it can be written.

    Raises:
        SettingError: It cannot be made or written.
    """
    probe = home / f".writable-{os.getpid()}"
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise SettingError(
            where=f"home {home}",
            what=f"cannot be written: {error.strerror}",
            accepted="a folder that this user may write",
            next_step=f"Name another one with --home or {HOME_VARIABLE}.",
        ) from error


def run_folder(home: Path, campaign: str, run_id: str) -> Path:
    """Name a run's folder below the home."""
    return home / campaign / run_id


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold a run for this process, so that nobody else resumes it meanwhile; a killed process lets go.

    Raises:
        RunError: Another process works on the run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise RunError(
            where=f"run {folder.name}",
            what="another process works on it",
            next_step="Wait for it to end, then: runoff runs",
        ) from error
    try:
        yield
    finally:
        lock.release()
