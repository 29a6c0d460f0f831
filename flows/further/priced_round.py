"""What the plans of all rounds added to a run have in common: a price, and a budget that it must fit."""

from dataclasses import dataclass
from decimal import Decimal

from tasks.errors import BudgetError
from tasks.money import format_usd


@dataclass(frozen=True)
class PricedRound:
    """A round with its price.

    Args:
        run_id: The run.
        what: What is bought, in a few words.
        drafts_usd: The most that its drafts cost, dollars.
        judging_usd: The most that the judge's questions about them cost, dollars.
        left_usd: What is left of the tightest budget that holds for them, dollars.
        left_in: The name of that budget.
    """

    run_id: str
    what: str
    drafts_usd: Decimal
    judging_usd: Decimal
    left_usd: Decimal
    left_in: str

    @property
    def most_usd(self) -> Decimal:
        """The most that the drafts and the questions about them cost, dollars."""
        return self.drafts_usd + self.judging_usd

    @property
    def needed_usd(self) -> Decimal:
        """What must be left for its drafts, dollars."""
        return self.drafts_usd

    @property
    def is_within(self) -> bool:
        """Whether the drafts fit what is left."""
        return self.needed_usd <= self.left_usd

    @property
    def price(self) -> str:
        """Its price for people, beside what is left."""
        judged = f", {format_usd(self.judging_usd)} of it for the judge" if self.judging_usd else ""
        left = f"{format_usd(self.left_usd)} is left of {self.left_in}."
        return f"at most {format_usd(self.most_usd)}{judged}; {left}"

    def require_budget(self) -> None:
        """Refuse a round whose drafts would not fit what is left.

        Raises:
            BudgetError: They would not. Nothing was bought.
        """
        if not self.is_within:
            raise BudgetError(
                where=f"run {self.run_id}: {self.left_in}",
                what=f"{format_usd(self.left_usd)} is left, and {self.what} can cost"
                f" {format_usd(self.needed_usd)}",
                next_step="Ask for fewer with --n, or raise the budget in the run's campaign.yaml.",
            )
