"""The verdict begins with the scorers that it is by, and finals are named by what became of them."""

from dataclasses import replace
from typing import Any

import pytest

from flows.evaluation.verdict import compare_run
from tasks.candidate import Score
from tasks.report_page.rows import name_verdict
from tests.support.planning import DRAFT, campaign
from tests.support.report_rows import make_draft


def compared(weights: dict[str, float], **values: float | None) -> str:
    """Compare two arms whose pictures all have these scores."""
    rows: list[dict[str, Any]] = []
    candidates = []
    for arm in "AB":
        for row in range(3):
            made = make_draft(arm, row, 0)
            rows.append(made)
            scores = {name: Score(value, "", {}, "1") for name, value in values.items()}
            candidates.append(
                replace(DRAFT, candidate_id=made["candidate_id"], arm=arm, row=row, scores=scores)
            )
    found = compare_run(rows, candidates, campaign(score={"weights": weights}), [])
    assert found is not None
    return str(found["headline"])


@pytest.mark.parametrize(
    ("weights", "values", "start"),
    [
        ({"technical": 1}, {"technical": 0.5}, "On technical quality alone, "),
        (
            {"technical": 1, "palette": 3},
            {"technical": 0.5, "palette": 0.5},
            "By brand colours and technical quality, ",
        ),
        ({"technical": 1, "votes": 5}, {"technical": 0.5, "votes": None}, "On technical quality alone, "),
        ({"technical": 1, "own": 1}, {"technical": 0.5, "own": 0.1}, "By own and technical quality, "),
        ({"technical": 0, "palette": 1}, {"technical": 0.5, "palette": 0.5}, "On brand colours alone, "),
    ],
)
def test_the_scorers_that_answered_come_first(
    weights: dict[str, float], values: dict[str, float | None], start: str
) -> None:
    """The weightiest first; one without a weight or without an answer had no say."""
    headline = compared(weights, **values)
    assert headline.startswith(start)
    assert headline[len(start)].islower()


@pytest.mark.parametrize(
    ("accepted", "fidelity", "limit", "name"),
    [
        (True, 0.9, 0.75, "accepted"),
        (None, None, 0.75, "not compared yet"),
        (False, 0.6, 0.75, "not faithful"),
        (False, 0.9, 0.75, "not taken"),
        (False, 0.9, None, "not faithful"),
    ],
)
def test_a_final_is_named_by_what_became_of_it(
    accepted: bool | None, fidelity: float | None, limit: float | None, name: str
) -> None:
    """A faithful one that was passed over is not called unfaithful."""
    assert name_verdict({"accepted": accepted, "fidelity": fidelity}, limit) == name
