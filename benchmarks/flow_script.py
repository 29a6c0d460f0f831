"""The hand-written script as a flow of Prefect's: all orders in one flow, or each in a task of its own.

What a flow costs before it does anything of Runoff's. ``peers.py`` runs it beside a server that runs, as
``python -m benchmarks.flow_script ORDERS CONCURRENCY FOLDER [tasks]``.
"""

import asyncio
import sys
from pathlib import Path

from prefect import flow, task

from benchmarks.bare_script import buy_one, main


@flow
async def script(n_orders: int, concurrency: int, folder: Path) -> None:
    """Do what the script does."""
    await main(n_orders, concurrency, folder)


@flow
async def script_of_tasks(n_orders: int, concurrency: int, folder: Path) -> None:
    """Do what the script does, each order in a task, as Prefect's documentation shows."""
    await main(n_orders, concurrency, folder, task(buy_one))


if __name__ == "__main__":
    made = script_of_tasks if "tasks" in sys.argv else script
    asyncio.run(made(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
