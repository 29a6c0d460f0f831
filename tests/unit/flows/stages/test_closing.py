"""How a run ends whose money is used up."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from flows.stages.closing import _with_place
from tasks.errors import BudgetError
from tasks.ledger.budgets import LEDGER_PER_MONTH
from tests.support.builders import RUN_ID


@pytest.mark.parametrize("where", ["budget", "the ledger's own budget"])
@pytest.mark.parametrize(("budget", "is_in_file"), [("per_run_usd", True), (LEDGER_PER_MONTH, False)])
def test_the_file_is_named_where_the_campaigns_own_budget_is_used_up(
    where: str, budget: str, is_in_file: bool
) -> None:
    """By the budget's name, whatever the message says; the ledger's own stands in no campaign."""
    run = cast("Any", SimpleNamespace(folder=Path("/runs/otters"), run_id=RUN_ID))
    facts = {"where": where, "what": "is used up", "next_step": "Raise it where it is set or wait"}
    told = _with_place(BudgetError(budget=budget, or_else=" or wait", **facts), run)
    assert ("campaign.yaml" in told.next_step) == is_in_file
    assert told.budget == budget
    assert " or wait" in told.next_step
