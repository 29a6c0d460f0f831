"""Which Dask scheduler's workers do a run's work; asked before anything of Dask or of a worker is loaded."""

from collections.abc import Mapping

DASK_VARIABLE = "RUNOFF_DASK"


def scheduler_address(environ: Mapping[str, str]) -> str | None:
    """Return the scheduler whose workers do the work; ``None`` if it is done in this process."""
    return environ.get(DASK_VARIABLE, "").strip() or None
