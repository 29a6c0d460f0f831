"""What a picture answers of itself, while little is known of it and when all is."""

from dataclasses import replace
from typing import Any

import pytest

from tasks.candidate import Candidate, Choice, Inspection, Score, Standing, Status, rank_finalists
from tests.support.draft_builders import a_draft


def bare(name: str = "c-a", **known: Any) -> Candidate:
    """Make a draft that nobody looked at yet."""
    return a_draft(name, **({"inspection": None, "standing": None} | known))


def chosen(name: str, rank: int | None, *, is_finalist: bool = True) -> Candidate:
    """Make a draft that selection decided about."""
    return bare(name, choice=Choice(rank, is_finalist, "why"))


def test_what_nobody_found_out_is_no_answer() -> None:
    """A picture that was just received is neither unique nor a duplicate, neither sound nor at fault."""
    fresh = bare()
    assert (fresh.status, fresh.rank, fresh.fault) == (None, None, None)
    assert not any((fresh.is_survivor, fresh.is_duplicate, fresh.is_fit, fresh.is_finalist, fresh.is_sound))
    assert fresh.hash_digits("phash") is None
    assert fresh.value_of("technical") is None


@pytest.mark.parametrize(
    ("status", "is_survivor", "is_duplicate", "is_fit"),
    [("survivor", True, False, True), ("duplicate", False, True, True), ("unfit", False, False, False)],
)
def test_where_deduplication_put_it(
    status: Status, is_survivor: bool, is_duplicate: bool, is_fit: bool
) -> None:
    """A person may choose a duplicate, and never what is cannot be shown."""
    one = bare(standing=Standing(status, None))
    assert (one.is_survivor, one.is_duplicate, one.is_fit) == (is_survivor, is_duplicate, is_fit)


def test_its_inspection_answers_for_its_bytes() -> None:
    """Each hash by its name, and the fault in place of soundness."""
    seen = bare(inspection=Inspection(phash="0" * 16, dhash="f" * 16))
    assert (seen.hash_digits("phash"), seen.hash_digits("dhash")) == ("0" * 16, "f" * 16)
    assert (seen.is_sound, seen.fault) == (True, None)
    broken = bare(inspection=Inspection(fault="cut off"))
    assert (broken.is_sound, broken.fault) == (False, "cut off")


def test_its_stage_name_and_scores() -> None:
    """The name is the file's, without folder and ending; a scorer that could not tell has no value."""
    draft = bare(
        file="drafts/A-000-001.png", scores={"judge": Score(None, "no"), "technical": Score(0.5, "")}
    )
    assert (draft.name, draft.is_draft, draft.is_final) == ("A-000-001", True, False)
    assert (draft.value_of("judge"), draft.value_of("technical")) == (None, 0.5)
    assert replace(draft, stage="final").is_final


def test_finalists_are_listed_by_rank() -> None:
    """Those that were not chosen are left out; one without a rank comes first."""
    pool = [
        chosen("c-3", 3),
        chosen("c-1", 1),
        chosen("c-2", 2, is_finalist=False),
        chosen("c-0", None),
        bare(),
    ]
    assert [one.candidate_id for one in rank_finalists(pool)] == ["c-0", "c-1", "c-3"]
