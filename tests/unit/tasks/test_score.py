"""Scoring: opinions stick to their picture, and unknown is never zero."""

import random
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks import scorers
from tasks.candidate import Candidate, Inspection, Score
from tasks.errors import BudgetError, PictureError, SettingError
from tasks.pairwise.bradley_terry import strengths
from tasks.score import CandidateScores, score_candidates, weighted_total
from tasks.scorers import Assignment, available_scorers, load_scorer
from tasks.scorers.technical import VERSION
from tasks.scorers.votes import VotesScorer
from tests.support.draft_builders import a_draft

HERE = Path()


class BytesScorer:
    """A scorer as a user's package would bring it: judges by file size."""

    name = "bytes"
    version = "7"
    faults: ClassVar[dict[str, Exception]] = {}

    def score(self, candidate: Candidate, run_folder: Path) -> Score:  # noqa: ARG002
        """Give a hundredth for each byte."""
        if candidate.candidate_id in self.faults:
            raise self.faults[candidate.candidate_id]
        return Score(candidate.n_bytes / 100, f"{candidate.n_bytes} bytes", version=self.version)


def _install(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, place: str) -> None:
    """Install a package the way pip does: a module and its dist-info on the path."""
    info = folder / "guest-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: guest\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{scorers.ENTRY_POINT_GROUP}]\n{name} = {place}\n")
    monkeypatch.syspath_prepend(str(folder))


@pytest.fixture
def bytes_scorer(monkeypatch: pytest.MonkeyPatch) -> type[BytesScorer]:
    """Let the step find the user's scorer beside the built-in ones."""
    monkeypatch.setattr(BytesScorer, "faults", {})
    monkeypatch.setattr(
        "tasks.score.load_scorer",
        lambda name, assignment: BytesScorer() if name == "bytes" else load_scorer(name, assignment),
    )
    return BytesScorer


def test_scores_follow_their_picture_through_any_shuffle(bytes_scorer: type[BytesScorer]) -> None:
    """Many shuffles of one pool give one answer, keyed by id."""
    pool = [a_draft(f"c-{size}", n_bytes=size) for size in range(40)]
    for seed in range(10):
        random.Random(seed).shuffle(pool)
        scored = score_candidates(pool, {"bytes": 2}, HERE)
        assert {name: entry.total for name, entry in scored.items()} == {
            f"c-{size}": size / 100 for size in range(40)
        }
        assert all(entry.scores["bytes"].version == bytes_scorer.version for entry in scored.values())


def test_a_picture_does_not_lower_its_neighbours(bytes_scorer: type[BytesScorer]) -> None:
    """Scores are absolute: the same alone and in company."""
    del bytes_scorer
    alone = score_candidates([a_draft("c-1", n_bytes=30)], {"bytes": 1}, HERE)["c-1"]
    company = score_candidates([a_draft("c-1", n_bytes=30), a_draft("c-2", n_bytes=100)], {"bytes": 1}, HERE)[
        "c-1"
    ]
    assert alone == company


def test_a_scorer_that_cannot_tell_leaves_none_and_a_reason(bytes_scorer: type[BytesScorer]) -> None:
    """Faults on one picture cost that opinion only; the rest of the total stands."""
    bytes_scorer.faults = {
        "c-1": PictureError(where="c-1", what="it is cut short"),
        "c-2": ZeroDivisionError("division by zero"),
    }
    pool = [a_draft("c-1"), a_draft("c-2"), a_draft("c-3", n_bytes=50)]
    scored = score_candidates(pool, {"bytes": 1, "technical": 1}, HERE)
    assert scored["c-1"].scores["bytes"] == Score(None, "could not score: it is cut short", version="7")
    assert scored["c-2"].scores["bytes"].reason == "could not score: ZeroDivisionError: division by zero"
    assert scored["c-1"].total is None
    assert scored["c-3"].total == 0.5


def test_a_scorer_that_runs_out_of_money_stops_the_step(bytes_scorer: type[BytesScorer]) -> None:
    """An error about the whole run is not turned into one picture's missing score."""
    bytes_scorer.faults = {"c-1": BudgetError(where="judge", what="the budget is spent")}
    with pytest.raises(BudgetError):
        score_candidates([a_draft("c-1")], {"bytes": 1}, HERE)


@pytest.mark.parametrize("n_bytes", [101, -1])
def test_a_value_outside_zero_to_one_is_refused(bytes_scorer: type[BytesScorer], n_bytes: int) -> None:
    """A scorer that breaks its promise is named, with the picture."""
    del bytes_scorer
    with pytest.raises(SettingError, match=r"scorer bytes: gave .* to c-1\..*from 0 to 1"):
        score_candidates([a_draft("c-1", n_bytes=n_bytes)], {"bytes": 1}, HERE)


