"""Further rounds in child processes of the review page: each runs ``runoff more``."""

from decimal import Decimal

from flows.further.added import AddedPlan, AskedRound, plan_added
from flows.further.asked import Asked
from flows.further.plan import FurtherPlan, further_plan
from flows.promotion.child_process import ChildProcesses
from tasks.settings import Settings


class ChildFurtherBuyer(ChildProcesses):
    """Starts further rounds of one home's runs, each in its own process.

    Args:
        settings: The home and the environment.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.home, "more is already being bought for it")
        self._settings = settings

    def price(self, run_id: str, asked: Asked) -> FurtherPlan:
        """Price a further round. Asks no provider, spends and writes nothing."""
        return further_plan(self._settings, run_id, asked.candidate_id, lambda _: asked)[1]

    def price_best(self, run_id: str) -> AddedPlan:
        """Price a round that makes a run's best combination. Asks no provider, spends and writes nothing."""
        return plan_added(self._settings, run_id, AskedRound({}))[1]

    def start_best(self, run_id: str, key: str, most_usd: Decimal, by: str) -> None:
        """Begin to buy that round. This spends money, within the campaign's budgets.

        Args:
            run_id: The run.
            key: Names the purchase: one with this name is made once.
            most_usd: The price that was agreed to, dollars.
            by: Who agreed.

        Raises:
            RunError: A further round of this run is being bought here. Nothing more was bought.
            SettingError: The process could not be started. Nothing was bought.
        """
        self.begin(
            run_id,
            ["more", run_id, "--best", "--yes", f"--key={key}", f"--at-most={most_usd:f}", f"--by={by}"],
        )

    def start(self, run_id: str, asked: Asked, key: str, most_usd: Decimal, by: str) -> None:
        """Begin to buy a further round. This spends money, within the campaign's budgets.

        Args:
            run_id: The run.
            asked: What is asked for.
            key: Names the purchase: one with this name is made once.
            most_usd: The price that was agreed to, dollars.
            by: Who agreed.

        Raises:
            RunError: A further round of this run is being bought here. Nothing more was bought.
            SettingError: The process could not be started. Nothing was bought.
        """
        words = ["more", run_id, asked.candidate_id, f"--n={asked.n}", f"--{asked.base}", "--yes"]
        words += [f"--key={key}", f"--at-most={most_usd:f}", f"--by={by}"]
        words += [] if asked.prompt is None else [f"--prompt={asked.prompt}"]
        words += [] if asked.model is None else [f"--model={asked.model}"]
        self.begin(run_id, words)
