"""Checks the machine: package versions, the home folder, the disk and the clock."""

import platform
import secrets
import shutil
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.requirements import Requirement

from tasks.clock import TODAY_VARIABLE
from tasks.diagnostics.finding import Finding
from tasks.errors import SettingError
from tasks.storage.home import prepare_home
from tasks.storage.mirror import HOME_VARIABLE, store_of

BYTES_PER_GB = 1_000_000_000
LOW_DISK_BYTES = BYTES_PER_GB
FULL_DISK_BYTES = BYTES_PER_GB // 10
CLOCK_TOLERANCE_S = 120
NAMED = ("prefect", "fastapi", "sqlalchemy", "openai")
"""Packages whose versions are always shown: a wrong version of them breaks runs without a clear error."""


def check_versions() -> Iterator[Finding]:
    """Compare installed packages with Runoff's requirements."""
    yield Finding("Runoff", "ok", f"{version('runoff')} on Python {platform.python_version()}")
    asked = [Requirement(line) for line in requires("runoff") or []]
    asked = [requirement for requirement in asked if requirement.marker is None]
    wrong = [fault for requirement in asked if (fault := _fault(requirement))]
    if wrong:
        yield Finding("packages", "fault", "; ".join(wrong), "Reinstall it: pip install -e .")
        return
    named = ", ".join(f"{name} {version(name)}" for name in NAMED)
    yield Finding("packages", "ok", f"{named}; all {len(asked)} as required")


def _fault(requirement: Requirement) -> str | None:
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        return f"{requirement.name} is not installed"
    if requirement.specifier.contains(installed, prereleases=True):
        return None
    return f"{requirement.name} {installed} is installed, but {requirement.specifier} is required"


def check_home(home: Path) -> Iterator[Finding]:
    """Check that the home folder can be written, or created, and that its disk has room."""
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    yield _writable(home, there)
    free_bytes = shutil.disk_usage(there).free
    room = f"{free_bytes / BYTES_PER_GB:,.1f} GB free"
    next_step = f"Free some space, or use a home on another disk with --home or {HOME_VARIABLE}."
    if free_bytes < FULL_DISK_BYTES:
        yield Finding("disk", "fault", f"{free_bytes / 1e6:,.0f} MB free: pictures would not fit", next_step)
    elif free_bytes < LOW_DISK_BYTES:
        yield Finding("disk", "warning", f"only {free_bytes / 1e6:,.0f} MB free", next_step)
    else:
        yield Finding("disk", "ok", room)


def check_store(home: Path) -> Iterator[Finding]:
    """With a home in an object store, check that files can be written, read and deleted there."""
    store = store_of(home)
    if store is None:
        return
    folder = store.mirror / f".doctor-{secrets.token_hex(6)}"
    probe = folder / "probe"
    try:
        folder.mkdir(parents=True)
        probe.write_bytes(b"probe")
        store.keep([probe])
        probe.unlink()
        store.fetch_file(probe)
        is_back = probe.exists()
        store.drop(folder, [probe])
    except SettingError as error:
        yield Finding.of("store", error)
        return
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if is_back:
        yield Finding("store", "ok", f"{store.address} can be read, written and deleted from")
    else:
        what = f"{store.address} does not return what was written to it"
        yield Finding("store", "fault", what, f"Name another store in {HOME_VARIABLE}.")


def _writable(home: Path, there: Path) -> Finding:
    if there == home:
        try:
            prepare_home(home)
        except SettingError as error:
            return Finding.of("home", error)
        return Finding("home", "ok", f"{home} can be written")
    try:
        with TemporaryDirectory(prefix=".runoff-", dir=there):
            return Finding("home", "ok", f"{home} will be created by the first run")
    except OSError as error:
        what = f"{home} cannot be created in {there}: {error.strerror}"
        return Finding("home", "fault", what, f"Name another with --home or {HOME_VARIABLE}.")


def check_clock(clock_ahead_s: float | None, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Compare the clock with the provider's: monthly budgets and shutdown dates depend on it.

    Args:
        clock_ahead_s: How far it is ahead of the provider's, seconds; ``None`` when not known.
        environ: Where ``RUNOFF_TODAY`` may replace today's date.
    """
    if environ.get(TODAY_VARIABLE):
        what = f"{TODAY_VARIABLE} sets today to {environ[TODAY_VARIABLE]}"
        yield Finding("day", "warning", what, f"End the rehearsal with: unset {TODAY_VARIABLE}")
    if clock_ahead_s is None:
        return
    if abs(clock_ahead_s) <= CLOCK_TOLERANCE_S:
        yield Finding("clock", "ok", "agrees with the provider's")
        return
    side = "ahead of" if clock_ahead_s > 0 else "behind"
    what = f"{abs(clock_ahead_s):,.0f} s {side} the provider's"
    yield Finding("clock", "warning", what, "Correct it: budget months and shutdown dates depend on it.")
