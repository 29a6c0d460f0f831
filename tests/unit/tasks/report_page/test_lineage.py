"""The page of facts beside each final: complete, readable, and the same whenever it is written."""

import json
from pathlib import Path

import pytest

from tasks.errors import SettingError
from tasks.report_page.lineage import lineage_file, write_lineage
from tests.support.report_rows import FINAL_USD, RUN_ID, make_draft, make_final, make_run


def test_a_final_tells_which_draft_it_was_made_from(tmp_path: Path) -> None:
    """Both pictures by id, file and digest, both orders with their money, and how far one is the other."""
    draft = make_draft("B", 2, 5, rank=1, chosen_by="rule", prompt="a “baby” otter, 水彩")
    final = make_final(draft, 1, 0.83, sha256="f" * 64, vendor_request_id="req_9", fidelity_palette=0.9)
    (file,) = write_lineage([draft, final], tmp_path)
    assert file == tmp_path / "finals/B-002-005-try2.json"
    text = file.read_text(encoding="utf-8")
    assert "“baby” otter, 水彩" in text
    story = json.loads(text)
    assert story["run"] == {"run_id": RUN_ID, "campaign": "sea-otter", "provider": "emulator"}
    for part, row in (("final", final), ("draft", draft)):
        for name in ("candidate_id", "file", "sha256", "model", "quality", "prompt", "order_id"):
            assert story[part][name] == row[name], name
        assert story[part]["sent_at"] == row["sent_at"].isoformat()
    assert story["final"]["cost_usd"] == str(FINAL_USD)
    assert story["final"]["vendor_request_id"] == "req_9"
    assert (story["final"]["fidelity"], story["final"]["fidelity_palette"]) == (0.83, 0.9)
    assert story["final"]["accepted"] is True
    assert (story["draft"]["arm"], story["draft"]["row"], story["draft"]["replicate"]) == ("B", 2, 5)


def test_what_is_unknown_is_null(tmp_path: Path) -> None:
    """A draft whose cost and digest nobody knows has neither a nought nor a gap."""
    draft = make_draft("A", 0, 0, cost_usd=None, sha256=None)
    (file,) = write_lineage([draft, make_final(draft, 0, 0.9)], tmp_path)
    told = json.loads(file.read_text())["draft"]
    assert (told["cost_usd"], told["sha256"]) == (None, None)


def test_only_finals_held_against_their_drafts_have_a_lineage(tmp_path: Path) -> None:
    """Refused ones too; not one that is not compared yet, nor an order that brought no picture."""
    rows = make_run()
    compared = [row for row in rows if row["stage"] == "final" and row["accepted"] is not None]
    assert {row["accepted"] for row in compared} == {True, False}
    draft = rows[0]
    waiting = make_final(draft, 0, None)
    barren = make_final(draft, 1, None) | {"file": None, "candidate_id": None}
    written = write_lineage([*rows, waiting, barren], tmp_path)
    assert written == [tmp_path / lineage_file(row["file"]) for row in compared]
    assert sorted((tmp_path / "finals").iterdir()) == sorted(written)


def test_it_is_the_same_whenever_it_is_written(tmp_path: Path) -> None:
    """Deleted or spoilt, it comes back byte for byte."""
    rows = make_run()
    files = write_lineage(rows, tmp_path)
    first = [file.read_bytes() for file in files]
    files[0].write_text("spoilt")
    files[1].unlink()
    assert [file.read_bytes() for file in write_lineage(rows, tmp_path)] == first


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """The disk's fault is one clear error."""
    (tmp_path / "finals").write_text("a file where a folder should be")
    with pytest.raises(SettingError, match="finals"):
        write_lineage(make_run(), tmp_path)
