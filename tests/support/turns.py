"""Turns of a schedule by a fast clock, each a flow run that a starter of its own starts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from flows.schedule.take_slot import Starter
from tests.support.shell import Shell

SIX = datetime.now(UTC).replace(hour=6, minute=0, second=0, microsecond=0) + timedelta(days=1)
"""The first turn lies ahead of the runs, which begin when the test does: so skipped turns come after them."""


def day(number: int, by: str = "") -> dict[str, str]:
    """A turn: six o'clock of a day, started by somebody."""
    due_at = SIX + timedelta(days=number)
    return {"due_at": due_at.isoformat(), "by": by or f"flow-run-{number}"}


def turns(shell: Shell, campaign: Path, *wanted: dict[str, str], **parameters: Any) -> list[dict[str, Any]]:
    """Let turns come one after another, with a clock of their own; each has these parameters of the flow."""
    from flows import prototype

    module: Any = prototype  # the module, whose names are replaced

    async def come() -> list[dict[str, Any]]:
        answers = []
        for turn in wanted:
            starter = Starter("otters", datetime.fromisoformat(turn["due_at"]), turn["by"])
            with patch.object(module, "current_starter", lambda starter=starter, **_: starter):
                state = await module.prototype(
                    str(campaign), is_scheduled=True, return_state=True, **parameters
                )
            answer = await state.result(raise_on_failure=False)
            answers.append({"name": state.name, "message": state.message, "answer": answer})
        return answers

    return shell.run_flow(come)
