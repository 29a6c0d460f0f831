"""A campaign of cut-outs: what came without its transparency is told, and every final has its lineage."""

import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

from tests.support.provider import OpenProvider
from tests.support.shell import CAMPAIGN, Shell


@pytest.mark.slow
def test_an_opaque_answer_to_an_order_for_a_cut_out_is_marked(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """The picture stays, marked with what it lacks; the others show through; all bytes are untouched."""
    open_provider({"kind": "wrong_format", "nth": (2,), "path": "generations"})
    changes = {stage: CAMPAIGN[stage] | {"background": "transparent"} for stage in ("drafts", "finals")}
    outcome = shell.json("run", shell.campaign(changes))
    folder = shell.folder(outcome["run_id"])
    frame = pd.read_parquet(folder / "report.parquet").set_index("candidate_id")
    odd = frame[frame["downgraded"].notna()]
    assert list(odd["downgraded"]) == ["jpeg instead of png; no transparency although ordered"]
    assert list(odd["alpha_share"]) == [0.0]
    assert outcome["differing"] == {"jpeg instead of png; no transparency although ordered": 1}
    assert (frame[frame["downgraded"].isna()]["alpha_share"] > 0.005).all()
    for row in frame.to_dict("records"):
        assert hashlib.sha256((folder / row["file"]).read_bytes()).hexdigest() == row["sha256"]
    _check_lineage(folder, frame)
    kept = {file: file.read_bytes() for file in (folder / "finals").glob("*.json")}
    for file in kept:
        file.unlink()
    assert shell.runoff("report", "latest").returncode == 0
    assert {file: file.read_bytes() for file in (folder / "finals").glob("*.json")} == kept


def _check_lineage(folder: Path, frame: pd.DataFrame) -> None:
    """Hold each final's page of facts against the report's rows."""
    finals = frame[frame["stage"] == "final"]
    assert len(finals) == 2
    for name, final in finals.iterrows():
        story = json.loads((folder / final["file"]).with_suffix(".json").read_text())
        draft = frame.loc[final["draft_id"]]
        assert story["final"]["candidate_id"] == name
        assert (story["final"]["sha256"], story["draft"]["sha256"]) == (final["sha256"], draft["sha256"])
        assert (story["draft"]["file"], story["draft"]["model"]) == (draft["file"], draft["model"])
        assert float(story["final"]["cost_usd"]) == final["cost_usd"]
        assert story["final"]["fidelity"] == final["fidelity"]
        assert story["final"]["accepted"] is True


@pytest.mark.slow  # every day: tests/unit/flows/evaluation/test_pictures_in_another_form.py
def test_jpeg_in_place_of_png_for_every_picture_is_kept_said_and_compared(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Both arms are alike in it, so the verdict is one about the arms."""
    open_provider({"kind": "wrong_format"})
    outcome = shell.json("run", shell.campaign())
    folder = shell.folder(outcome["run_id"])
    frame = pd.read_parquet(folder / "report.parquet")
    assert set(frame["downgraded"]) == {"jpeg instead of png"}
    assert set(frame["format"]) == {"jpeg"}
    assert "cannot be compared" not in outcome["verdict"]
    test = json.loads((folder / "summary.json").read_text())["ab_test"]
    assert test["pairs"][0]["rows"] == 2
    assert "The pictures compared came as jpeg instead of png, alike in all arms." in test["headline"]
