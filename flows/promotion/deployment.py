"""Promotion by the workers of a Prefect server: confirming starts its ``promote`` deployment.

The server is called over HTTP, so that the page's process never loads Prefect. If the server has no such
deployment, a child process of the page buys, as without a server.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flows.engine.prefect_server import PrefectServer
from flows.promotion.action import Promotion
from flows.promotion.child_process import ChildPromoter
from flows.promotion.plan import PromotionPlan
from tasks.errors import EngineError
from tasks.storage.mirror import home_address

DEPLOYMENT = "promote/promote"
_END_STATES = {"COMPLETED": "done", "FAILED": "failed", "CRASHED": "failed", "CANCELLED": "failed"}


class DeploymentPromoter:
    """Starts promotions as flow runs of a server's ``promote`` deployment, else in a child process.

    Args:
        home: Runoff's home, which workers can reach too.
        server: The Prefect server.
        child: Buys if the server has no such deployment.
    """

    def __init__(self, home: Path, server: PrefectServer, child: ChildPromoter) -> None:
        self._home = home
        self._server = server
        self._child = child
        self._flow_runs: dict[str, str] = {}

    def price(self, run_id: str) -> PromotionPlan:
        """Price what a promotion would buy now."""
        return self._child.price(run_id)

    def start(self, run_id: str) -> None:
        """Begin to buy a run's finalists. This spends money, within the campaign's budget.

        Raises:
            EngineError: The server does not answer. Nothing was bought.
            RunError: A promotion of this run is running here. Nothing more was bought.
        """
        deployment = self._server.ask(f"/deployments/name/{DEPLOYMENT}")
        if deployment is None:
            self._child.start(run_id)
            return
        self._let_wait(deployment)
        parameters = {"run_id": run_id, "home": home_address(self._home)}
        path = f"/deployments/{deployment['id']}/create_flow_run"
        made = self._server.ask(path, {"parameters": parameters, "tags": ["runoff", run_id]})
        if made is not None:
            self._flow_runs[run_id] = str(made["id"])

    def _let_wait(self, deployment: Mapping[str, Any]) -> None:
        """Have a purchase wait for others where an earlier ``prefect.yaml`` has the server cancel it."""
        options = deployment.get("concurrency_options") or {}
        if options.get("collision_strategy") == "CANCEL_NEW":
            wanted = {"concurrency_options": {"collision_strategy": "ENQUEUE"}}
            self._server.ask(f"/deployments/{deployment['id']}", wanted, method="PATCH")

    def look(self, run_id: str) -> Promotion | None:
        """Return the progress of the run's promotion; ``None`` if none was started here."""
        flow_run_id = self._flow_runs.get(run_id)
        if flow_run_id is None:
            return self._child.look(run_id)
        try:
            state = (self._server.ask(f"/flow_runs/{flow_run_id}") or {}).get("state") or {}
        except EngineError as error:
            return Promotion("running", error.what)
        ended = _END_STATES.get(str(state.get("type")))
        message = str(state.get("message") or "")
        if ended == "done":
            return Promotion("done")
        return Promotion("failed" if ended else "running", message)

    def running(self) -> list[str]:
        """List the runs that this process is buying for; workers continue without it."""
        return self._child.running()

    def stop(self) -> None:
        """Have nothing more bought here: requests in flight are completed; ``wait`` waits for them."""
        self._child.stop()

    def wait(self) -> list[str]:
        """Wait until nothing is being bought here; returns the last line that each promotion said."""
        return self._child.wait()
