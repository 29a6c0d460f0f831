"""The engine: the Prefect server of this home, started in the background or found running.

Prefect cannot run a flow without a server, and its own embedded one blocks for a quarter of a minute on
first use. This package starts the server in the background, shares it between the Runoff processes of one
home, and stops it with the last of them. Nothing here imports Prefect into the calling process.
"""

from flows.engine.start_server import Engine, start_engine

__all__ = [
    "Engine",
    "prefect_server",
    "presence",
    "recorded_run",
    "registry",
    "start_engine",
    "start_server",
]
