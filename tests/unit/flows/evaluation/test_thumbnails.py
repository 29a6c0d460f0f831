"""A thumbnail that is gone, as after a power cut, is drawn again from the picture that was bought."""

import hashlib
from pathlib import Path
from typing import Any

from PIL import Image

from flows.evaluation.thumbnails import redraw_thumbnails
from tasks.candidate import Candidate, Inspection
from tests.support.draft_builders import a_draft


def a_bought(folder: Path, name: str, **changes: object) -> Candidate:
    """Put a picture on the disk, without the thumbnail that the ledger knows."""
    (folder / "drafts").mkdir(exist_ok=True)
    file = folder / f"drafts/{name}.png"
    Image.new("RGB", (640, 320), "orange").save(file)
    facts: dict[str, Any] = {
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "inspection": Inspection(width=640, height=320, thumbnail=f"thumbnails/{name}.webp"),
    }
    return a_draft(name, **(facts | changes))


def test_a_missing_thumbnail_is_drawn_again_and_the_others_stay(tmp_path: Path) -> None:
    """Once: the next report finds it."""
    gone, kept = a_bought(tmp_path, "gone"), a_bought(tmp_path, "kept")
    (tmp_path / "thumbnails").mkdir()
    (tmp_path / "thumbnails/kept.webp").write_bytes(b"as it was")
    assert redraw_thumbnails(tmp_path, [gone, kept]) == 1
    with Image.open(tmp_path / "thumbnails/gone.webp") as thumbnail:
        assert thumbnail.format == "WEBP"
    assert (tmp_path / "thumbnails/kept.webp").read_bytes() == b"as it was"
    assert redraw_thumbnails(tmp_path, [gone, kept]) == 0


def test_nothing_is_drawn_of_what_is_gone_pruned_replaced_or_was_never_inspected(tmp_path: Path) -> None:
    """A replaced picture must not get the thumbnail of the one that was bought."""
    replaced, gone = a_bought(tmp_path, "replaced", sha256="0" * 64), a_bought(tmp_path, "gone")
    (tmp_path / gone.file).unlink()
    pruned = a_bought(tmp_path, "pruned", is_pruned=True)
    unseen = a_bought(tmp_path, "unseen", inspection=None)
    assert redraw_thumbnails(tmp_path, [replaced, gone, pruned, unseen]) == 0
    assert not (tmp_path / "thumbnails").exists()
