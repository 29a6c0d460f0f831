"""Pictures that all came in another form than ordered are compared; the report's rows tell the form."""

from typing import Any

import pytest

from flows.evaluation.scored_drafts import scored_drafts
from flows.evaluation.verdict import compare_run
from tests.support.planning import campaign
from tests.support.report_rows import make_draft

JPEG = {"format": "jpeg", "downgraded": "jpeg instead of png"}


def rows_of(**changes: Any) -> list[dict[str, Any]]:
    """Make the rows of two arms, six prompts and four replicates."""
    return [
        make_draft(arm, row, replicate) | changes
        for arm in "AB"
        for row in range(6)
        for replicate in range(4)
    ]


def test_jpeg_for_both_arms_is_compared_and_said() -> None:
    """As if it had been ordered, with the same figures."""
    ordered, jpeg = (compare_run(rows, [], campaign(), ()) for rows in (rows_of(), rows_of(**JPEG)))
    assert ordered is not None
    assert jpeg is not None
    assert (jpeg["pairs"], jpeg["arms"]) == (ordered["pairs"], ordered["arms"])
    assert jpeg["pairs"][0]["rows"] == 6
    assert jpeg["headline"].endswith(" The pictures compared came as jpeg instead of png, alike in all arms.")


@pytest.mark.parametrize(
    ("downgraded", "form", "is_downgraded"),
    [
        ("jpeg instead of png", "jpeg instead of png", False),
        ("2 of 4 pictures; jpeg instead of png", "jpeg instead of png", False),
        ("2 of 4 pictures", "", False),
        ("jpeg instead of png; no transparency although ordered", "jpeg instead of png", True),
        ("272 output tokens where this quality uses 1056; jpeg instead of png", "jpeg instead of png", True),
        ("not base64", "", True),
        (None, "", False),
    ],
)
def test_what_differs_otherwise_stays_out_of_the_test(
    downgraded: str | None, form: str, *, is_downgraded: bool
) -> None:
    """A cheaper tier is not what was bought, alike in all arms or not; a shortage concerns other pictures."""
    (found,) = scored_drafts([make_draft("A", 0, 0) | JPEG | {"downgraded": downgraded}], (), {})
    assert (found.form, found.is_downgraded) == (form, is_downgraded)
