"""How much memory a run may take, by what Linux says of the machine and of the group of processes."""

from pathlib import Path

import pytest

from tasks.diagnostics.memory import check_memory

UNLIMITED = "9223372036854771712"


def files_in(root: Path, files: dict[str, str]) -> Path:
    """Write the files that Linux would show."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{text}\n")
    return root


MACHINE = {"proc/meminfo": "MemTotal:  16000000 kB\nMemAvailable:  8000000 kB"}
IN_A_CONTAINER = {"proc/self/cgroup": "0::/", "sys/fs/cgroup/memory.max": "536870912"}
SERVICE = "sys/fs/cgroup/system.slice/runoff.service/memory.max"
OF_A_SERVICE = {"proc/self/cgroup": "0::/system.slice/runoff.service", SERVICE: "536870912"}
IN_A_SLICE = {
    "proc/self/cgroup": "0::/system.slice/runoff.service",
    SERVICE: "max",
    "sys/fs/cgroup/system.slice/memory.max": "536870912",
}
OF_VERSION_1 = {
    "proc/self/cgroup": "5:cpu,cpuacct:/docker/af1\n4:memory:/docker/af1",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "536870912",
}


@pytest.mark.parametrize("group", [IN_A_CONTAINER, OF_A_SERVICE, IN_A_SLICE, OF_VERSION_1])
def test_a_container_or_service_with_little_memory_is_warned_of(
    group: dict[str, str], tmp_path: Path
) -> None:
    """However large the machine is."""
    (found,) = check_memory(files_in(tmp_path, MACHINE | group))
    assert found.state == "warning"
    assert found.what.startswith("only 537 MB may be used")


@pytest.mark.parametrize(
    "group",
    [
        {},
        {"proc/self/cgroup": "0::/", "sys/fs/cgroup/memory.max": "max"},
        OF_VERSION_1 | {"sys/fs/cgroup/memory/memory.limit_in_bytes": UNLIMITED},
        {"proc/self/cgroup": "4:memory:/docker/af1\nnot a group"},
    ],
)
def test_without_a_limit_the_machines_memory_counts(group: dict[str, str], tmp_path: Path) -> None:
    """What is free of it."""
    (found,) = check_memory(files_in(tmp_path, MACHINE | group))
    assert (found.state, found.what) == ("ok", "8.2 GB free")


def test_nothing_is_said_of_memory_that_is_not_known(tmp_path: Path) -> None:
    """As on macOS and Windows."""
    assert list(check_memory(tmp_path)) == []
