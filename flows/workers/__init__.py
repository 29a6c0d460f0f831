"""Workers: one run on many machines, in batches at the workers of a Dask scheduler.

``dask_pool`` is the flow's side: it submits batches, tells workers to stop, and notices when there are none.
``worker`` is a worker's side: it buys, inspects and evaluates its batch while the flow holds the run lock.
Only ``dask_pool`` imports Dask, and only when ``RUNOFF_DASK`` names a scheduler.
"""

__all__ = ["dask_pool", "worker"]
