"""Checks how much memory a run may take: of the machine's, or what its container is allowed."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from tasks.diagnostics.finding import Finding

BYTES_PER_MB = 1_000_000
LOW_MEMORY_MB = 800
"""A run of 1,000 pictures takes 500 MB, its own Prefect server 230: ``benchmarks/whole_run.py``. A machine in
use needs some of its own."""

_CONTROL_GROUPS = (("", "", "memory.max"), ("memory", "memory", "memory.limit_in_bytes"))
"""Of both versions of control groups: the controller's name, the folder that it is mounted in, and the file
of the limit. Source: Linux, Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst."""


def check_memory(root: Path = Path("/")) -> Iterator[Finding]:
    """Compare the memory that a run may take with what it needs; on Linux, elsewhere nothing is said.

    Args:
        root: Where ``proc`` and ``sys`` are.
    """
    free_mb = _free_mb(root)
    if free_mb is None:
        return
    if free_mb >= LOW_MEMORY_MB:
        yield Finding("memory", "ok", f"{free_mb / 1000:,.1f} GB free")
        return
    what = f"only {free_mb:,.0f} MB may be used: a run of 1,000 pictures takes 500 MB, and 730 MB with a"
    way_out = "Give it 1 GB, or 800 MB with a Prefect server elsewhere (PREFECT_API_URL)."
    yield Finding("memory", "warning", f"{what} Prefect server of its own", way_out)


def _free_mb(root: Path) -> float | None:
    """Return what is free, or less where a group of processes is allowed less; ``None`` where not known."""
    known = [*_machines_bytes(root), *_allowed_bytes(root)]
    return min(known) / BYTES_PER_MB if known else None


def _machines_bytes(root: Path) -> Iterator[int]:
    with suppress(OSError, ValueError, IndexError):
        for line in (root / "proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                yield int(line.split()[1]) * 1024


def _allowed_bytes(root: Path) -> Iterator[int]:
    """Yield the limits of this process's groups, and of those that they belong to."""
    try:
        groups = [line.split(":", 2) for line in (root / "proc/self/cgroup").read_text().splitlines()]
    except OSError:
        return
    for name, folder, file in _CONTROL_GROUPS:
        for own in (group[2] for group in groups if len(group) == 3 and name in group[1].split(",")):
            path = PurePosixPath(own.lstrip("/"))
            # A container sees its own group as the root, whatever its name.
            for each in (path, *path.parents):
                with suppress(OSError, ValueError):  # a group without a limit says ``max``
                    yield int((root / "sys/fs/cgroup" / folder / each / file).read_text())
