"""Runoff's home folder, the folders in it, and the lock file of a run."""

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

    For an address such as ``s3://bucket/prefix`` it is this machine's mirror.

    Raises:
        SettingError: The mirror cannot be created.
    """
    place = str(option or environ.get(HOME_VARIABLE) or DEFAULT_HOME)
    address = address_of(place)
    return mirror_of(address, environ) if address else Path(place).expanduser().resolve()


def drawn_folder(home: Path) -> Path:
    """Return the folder of the masks and pictures that Runoff draws to send along, below the home."""
    return home / "drawn"


def prepare_home(home: Path) -> None:
    """Create the home folder and check that it can be written.

    Raises:
        SettingError: It cannot be created or written.
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
            next_step=f"Use another one with --home or {HOME_VARIABLE}.",
        ) from error


def run_folder(home: Path, campaign: str, run_id: str) -> Path:
    """Return a run's folder below the home.

    Args:
        home: Runoff's home.
        campaign: The campaign's name.
        run_id: The run.
    """
    return home / campaign / run_id


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Lock a run for this process, so that no other resumes it; a killed process releases the lock.

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
            what="another process is working on it",
            next_step="Wait for it to end, then: runoff runs",
        ) from error
    try:
        yield
    finally:
        lock.release()
