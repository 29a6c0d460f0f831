"""The money in one sentence: what was spent, how much of it is estimated, and what was or would be saved.

Nothing is saved before the finals are bought: drafts alone are not what all at high quality would have been.

The amounts of the sentence are rounded to the same unit before they are subtracted, so that they add up as
shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from tasks.money import count_of, format_usd
from tasks.report_page.facts import RunFacts
from tasks.report_page.measures import total_spent
from tasks.report_page.rows import Row, add_usd, count_pictures, is_draft, is_estimated

_CENT, _HUNDREDTH_OF_A_CENT = Decimal("0.01"), Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Spending:
    """A run's money as the sentence shows it, in rounded dollars.

    Args:
        spent_usd: The amount charged to the run's budget.
        estimated_usd: The part of it that is estimates, because the cost is unknown.
        estimated_orders: The number of orders in that part.
        drafts: Drafts made.
        all_high_usd: The least cost of as many pictures, all at high quality; ``None`` if unknown.
        finals_usd: The least that the finals cost that are still to be bought; ``None`` if there are none at
            all, bought or to be bought, or if that is unknown.
        is_over: Whether nothing more will be bought.
        is_play: Whether the provider is the emulator, so that it is play money.
    """

    spent_usd: Decimal
    estimated_usd: Decimal
    estimated_orders: int
    drafts: int
    all_high_usd: Decimal | None
    finals_usd: Decimal | None = Decimal(0)
    is_over: bool = True
    is_play: bool = False

    @property
    def saved_usd(self) -> Decimal | None:
        """How much less it costs with its finals; ``None`` if not less, without finals, or if unknown."""
        if self.all_high_usd is None or self.finals_usd is None:
            return None
        saved_usd = self.all_high_usd - self.spent_usd - self.finals_usd
        return saved_usd if saved_usd > 0 else None

    @property
    def awaits_finals(self) -> bool:
        """Whether finals are still to be bought, so that nothing is saved yet."""
        return bool(self.finals_usd)

    @property
    def saved_share(self) -> float | None:
        """The saving as a share of ``all_high_usd``."""
        return float(self.saved_usd / self.all_high_usd) if self.saved_usd and self.all_high_usd else None

    def show(self, usd: Decimal | None) -> str:
        """Format one of these amounts, with as many decimals as the others."""
        return "" if usd is None else f"${usd:,}" if usd else "$0.00"


def sum_up_spending(rows: Sequence[Row], facts: RunFacts) -> Spending:
    """Sum a run's money and round it: to cents from a dollar up, else to hundredths of a cent."""
    spent, high = total_spent(rows, facts), facts.all_high_usd
    open_rows = [row for row in rows if is_estimated(row)]
    own_estimate = add_usd(open_rows, "estimate_usd")
    smallest = min(spent or Decimal(1), high or Decimal(1))
    unit = _CENT if smallest >= 1 else _HUNDREDTH_OF_A_CENT
    return Spending(
        spent_usd=spent.quantize(unit, ROUND_HALF_UP),
        estimated_usd=own_estimate if facts.unknown_usd is None else facts.unknown_usd,
        estimated_orders=len({row["order_id"] for row in open_rows}),
        drafts=count_pictures(row for row in rows if is_draft(row)),
        all_high_usd=None if high is None else high.quantize(unit, ROUND_HALF_UP),
        finals_usd=None if facts.finals_usd is None else facts.finals_usd.quantize(unit, ROUND_HALF_UP),
        is_over=facts.awaiting == "done",
        is_play=facts.provider == "emulator",
    )


def state_spending(spending: Spending) -> str:
    """State what was spent, how much of it is estimated, and what was or would be saved.

    Example:
        >>> state_spending(Spending(Decimal(4), Decimal(0), 0, 24, Decimal(12)))
        '$4 was spent. All 24 drafts at high quality would have cost $12 or more: $8 (67%) was saved.'
    """
    if not spending.spent_usd:
        return "Nothing was spent."
    play = "of play money " if spending.is_play else ""
    sentence = f"{spending.show(spending.spent_usd)} {play}was spent{'' if spending.is_over else ' so far'}"
    if spending.estimated_usd:
        orders = spending.estimated_orders
        whose = f" for {count_of(orders, 'request')} whose cost is unknown" if orders else ""
        sentence += f", of which {format_usd(spending.estimated_usd)} estimated{whose}"
    return f"{sentence}.{_state_saving(spending)}"


def _state_saving(spending: Spending) -> str:
    if not spending.all_high_usd or not spending.drafts:
        return ""
    drafts = "The one draft" if spending.drafts == 1 else f"All {spending.drafts:,} drafts"
    price = f" {drafts} at high quality would have cost {spending.show(spending.all_high_usd)} or more"
    if spending.finals_usd is None:
        return f"{price}."
    finals = (
        f" with finals for {spending.show(spending.finals_usd)} or more," if spending.awaits_finals else ""
    )
    if spending.saved_usd is None or spending.saved_share is None:
        return f"{price}:{finals} nothing {'would be' if finals else 'was'} saved."
    verb = "would be saved" if finals else "was saved"
    return f"{price}:{finals} {spending.show(spending.saved_usd)} ({spending.saved_share:.0%}) {verb}."
