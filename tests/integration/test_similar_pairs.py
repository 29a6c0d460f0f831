"""Pairs of similar pictures: shown by similarity, answered by people, and the limit that fits the answers."""

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from PIL import Image

from flows.command_line import runoff
from flows.evaluation import looks
from flows.evaluation.compared_pairs import ComparedPairs
from flows.rescore import write_limit
from flows.runs.run import StoredRun
from tasks.duplicates.tuning import Suggestion
from tasks.errors import RunError
from tasks.pictures.decoding import make_thumbnail
from tasks.pictures.likeness import NEAR_SIMILARITY
from tasks.settings import Settings
from tests.support.builders import RUN_ID
from tests.support.edited_pictures import cropped, draw_stool
from tests.support.review_home import Open, review_page
from tests.support.review_requests import ask, read, say

STOOL = draw_stool()
OF_FIRST_PROMPT = (STOOL, cropped(left=0.03)(STOOL), draw_stool(logo="X"))


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """A page on a run whose first prompt has a picture, a copy of it and one with another logo."""
    # These thumbnails are not of the pictures beside them.
    monkeypatch.setattr(looks, "_compared", ComparedPairs())
    with review_page(tmp_path) as opened:
        for number, picture in enumerate(OF_FIRST_PROMPT):
            (opened.folder / f"thumbnails/p{number:02d}.webp").write_bytes(make_thumbnail(picture))
        yield opened


def test_pairs_come_by_their_distance_from_the_limit_and_keep_the_answers(page: Open) -> None:
    """An answer is a decision about duplicates like any other."""
    first, copy, other = (draft.candidate_id for draft in page.drafts[:3])
    found = read(page, "/pairs.json")
    pairs = {frozenset((one["one"], one["other"])): one for one in found["pairs"]}
    assert pairs[frozenset((first, copy))]["similarity"] >= NEAR_SIMILARITY == found["limit"]
    assert pairs[frozenset((first, other))]["similarity"] < NEAR_SIMILARITY
    distances = [abs(one["similarity"] - found["limit"]) for one in found["pairs"]]
    assert distances == sorted(distances)
    assert (found["n_answers"], found["suggestion"]) == (0, None)

    assert say(page, "/folds", copy_id=other, of_id=first, is_copy=True)[0] == 200
    assert say(page, "/folds", copy_id=copy, of_id=first, is_copy=False)[0] == 200
    answered = {
        frozenset((one["one"], one["other"])): one["is_same"] for one in read(page, "/pairs.json")["pairs"]
    }
    assert answered[frozenset((first, other))] is True
    assert answered[frozenset((first, copy))] is False
    drafts = {draft.candidate_id: draft for draft in page.ledger.candidates.of_run(RUN_ID)}
    assert [drafts[name].status for name in (other, copy)] == ["duplicate", "survivor"]


def test_the_difference_of_two_pictures_is_drawn(page: Open) -> None:
    """In red where they differ; of this run's pictures only."""
    first, _, other = (draft.candidate_id for draft in page.drafts[:3])
    answer, content = ask(page, f"/runs/{RUN_ID}/differences/{first}/{other}")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    with Image.open(io.BytesIO(content)) as drawn:
        red, green, _ = drawn.convert("RGB").getpixel((170, 158))  # type: ignore[misc]
    assert red > green + 60, "the logo is red"
    assert ask(page, f"/runs/{RUN_ID}/differences/{first}/c-none")[0].status == 404


def test_the_command_shows_the_pairs_and_exports_the_answered_ones(page: Open, tmp_path: Path) -> None:
    """It spends nothing, and suggests nothing from one answer."""
    first, copy, _ = (draft.candidate_id for draft in page.drafts[:3])
    say(page, "/folds", copy_id=copy, of_id=first, is_copy=True)
    file = tmp_path / "answers.csv"
    run = CliRunner().invoke(runoff, ["duplicates", "--home", str(page.home), "--export", str(file)])
    assert run.exit_code == 0, run.output
    assert "1 answer; from 20 on" in run.output
    with file.open(encoding="utf-8") as opened:
        (row,) = csv.DictReader(opened)
    assert ({row["one"], row["other"]}, row["is_same"]) == ({first, copy}, "True")
    refused = CliRunner().invoke(runoff, ["duplicates", "--home", str(page.home), "--write"])
    assert isinstance(refused.exception, RunError)


def test_a_suggested_limit_is_written_to_the_runs_campaign(page: Open) -> None:
    """And only there: what it decides is decided by a rescore."""
    run = StoredRun.find(Settings(page.home, os.environ), page.ledger, RUN_ID)
    write_limit(run, Suggestion(0.81, 1, 1, 12, 9))
    campaign = yaml.safe_load((page.folder / "campaign.yaml").read_text())
    assert campaign["deduplicate"] == {"min_similarity": 0.81}
    again = StoredRun.find(Settings(page.home, os.environ), page.ledger, RUN_ID)
    assert again.campaign.deduplicate.min_similarity == 0.81
