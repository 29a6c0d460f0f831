"""One run over many machines: batches of orders and of evaluation at the workers of a Dask scheduler.

``dask_pool`` is the flow's side: it hands batches out, tells workers to stop, and notices when there are
none. ``worker`` is a worker's side: it buys, inspects and evaluates what it is handed, while the flow holds
the run.
Only ``dask_pool`` imports Dask, and only when ``RUNOFF_DASK`` names a scheduler.
"""

__all__ = ["dask_pool", "worker"]
