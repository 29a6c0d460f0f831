"""The interface by which the review page prices and starts a further round, given to it by the command."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from flows.further.asked import Asked
from flows.promotion.action import Promotion


class FurtherPrice(Protocol):
    """The price of a further round, dollars, and what would be sent."""

    @property
    def what(self) -> str:
        """What is asked for, in a few words."""

    @property
    def prompt(self) -> str:
        """The text as it would be sent."""

    @property
    def model(self) -> str:
        """The model and quality."""

    @property
    def drafts_usd(self) -> Decimal:
        """The most that the drafts cost."""

    @property
    def judging_usd(self) -> Decimal:
        """The most that the judge's questions about them cost."""

    @property
    def most_usd(self) -> Decimal:
        """The most that both cost."""

    @property
    def left_usd(self) -> Decimal:
        """What is left of the tightest budget."""

    @property
    def left_in(self) -> str:
        """The name of that budget."""

    @property
    def is_within(self) -> bool:
        """Whether the drafts fit it."""

    @property
    def n_before(self) -> int:
        """How often exactly this was bought before."""

    @property
    def notes(self) -> Sequence[str]:
        """What a person should know before agreeing."""


class FurtherBuyer(Protocol):
    """Prices further rounds and starts their purchase in the background."""

    def price(self, run_id: str, asked: Asked) -> FurtherPrice:
        """Price a further round. Spends nothing.

        Raises:
            RunoffError: It cannot be ordered or priced.
        """

    def start(self, run_id: str, asked: Asked, key: str, most_usd: Decimal, by: str) -> None:
        """Begin to buy a further round. This spends money, within the campaign's budgets.

        Args:
            run_id: The run.
            asked: What is asked for.
            key: Names the purchase: one with this name is made once.
            most_usd: The price that was agreed to, dollars.
            by: Who agreed.

        Raises:
            RunoffError: It could not be started. Nothing was bought.
        """

    def price_best(self, run_id: str) -> FurtherPrice:
        """Price a round that makes a run's best combination of factors. Spends nothing.

        Raises:
            RunoffError: There is none, or it cannot be ordered or priced.
        """

    def start_best(self, run_id: str, key: str, most_usd: Decimal, by: str) -> None:
        """Begin to buy that round. This spends money, within the campaign's budgets.

        Args:
            run_id: The run.
            key: Names the purchase: one with this name is made once.
            most_usd: The price that was agreed to, dollars.
            by: Who agreed.

        Raises:
            RunoffError: It could not be started. Nothing was bought.
        """

    def look(self, run_id: str) -> Promotion | None:
        """Return the progress of the run's purchase; ``None`` if none was started here."""
