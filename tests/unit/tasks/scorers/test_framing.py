"""Framing: a subject that the frame cuts, on plain grounds and as a cut-out; nothing is said of others."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from tasks.scorers import load_scorer
from tasks.scorers.framing import look_along_rim
from tests.support.draft_builders import a_draft

SIZE = (360, 300)


def a_ground(name: str) -> Image.Image:
    """Paint a ground."""
    if name == "transparent":
        return Image.new("RGBA", SIZE)
    down = np.linspace(0, 1, SIZE[1])[:, None, None] * np.ones((1, SIZE[0], 3))
    fields = {
        "white": np.full(down.shape, 250.0),
        "gradient": 230 - 100 * down,
        "wall and floor": np.where(down < 0.7, [214, 205, 192], [150, 120, 96]),
    }
    return Image.fromarray(fields[name].astype(np.uint8)).convert("RGBA")


def with_subject(ground: Image.Image, left: int, top: int) -> Image.Image:
    """Put a round red thing of 120 px there."""
    picture = ground.copy()
    ImageDraw.Draw(picture).ellipse((left, top, left + 120, top + 120), fill=(180, 30, 40, 255))
    return picture


GROUNDS = ("white", "gradient", "wall and floor", "transparent")


@pytest.mark.parametrize("ground", GROUNDS)
def test_a_whole_subject_is_whole(ground: str) -> None:
    """Wherever it stands inside."""
    for left, top in ((120, 90), (8, 8), (230, 170)):
        assert look_along_rim(with_subject(a_ground(ground), left, top)).cut_share == 0


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize(("left", "top"), [(-50, 60), (290, 60), (120, -50), (120, 230)])
def test_a_subject_beyond_a_side_is_cut_there(ground: str, left: int, top: int) -> None:
    """By about as much of the rim as it covers."""
    found = look_along_rim(with_subject(a_ground(ground), left, top)).cut_share
    assert found == pytest.approx(118 / (2 * (SIZE[0] + SIZE[1])), abs=0.03)


def test_the_value_falls_with_what_is_cut(tmp_path: Path) -> None:
    """A tenth of the rim costs two fifths."""
    values = []
    for top in (100, -15, -50):
        with_subject(a_ground("white"), 120, top).save(tmp_path / "picture.png")
        score = load_scorer("framing").score(a_draft(file="picture.png"), tmp_path)
        assert score.value is not None
        values.append(score.value)
    assert values[0] == 1
    assert values[0] > values[1] > values[2]
    assert score.reason.startswith("framing: the frame cuts the subject along ")


def test_nothing_is_said_where_the_ground_is_not_plain(tmp_path: Path) -> None:
    """Null with its reason, never 0."""
    noise = np.random.default_rng(1).integers(0, 255, (30, 36, 3), dtype=np.uint8)
    busy = Image.fromarray(noise).resize(SIZE).filter(ImageFilter.GaussianBlur(1))
    busy.save(tmp_path / "picture.png")
    score = load_scorer("framing").score(a_draft(file="picture.png"), tmp_path)
    assert (score.value, score.reason) == (None, "framing: the ground is not plain")
    assert look_along_rim(Image.new("RGBA", SIZE)).cut_share is None


@pytest.mark.parametrize("size", [(1, 1), (5, 400), (400, 5), (2048, 64)])
def test_a_picture_of_any_size_is_looked_at(size: tuple[int, int]) -> None:
    """However narrow."""
    assert look_along_rim(Image.new("RGB", size, "white")).cut_share in (0, None)
