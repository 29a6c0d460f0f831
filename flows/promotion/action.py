"""The interface by which the review page prices and starts a promotion, its only way to spend."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol


class Price(Protocol):
    """The price of buying a run's finalists now, dollars."""

    @property
    def n_finals(self) -> int:
        """How many finals would be bought."""

    @property
    def has_work(self) -> bool:
        """Whether there is anything to buy, or a promotion to end that was cut off."""

    @property
    def first_usd(self) -> Decimal:
        """The most that the next attempt at each costs."""

    @property
    def all_usd(self) -> Decimal:
        """The most that all remaining attempts cost."""

    @property
    def of_finalist_usd(self) -> Mapping[str, Decimal]:
        """The most that the next attempt costs, by the draft's candidate id."""

    @property
    def left_usd(self) -> Decimal:
        """What is left of the tightest budget."""

    @property
    def left_in(self) -> str:
        """The name of that budget."""

    @property
    def model(self) -> str:
        """The model and quality of the finals."""

    @property
    def sentence(self) -> str:
        """The price in one sentence for people."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """The progress of a promotion that was started here.

    Args:
        state: ``running``, ``done`` or ``failed``.
        message: Its last message, for people.
    """

    state: Literal["running", "done", "failed"]
    message: str = ""


class Promoter(Protocol):
    """Prices promotions and starts them in the background."""

    def price(self, run_id: str) -> Price:
        """Price what a promotion would buy now. Spends nothing.

        Raises:
            RunoffError: The run or its campaign cannot be read or priced.
        """

    def start(self, run_id: str) -> None:
        """Begin to buy a run's finalists. This spends money, within the campaign's budget.

        Raises:
            RunoffError: It could not be started. Nothing was bought.
        """

    def look(self, run_id: str) -> Promotion | None:
        """Return the progress of the run's promotion; ``None`` if none was started here."""
