"""One run over many machines: batches of orders and of scoring on the workers of a Dask scheduler.

``team`` is the flow's side: it hands batches out, tells workers to stop, and notices when there are none.
``stages`` are the stages that are done so. ``bench`` is a worker's side: it buys, looks at and scores what it
is handed, under the flow's hold on the run. Only ``team`` imports Dask, and only when ``RUNOFF_DASK`` names a
scheduler.
"""

__all__ = ["dask_pool", "worker"]
