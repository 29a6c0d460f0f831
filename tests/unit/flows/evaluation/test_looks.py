"""Looks at a run's pictures: from thumbnails, from the pictures, or not at all."""

import gc
import hashlib
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from flows.evaluation import looks
from flows.evaluation.compared_pairs import ComparedPairs
from flows.evaluation.looks import Looks
from tasks.candidate import Candidate, Inspection
from tasks.pictures.decoding import make_thumbnail
from tasks.pictures.likeness import NEAR_SIMILARITY
from tasks.pictures.looks import Look, look_of_thumbnail
from tests.support.draft_builders import a_draft
from tests.support.edited_pictures import cropped, draw_stool


def a_bought(folder: Path, name: str, picture: Image.Image, **changes: Any) -> Candidate:
    """Put a picture and its thumbnail on the disk."""
    file, thumbnail = folder / f"drafts/{name}.png", folder / f"thumbnails/{name}.webp"
    for path in (file, thumbnail):
        path.parent.mkdir(exist_ok=True)
    picture.save(file)
    thumbnail.write_bytes(make_thumbnail(picture))
    facts: dict[str, Any] = {
        "file": f"drafts/{name}.png",
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "inspection": Inspection(thumbnail=f"thumbnails/{name}.webp"),
    }
    return a_draft(name, **(facts | changes))


def test_a_copy_is_seen_by_the_thumbnails_alone(tmp_path: Path) -> None:
    """The pictures themselves may be pruned."""
    pair = [
        a_bought(tmp_path, "c-1", draw_stool(logo="A"), is_pruned=True),
        a_bought(tmp_path, "c-2", cropped(left=0.03)(draw_stool(logo="A")), is_pruned=True),
    ]
    for one in pair:
        (tmp_path / one.file).unlink()

    found = next(Looks({tmp_path: pair}).compare(pair[0], pair[1:]))

    assert found is not None
    assert found.similarity is not None
    assert found.similarity >= NEAR_SIMILARITY


def test_a_lost_or_damaged_thumbnail_is_made_from_the_picture_and_nothing_is_written(tmp_path: Path) -> None:
    """Looking changes nothing."""
    pair = [a_bought(tmp_path, name, draw_stool(logo=name[-1])) for name in ("c-B", "c-C")]
    (tmp_path / "thumbnails/c-B.webp").unlink()
    (tmp_path / "thumbnails/c-C.webp").write_bytes(b"RIFF")

    found = next(Looks({tmp_path: pair}).compare(pair[0], pair[1:]))

    assert found is not None
    assert found.similarity is not None
    assert found.similarity < NEAR_SIMILARITY, "another letter is another picture"
    assert not (tmp_path / "thumbnails/c-B.webp").exists()


def test_a_further_picture_takes_less_than_forty_kilobytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of most pictures only a glance is kept, however many were compared."""
    monkeypatch.setattr(looks, "MOST_LOOKS", 4)
    monkeypatch.setattr(looks, "_compared", ComparedPairs())
    tiles = np.random.default_rng(1).integers(0, 255, (24, 8, 8, 3), np.uint8)
    drawn = [Image.fromarray(each).resize((340, 340), Image.Resampling.NEAREST) for each in tiles]
    drafts = [a_bought(tmp_path, f"m-{number}", picture) for number, picture in enumerate(drawn)]
    seen = Looks({tmp_path: drafts})
    n_bytes = []
    tracemalloc.start()
    for half in (range(12), range(12, 24)):
        for number in half:
            list(seen.compare(drafts[number], drafts[max(0, number - 2) : number]))
        gc.collect()
        n_bytes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()

    assert (n_bytes[1] - n_bytes[0]) / 12 < 40_000


def test_no_picture_is_looked_at_before_the_first_pair_that_is_new_and_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search for duplicates ends at the first, which is nearly always a pair compared before."""
    monkeypatch.setattr(looks, "_compared", ComparedPairs())
    one, known, new = (a_bought(tmp_path, name, draw_stool(logo=name[-1])) for name in ("c-F", "c-G", "c-H"))
    before = next(Looks({tmp_path: [one, known]}).compare(one, [known]))
    read: list[Path] = []

    def noted(file: Path) -> Look:
        read.append(file)
        return look_of_thumbnail(file)

    monkeypatch.setattr(looks, "look_of_thumbnail", noted)
    comparisons = Looks({tmp_path: [one, known, new]}).compare(one, [known, new])

    assert (next(comparisons), read) == (before, [])
    assert next(comparisons) is not None
    assert len(read) == 2


def test_without_thumbnail_and_picture_there_is_nothing_to_compare(tmp_path: Path) -> None:
    """Nor with a picture that is not what was bought."""
    gone, other = (a_bought(tmp_path, name, draw_stool(logo=name[-1])) for name in ("c-D", "c-E"))
    (tmp_path / "thumbnails/c-D.webp").unlink()
    (tmp_path / gone.file).write_bytes((tmp_path / other.file).read_bytes())

    assert list(Looks({tmp_path: [gone, other]}).compare(gone, [other])) == [None]
