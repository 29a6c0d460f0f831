"""What the page is given to buy with: a price to show, and one action. It has no other way to spend."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol


class Price(Protocol):
    """What buying a run's finalists would cost now, dollars."""

    @property
    def n_finals(self) -> int:
        """How many finalists wait for a final."""

    @property
    def first_usd(self) -> Decimal:
        """The most that the next try at each costs."""

    @property
    def all_usd(self) -> Decimal:
        """The most that every try left costs."""

    @property
    def of_finalist_usd(self) -> Mapping[str, Decimal]:
        """The most that the next try costs, by the draft's candidate id."""

    @property
    def left_usd(self) -> Decimal:
        """What the tightest budget has left."""

    @property
    def left_in(self) -> str:
        """Which budget that is."""

    @property
    def model(self) -> str:
        """The finals' model and quality."""

    @property
    def sentence(self) -> str:
        """All of it for people."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """How far a promotion is that was started here.

    Args:
        state: ``running``, ``done`` or ``failed``.
        message: What it said last, for people.
    """

    state: Literal["running", "done", "failed"]
    message: str = ""


class Promoter(Protocol):
    """Who prices a promotion, and starts it in a place of its own."""

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
        """Tell how far the run's promotion is; ``None`` when none was started here."""