def test_a_picture_that_was_not_measured_has_no_technical_score() -> None:
    """No inspection, or one without figures, is unknown and not 0."""
    pool = [a_draft("c-1", inspection=None), a_draft("c-2", inspection=Inspection(fault="no picture"))]
    for entry in score_candidates(pool, {"technical": 1}, HERE).values():
        assert entry == CandidateScores({"technical": Score(None, "not measured", version=VERSION)}, None)


OPINIONS = st.dictionaries(st.sampled_from("abcd"), st.none() | st.floats(0, 1))
WEIGHTS = st.dictionaries(st.sampled_from("abcd"), st.just(0.0) | st.floats(0.01, 100))


@given(OPINIONS, WEIGHTS)
def test_the_total_is_the_weighted_mean_of_those_that_answered(
    values: dict[str, float | None], weights: dict[str, float]
) -> None:
    """Agrees with numpy's weighted average over the answers, and is None without any."""
    total = weighted_total({name: Score(value, "") for name, value in values.items()}, weights)
    answered = [(value, weights.get(name, 0)) for name, value in values.items() if value is not None]
    if not sum(weight for _, weight in answered):
        assert total is None
    else:
        expected = np.average([value for value, _ in answered], weights=[weight for _, weight in answered])
        assert total is not None
        assert 0 <= total <= 1
        assert total == pytest.approx(expected, abs=1e-12)


def test_an_unknown_scorer_is_refused_with_those_that_exist() -> None:
    """The message lists the names that would be accepted."""
    with pytest.raises(SettingError, match=r"scorer tehnical: no such scorer.*Accepted:.*technical"):
        load_scorer("tehnical")


def test_a_package_adds_a_scorer_by_an_entry_point(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An installed scorer is listed beside the built-in ones and loads by its name."""
    (tmp_path / "guest_scorer.py").write_text("class Guest:\n    name = 'guest'\n")
    _install(monkeypatch, tmp_path, "guest", "guest_scorer:Guest")
    assert set(available_scorers()) >= {*scorers.BUILT_IN, "guest"}
    assert load_scorer("guest").name == "guest"


GUEST = """
from tasks.candidate import Score

class WordsScorer:
    name, version = "words", "3"

    def __init__(self, rows):
        self.rows = rows

    @classmethod
    def for_run(cls, assignment):
        return cls(assignment.rows)

    def score(self, candidate, run_folder):
        wanted = self.rows[candidate.row]["word"]
        return Score(float(wanted in candidate.prompt), wanted, {"rows": len(self.rows)}, self.version)
"""


def test_an_installed_packages_scorer_judges_with_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A scorer from a real distribution on the path gets the run's rows and is weighted like any other."""
    (tmp_path / "guest_words.py").write_text(GUEST)
    _install(monkeypatch, tmp_path, "words", "guest_words:WordsScorer")
    pool = [a_draft("c-1", prompt="an otter"), a_draft("c-2", prompt="a heron", row=1)]
    assignment = Assignment(rows=[{"word": "otter"}, {"word": "otter"}])
    scored = score_candidates(pool, {"words": 1, "technical": 3}, HERE, assignment)
    assert scored["c-1"].scores["words"] == Score(1.0, "otter", {"rows": 2}, "3")
    assert [scored[name].total for name in ("c-1", "c-2")] == [1.0, 0.0]


def test_votes_are_a_score_where_somebody_voted() -> None:
    """The chance to be preferred, with its interval; nobody's opinion is null and leaves the total alone."""
    pool = [a_draft(name) for name in ("c-1", "c-2", "c-3")]
    assignment = Assignment(meetings=[("c-1", "c-2", 1.0), ("c-2", "c-1", 0.0), ("c-2", "c-1", 0.5)])
    scored = {
        name: entry.scores["votes"]
        for name, entry in score_candidates(pool, {"votes": 1}, HERE, assignment).items()
    }
    fitted = strengths(assignment.meetings)
    assert scored["c-1"].value == fitted["c-1"].value
    assert scored["c-1"].value + (scored["c-2"].value or 0) == pytest.approx(1)
    assert scored["c-1"].measurements == {
        "votes_low": fitted["c-1"].low, "votes_high": fitted["c-1"].high, "votes_duels": 3
    }  # fmt: skip
    assert scored["c-3"] == Score(
        None, "no vote compares it with another picture", version=VotesScorer.version
    )


@pytest.mark.parametrize("place", ["no_such_package.here:Scorer", "tasks.scorers:NoSuchScorer"])
def test_a_scorer_that_cannot_be_imported_is_a_clear_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    """A broken plug-in is named with its place; it is still listed."""
    _install(monkeypatch, tmp_path, "broken", place)
    assert "broken" in available_scorers()
    with pytest.raises(SettingError, match=r"scorer broken: .* cannot be imported"):
        load_scorer("broken")


def test_two_packages_cannot_claim_one_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A plug-in cannot quietly take the place of a built-in scorer."""
    _install(monkeypatch, tmp_path, "technical", "elsewhere:Scorer")
    with pytest.raises(SettingError, match="claimed by both"):
        available_scorers()
