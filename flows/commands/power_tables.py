"""The table of ``runoff plan --power``: which sizes of a campaign find a difference."""

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from flows.commands.fitting_table import FittingTable
from flows.evaluation.power import PowerPlan
from tasks.campaign import Campaign
from tasks.money import count_of, format_usd


def power_renderable(power: PowerPlan, campaign: Campaign) -> Group:
    """Draw which sizes find the difference in 80 % of campaigns, and what the campaign finds as it is.

    Args:
        power: What was planned.
        campaign: The campaign.
    """
    planned = campaign.drafts.per_prompt
    table = FittingTable()
    for name in ("per_prompt", "rows", "pictures", "dollars"):
        table.add_column(name, justify="right", no_wrap=True)
    for size in power.sizes:
        style = "bold" if size.replicates == planned else ""
        cells = (f"{size.replicates:,}", f"{size.rows:,}", f"{size.pictures:,}", format_usd(size.low_usd))
        table.add_row(*cells, style=style)
    title = Text(f"Rows that find a difference of {power.difference:g} in 80% of campaigns", "bold")
    return Group(
        Padding(title, (1, 0, 0, 1)),
        table,
        Padding(Text(f"{_as_planned(power, campaign)} {_of_spread(power)}", "dim"), (0, 0, 1, 1)),
    )


def _as_planned(power: PowerPlan, campaign: Campaign) -> str:
    size = f"{count_of(campaign.n_rows, 'row')} of {count_of(campaign.drafts.per_prompt, 'picture')} per arm"
    if power.found_as_planned is None:
        return f"As planned, {size}: one row says nothing of other prompts."
    return (
        f"As planned, {size} find {power.found_as_planned:.2f}. Rows help more than pictures of the same row."
    )


def _of_spread(power: PowerPlan) -> str:
    spread = f"{power.spread.rows:.2f} from row to row, {power.spread.pictures:.2f} from picture to picture"
    if power.earlier_runs:
        return f"Scores vary as in {count_of(power.earlier_runs, 'earlier run')}: {spread}."
    return f"Assumed, without an earlier run of these arms, that scores vary by {spread}."
