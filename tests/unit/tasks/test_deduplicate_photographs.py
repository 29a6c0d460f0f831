"""On real photographs, which scikit-image ships: copies are found, different ones are kept.

``benchmarks/dedup_photographs.py`` measures the same on many more, at every radius.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import pytest
import skimage
from PIL import Image, ImageEnhance

from tasks.candidate import Candidate, Inspection, Score
from tasks.deduplicate import deduplicate
from tasks.duplicates.rule import Level, Within
from tasks.pictures.decoding import decode, flatten
from tasks.pictures.fingerprint import fingerprint

GREY = ("camera.png", "clock_motion.png")
COLOURED = ("astronaut.png", "chelsea.png", "coffee.png", "ihc.png", "retina.jpg")
NAMES = (*GREY, *COLOURED, "hubble_deep_field.jpg", "motorcycle_left.png")


@dataclass(frozen=True)
class DefaultRule:
    """What a campaign has that says nothing about copies, but looking everywhere."""

    hash: Literal["phash", "dhash"] = "phash"
    radius_bits: int = 6
    within: Within = "campaign"
    history_runs: int = 0
    level: Level = "near"
    min_similarity: float | None = None
    fold_mirrored: bool = False
    fold_framed: bool = False


@cache
def photograph(name: str) -> Image.Image:
    """Load a photograph, reduced so that the test is quick."""
    picture = flatten(decode(Path(skimage.__file__).parent / "data" / name))
    return picture.resize((512, 512 * picture.height // picture.width), Image.Resampling.LANCZOS)


def described(name: str, picture: Image.Image, technical: float = 0.5) -> Candidate:
    """Describe a picture as a candidate."""
    prints = fingerprint(picture)
    inspection = Inspection(phash=prints.phash, dhash=prints.dhash, measurements=prints.colours)
    return Candidate(
        candidate_id=name, order_id=name, stage="draft", arm="A", row=0, replicate=0, attempt=0, prompt="",
        file=name, sha256=name, n_bytes=1, inspection=inspection, scores={"technical": Score(technical, "")},
    )  # fmt: skip


def leaders(*candidates: Candidate) -> dict[str, str | None]:
    """Tell which candidate stands for each."""
    return {name: standing.cluster for name, standing in deduplicate(candidates, DefaultRule()).items()}


def through_jpeg(picture: Image.Image) -> Image.Image:
    """Encode and decode with loss."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=75)
    return decode(stream.getvalue())


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "encoded again": through_jpeg,
    "resized to 75 %": lambda one: one.resize((one.width * 3 // 4, one.height * 3 // 4)),
    "brightened by 10 %": lambda one: ImageEnhance.Brightness(one).enhance(1.1),
    "cropped by 2 %": lambda one: one.crop(
        (one.width // 100, one.height // 100, one.width - one.width // 100, one.height - one.height // 100)
    ),
}


@pytest.mark.parametrize("kind", COPIES)
def test_copies_of_photographs_are_found(kind: str) -> None:
    """Every copy goes to the photograph it was made of, and no photograph to another."""
    originals = [described(name, photograph(name), 0.9) for name in NAMES]
    copies = [described(f"{name} copied", COPIES[kind](photograph(name))) for name in NAMES]
    found = leaders(*originals, *copies)
    assert found == {name: name for name in NAMES} | {f"{name} copied": name for name in NAMES}


def test_two_eyes_see_two_pictures() -> None:
    """A stereo pair shows one place from two sides: near to a hash, and yet no copy."""
    pair = [described(name, photograph(name)) for name in ("motorcycle_left.png", "motorcycle_right.png")]
    assert leaders(*pair) == {
        "motorcycle_left.png": "motorcycle_left.png",
        "motorcycle_right.png": "motorcycle_right.png",
    }


@pytest.mark.parametrize("name", [name for name in NAMES if name not in GREY])
def test_neighbouring_views_are_kept(name: str) -> None:
    """Two half-overlapping parts of one photograph, as if the camera was turned."""
    one = photograph(name)
    width, height = one.size
    parts = [
        described(side, one.crop((left, 0, left + width * 6 // 10, height)))
        for side, left in (("left", 0), ("right", width * 3 // 10))
    ]
    assert leaders(*parts) == {"left": "left", "right": "right"}


@pytest.mark.parametrize("name", COLOURED)
def test_same_layout_in_other_colours_is_kept(name: str) -> None:
    """With red and blue exchanged a picture is another one, though its hashes hardly differ."""
    red, green, blue = photograph(name).split()
    other = Image.merge("RGB", (blue, green, red))
    assert leaders(described("one", photograph(name)), described("other", other)) == {
        "one": "one",
        "other": "other",
    }
