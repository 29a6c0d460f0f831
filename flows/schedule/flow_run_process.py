"""Whether the process of a flow run is at work on this machine, from its first moment on.

It loads for seconds before it begins a run and holds its lock; a scheduler that was killed leaves it loading.
"""

from pathlib import Path

_PROCESSES = Path("/proc")
_PROGRAM = b"prefect.engine"


def is_at_work(flow_run_id: str) -> bool:
    """Return whether a process of this machine and user works on a flow run, or loads to do so.

    Prefect names the flow run in the environment of the process. ``False`` where the system does not show it:
    elsewhere than on Linux, and in another container.

    Args:
        flow_run_id: The flow run.
    """
    named = f"PREFECT__FLOW_RUN_ID={flow_run_id}".encode()
    for folder in _PROCESSES.glob("[0-9]*"):
        try:
            if _PROGRAM in (folder / "cmdline").read_bytes().split(b"\0") and named in (
                folder / "environ"
            ).read_bytes().split(b"\0"):
                return True
        except OSError:  # it has ended, or is another user's
            continue
    return False
