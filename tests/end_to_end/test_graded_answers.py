"""Runs with graded answers: by log-probabilities where the model gives them, else by words, asked once."""

from typing import Any

import pandas as pd
import pytest

from tests.support.provider import OpenProvider, Provider
from tests.support.shell import Shell

GRADED: dict[str, Any] = {
    "score": {
        "weights": {"judge": 1},
        "judge": {
            "rubric": [
                "The picture shows a baby sea otter",
                {
                    "statement": "The picture shows exactly one baby sea otter",
                    "depends_on": "The picture shows a baby sea otter",
                    "must": True,
                },
            ],
            "answers": "graded",
        },
    },
    "finalists": {"count": 0},
}


def chats(provider: Provider) -> list[dict[str, Any]]:
    """List the questions that the provider received."""
    return [entry for entry in provider.bill()["entries"] if "chat" in entry["path"]]


def answers_of(shell: Shell, outcome: dict[str, Any]) -> pd.DataFrame:
    """Read a run's answers."""
    return pd.read_parquet(shell.folder(outcome["run_id"]) / "statements.parquet")


@pytest.mark.slow  # every day: integration/test_graded_questions.py
@pytest.mark.parametrize("gives", [True, False], ids=["log-probabilities", "words"])
def test_a_model_is_asked_for_log_probabilities_once(
    shell: Shell, open_provider: OpenProvider, gives: bool
) -> None:
    """The run is whole either way, says how it was graded, and the next night asks for none in vain."""
    provider = open_provider(judge_logprobs=gives, near_copy_rate=0.0, exact_copy_rate=0.0)
    campaign = shell.campaign(GRADED)
    first = shell.json("run", campaign)
    assert first["exit_code"] == 0
    assert len(chats(provider)) == 12 + (0 if gives else 1)
    answers = answers_of(shell, first)
    assert answers["chance"].between(0, 1).all()
    assert set(answers["graded_by"]) == {"log-probabilities" if gives else "one word of five"}
    second = shell.json("run", campaign)
    assert second["exit_code"] == 0
    assert len(chats(provider)) == 24 + (0 if gives else 1)
    page = (shell.folder(first["run_id"]) / "report.html").read_text()
    assert "The probability of yes was read from" in page
    assert shell.runoff("ledger", "verify").returncode == 0
