"""Judging within a share of the drafts' cost: asked in goes, each as large as what is left."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from flows.stages.judging_share import ask_within_share, left_usd
from tasks.order import Order
from tests.support.builders import an_order

CENT = Decimal("0.01")


class Run:
    """A run whose drafts cost a dollar; an answer costs a cent, of which four are reserved."""

    def __init__(self, share: float | None, known: Sequence[str] = ()) -> None:
        self.run_id, self.asked = "run", list[list[str]]()
        self._records = [self._record("draft", Decimal(1), None)]
        self.campaign = SimpleNamespace(score=SimpleNamespace(max_share=share))
        self.judging = SimpleNamespace(closed_by=None)
        self.ledger = SimpleNamespace(
            answers=SimpleNamespace(find=lambda questions: {one: "" for one in questions if one in known}),
            orders=SimpleNamespace(of_run=lambda _: self._records),
            candidates=SimpleNamespace(of_run=lambda *_: [SimpleNamespace(candidate_id="c-final")]),
        )

    @staticmethod
    def _record(stage: str, usd: Decimal, draft_id: str | None) -> Any:
        order = SimpleNamespace(is_draft=stage == "draft", is_question=stage == "judge", draft_id=draft_id)
        return SimpleNamespace(order=order, charged_usd=usd)

    def charge(self, draft_id: str) -> None:
        """Charge an answer."""
        self._records.append(self._record("judge", CENT, draft_id))

    async def ask(self, _: object, orders: Sequence[Order]) -> int:
        """Answer questions."""
        self.asked.append([str(order.draft_id) for order in orders])
        for order in orders:
            self.charge(str(order.draft_id))
        return len(orders)


def questions(n: int, each: int = 1) -> list[list[Order]]:
    """Make groups of questions, four cents reserved for each."""
    return [
        [
            an_order(
                stage="judge", replicate=k, attempt=i, draft_id=f"c-{k}", prompt=f"{k} {i}",
                estimate_usd=4 * CENT,
            )
            for i in range(each)
        ]
        for k in range(n)
    ]  # fmt: skip


def ask(run: Run, groups: list[list[Order]]) -> int:
    """Ask within the run's share."""
    return asyncio.run(ask_within_share(run, groups, run.ask))  # type: ignore[arg-type]


def test_as_much_is_asked_as_the_share_allows_in_sequence() -> None:
    """Ten cents: two questions, then two, and so on while four cents are left; never more than ten."""
    run = Run(0.10)
    assert ask(run, questions(20)) == 13
    assert run.asked == [["c-0", "c-1"], ["c-2", "c-3"], ["c-4"], ["c-5"], ["c-6"]]
    assert left_usd(run) == 3 * CENT  # type: ignore[arg-type]


def test_what_belongs_together_is_asked_together_or_not() -> None:
    """A pair in one order says nothing."""
    run = Run(0.10)
    assert ask(run, questions(3, each=2)) == 1
    assert run.asked == [["c-0", "c-0"], ["c-1", "c-1"]]


@pytest.mark.parametrize("share", [None, 50.0])
def test_without_a_limit_all_is_asked_at_once(share: float | None) -> None:
    """Answers that are known are not asked; questions about finals are not of the share."""
    groups = questions(3)
    run = Run(share, [groups[1][0].question])
    run.charge("c-final")
    assert ask(run, groups) == 0
    assert run.asked == [["c-0", "c-2"]]
    assert left_usd(run) == (None if share is None else 50 - 2 * CENT)  # type: ignore[arg-type]
