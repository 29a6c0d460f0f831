"""The report's section about people's votes: what they say of the scores, and where they disagree."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from tasks.report_page.facts import RunFacts
from tests.support.page_reader import page_text
from tests.support.report_rows import RUN_ID, make_draft

AGREEMENT = {"scorer": "judge", "pairs": 40, "accuracy": 0.8, "low": 0.65, "high": 0.9}
FOUND: dict[str, Any] = {
    "votes": 50, "voters": 2, "pairs": 40, "ties": 3, "note": "from 40 pairs: good",
    "agreements": [AGREEMENT, AGREEMENT | {"scorer": "score", "pairs": 0, "accuracy": None, "low": None}],
    "suggested_weights": {"judge": 0.75, "technical": 0.25}, "disagreements": [],
}  # fmt: skip
FACTS = RunFacts(run_id=RUN_ID, campaign="sea-otter", calibration=FOUND)


def test_suggested_weights_come_with_the_command_to_paste(tmp_path: Path) -> None:
    """Figures with their interval, what is unknown as a dash, and the command whole."""
    page = page_text([make_draft("A", 0, 0)], FACTS, tmp_path)
    assert "50 votes by 2 people decided 40 pairs of pictures; 3 pairs ended in a tie." in page
    assert "<td>80%</td><td>65% to 90%</td><td>40</td>" in page
    assert "<td>–</td><td>–</td><td>0</td>" in page
    assert f"runoff rescore {RUN_ID} --weight judge=0.75 --weight technical=0.25</code>" in page


def test_without_a_suggestion_the_reason_is_told(tmp_path: Path) -> None:
    """Too few votes are said to be too few."""
    found = FOUND | {"suggested_weights": None, "note": "12 pairs are too few"}
    page = page_text([make_draft("A", 0, 0)], replace(FACTS, calibration=found), tmp_path)
    assert "No weights are suggested: 12 pairs are too few." in page
    assert "--weight" not in page


def test_disputed_pairs_stand_side_by_side(tmp_path: Path) -> None:
    """The one people prefer and the one that scored higher; a pair of unknown pictures is left out."""
    drafts = [make_draft("A", 0, 0), make_draft("B", 0, 0)]
    ids = [draft["candidate_id"] for draft in drafts]
    pair = {"scorer": "judge", "preferred": ids[1], "other": ids[0], "margin": 0.42, "votes": 1}
    found = FOUND | {"disagreements": [pair, pair | {"other": "c-gone"}]}
    page = page_text(drafts, replace(FACTS, calibration=found), tmp_path)
    assert page.count("people prefer") == 1
    assert "scored 0.42 higher" in page
    assert "Where the judge and people disagree most" in page


def test_without_votes_the_page_says_nothing_of_them(tmp_path: Path) -> None:
    """No votes, no section."""
    page = page_text([make_draft("A", 0, 0)], replace(FACTS, calibration=None), tmp_path)
    assert "people’s votes" not in page
