"""Workers: what does a run's work beside its flow, on other machines or in a process next to it.

``dask_pool`` is the flow's side of one run on many machines, in batches at the workers of a Dask scheduler:
it submits batches, tells workers to stop, and notices when there are none. ``worker`` is a worker's side: it
buys, inspects and evaluates its batch while the flow holds the run lock. Only ``dask_pool`` imports Dask, and
only when ``RUNOFF_DASK`` names a scheduler. ``evaluator`` is the flow's side of the process that evaluates
the pictures of a large run on this machine; ``evaluation_process`` starts it, and ``evaluation_program`` is
what it does.
"""

__all__ = ["dask_pool", "evaluation_process", "evaluator", "scheduler", "worker"]
