"""Runoff's home folder, the folders in it, and the lock file of a run."""

import os
import platform
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from tasks.errors import RunError, SettingError
from tasks.storage.given_path import expand_home, resolve_path
from tasks.storage.mirror import HOME_VARIABLE, address_of, mirror_of

DEFAULT_HOME = "runs"
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
CAMPAIGN_FILE = "campaign.yaml"
REPORT_PAGE = "report.html"
SUMMARY_FILE = "summary.json"
"""The campaign as it was run, in the run's folder."""
TRACE_FILE = "trace.json"
"""The last span of the run, in its folder, if it was traced."""
ANSWERS = "answers"
THUMBNAILS = "thumbnails"
"""The folder of the sidecars, one for each answered order, in the run's folder."""
STAGE_FOLDERS: Mapping[str, str] = {"draft": "drafts", "final": "finals"}
PAID_FOLDERS = (ANSWERS, *STAGE_FOLDERS.values())
"""The folders of the pictures in the run's folder, by stage."""


def home_folder(option: str | Path | None, environ: Mapping[str, str]) -> Path:
    """Find the home folder: the option, else ``RUNOFF_HOME``, else ``./runs``; absolute.

    For an address such as ``s3://bucket/prefix`` it is this machine's mirror.

    Raises:
        SettingError: Its path holds a line end or another control character, or is no UTF-8; or the mirror
            cannot be created.
    """
    place = str(option or environ.get(HOME_VARIABLE) or DEFAULT_HOME)
    if _UNPRINTABLE.search(place):
        raise SettingError(
            where=f"home {place!a}",
            what="has a control character in its path, or is not UTF-8",
            accepted="a folder whose path can be printed",
            next_step=f"Use another one with --home or {HOME_VARIABLE}.",
        )
    address = address_of(place)
    return mirror_of(address, environ) if address else resolve_path(expand_home(place))


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
        raise _unwritable(where=f"home {home}", error=error) from error


def _unwritable(*, where: str, error: OSError) -> SettingError:
    return SettingError(
        where=where,
        what=f"cannot be written: {error.strerror or error}",
        accepted="a folder that this user may write",
        next_step=f"Make it writable, or use another home with --home or {HOME_VARIABLE}.",
    )


def began_at(run_id: str) -> datetime:
    """Read when a run began from its id.

    Raises:
        ValueError: It is no run's id.
    """
    return datetime.strptime(run_id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)


def run_folder(home: Path, campaign: str, run_id: str) -> Path:
    """Return a run's folder below the home.

    Args:
        home: Runoff's home.
        campaign: The campaign's name.
        run_id: The run.
    """
    return home / campaign / run_id


def paid_runs(home: Path, known: Collection[str] = ()) -> Iterator[Path]:
    """Find the run folders that hold answers or pictures, which were paid; in sequence of their names.

    Args:
        home: Runoff's home; a folder in it that cannot be read is left out.
        known: The ids of runs to leave out.
    """
    for run in run_folders(home):
        if run.name not in known and any(map(_holds_files, _places(run))):
            yield run


def run_folders(home: Path) -> Iterator[Path]:
    """List the folders of runs, in sequence of their names.

    Args:
        home: Runoff's home; a folder in it that cannot be read is left out.
    """
    for campaign in _folders(home):
        yield from _folders(campaign)


def _places(run: Path) -> Iterator[Path]:
    return (run / name for name in PAID_FOLDERS)


def _folders(folder: Path) -> list[Path]:
    with suppress(OSError):
        return sorted(one for one in folder.iterdir() if not one.name.startswith(".") and one.is_dir())
    return []


def _holds_files(folder: Path) -> bool:
    with suppress(OSError):
        return any(not one.name.startswith(".") for one in folder.iterdir())
    return False


def run_lock_file(folder: Path) -> Path:
    """Name the lock file of a run."""
    return folder / ".lock"


@contextmanager
def run_lock(folder: Path, wait_s: float = 0) -> Iterator[str]:
    """Lock a run for this process, so that no other resumes it; a killed process releases the lock.

    Args:
        folder: The run's folder.
        wait_s: How long to wait for who holds it, seconds.

    Yields:
        The lock file's identity among all machines: host, device and inode.

    Raises:
        RunError: Another process works on the run.
        SettingError: The folder cannot be written.
    """
    lock = FileLock(run_lock_file(folder))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=wait_s)
    except Timeout as error:
        raise RunError(
            where=f"run {folder.name}",
            what="another process is working on it",
            next_step="Wait for it to end, then: runoff runs",
        ) from error
    except OSError as error:
        raise _unwritable(where=f"run folder {folder}", error=error) from error
    try:
        file = Path(lock.lock_file).stat()
        yield f"{platform.node()[:200]}:{file.st_dev}:{file.st_ino}"
    finally:
        lock.release()
