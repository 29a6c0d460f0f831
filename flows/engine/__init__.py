"""The engine: a Prefect server for this home, started beside other work or found running.

Prefect cannot run a flow without a server, and its own embedded one blocks for a quarter of a minute on
first use. This package starts the server in the background, shares it between the Runoff processes of one
home, and lets it end with the last of them. Nothing here imports Prefect into the calling process.
"""

from flows.engine.launcher import Engine, start_engine

__all__ = ["Engine", "launcher", "presence", "start_engine"]
