"""Copy space: a quiet ground with enough contrast takes lettering, a busy or a mixed one does not."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError
from skimage.color import rgb2xyz
from yaml import safe_dump

from tasks.campaign.choice import CopySpace
from tasks.campaign.choice import Score as Wishes
from tasks.campaign_file.load import load_campaign
from tasks.candidate import Score
from tasks.errors import CampaignError
from tasks.scorers import Assignment, load_scorer
from tasks.scorers.copy_space import crop, measure_box, relative_luminance
from tests.support.campaign_files import basis
from tests.support.draft_builders import a_draft
from tests.support.planning import CATALOGUE, PROVIDERS

BOX = CopySpace(left=0.0, top=0.0, width=0.5, height=0.5)


def judged(picture: Image.Image, folder: Path, box: CopySpace | None = BOX) -> Score:
    """Score one picture as the step would."""
    picture.save(folder / "picture.png")
    scorer = load_scorer("copy_space", Assignment(Wishes(copy_space=box)))
    return scorer.score(a_draft(file="picture.png"), folder)


def a_ground(colour: str, busy: float = 0.0, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """Paint a plain ground with blotches of the size of letters."""
    rng = np.random.default_rng(1)
    blotches = rng.normal(0, busy, (size[1] // 8, size[0] // 8))
    noise = np.kron(blotches, np.ones((8, 8)))[..., None]
    plain = np.asarray(Image.new("RGB", size, colour), dtype=np.float64)
    return Image.fromarray(np.clip(plain + noise, 0, 255).astype(np.uint8))


@pytest.mark.parametrize(
    ("colour", "black", "white"),
    [("#ffffff", 21.0, 1.0), ("#000000", 1.0, 21.0), ("#767676", 4.62, 4.54), ("#595959", 3.0, 7.0)],
)
def test_the_contrast_is_wcags(tmp_path: Path, colour: str, black: float, white: float) -> None:
    """Ratios as WCAG's own examples and techniques give them; a plain ground is all quiet."""
    score = judged(a_ground(colour), tmp_path)
    assert score.measurements["copy_contrast_black"] == pytest.approx(black, abs=0.01)
    assert score.measurements["copy_contrast_white"] == pytest.approx(white, abs=0.01)
    assert score.measurements["copy_quiet"] == pytest.approx(1)
    assert score.value == pytest.approx(1)


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_the_luminance_is_y_of_the_standard_observer(colour: list[float]) -> None:
    """As scikit-image computes it, to the rounding of WCAG's coefficients."""
    assert relative_luminance(np.array(colour)) == pytest.approx(rgb2xyz(colour)[1], abs=1e-3)


def test_each_step_of_unrest_costs(tmp_path: Path) -> None:
    """More and more blotches of the size of letters."""
    values = [judged(a_ground("#dddddd", busy), tmp_path).value or 0.0 for busy in (0, 8, 16, 32, 64)]
    assert all(one > other for one, other in pairwise(values)), values
    assert values[-1] < 0.5 * values[0]


def test_a_ground_of_two_lights_takes_neither_ink(tmp_path: Path) -> None:
    """Half black, half white: quiet nearly everywhere, and no ink is seen on both."""
    picture = Image.new("RGB", (320, 240), "white")
    picture.paste("black", (0, 0, 80, 240))
    score = judged(picture, tmp_path)
    assert score.measurements["copy_quiet"] > 0.3
    assert score.value == pytest.approx(0, abs=0.01)
    assert score.reason.endswith("1.0:1, too little")


def test_a_slow_gradient_is_quiet(tmp_path: Path) -> None:
    """From dark to less dark: white is read on all of it."""
    ramp = np.repeat(np.linspace(20, 90, 320, dtype=np.uint8)[None, :, None], 240, axis=0).repeat(3, axis=2)
    score = judged(Image.fromarray(ramp), tmp_path)
    assert score.value is not None
    assert score.value > 0.9
    assert "white lettering" in score.reason


def test_only_the_box_counts(tmp_path: Path) -> None:
    """Whatever is beside it, and whatever its size; its edges are inside the picture."""
    picture = a_ground("#ffffff", 60)
    picture.paste("white", (0, 0, 160, 120))
    assert judged(picture, tmp_path).value == pytest.approx(1)
    whole = CopySpace(left=0, top=0, width=1, height=1)
    assert (judged(picture, tmp_path, whole).value or 0.0) < 0.9
    assert crop(picture, CopySpace(left=0.99, top=0.99, width=0.01, height=0.01)).size == (3, 2)


def test_a_transparent_ground_is_not_known(tmp_path: Path) -> None:
    """Null with its reason; so is a campaign without a box."""
    score = judged(Image.new("RGBA", (320, 240), (255, 255, 255, 0)), tmp_path)
    assert (score.value, "transparent" in score.reason) == (None, True)
    assert judged(a_ground("#fff"), tmp_path, None).value is None


def test_the_same_ground_in_any_size_is_the_same() -> None:
    """A draft and its larger final are judged alike."""
    small = measure_box(a_ground("#bbbbbb", 20))
    large = measure_box(a_ground("#bbbbbb", 20).resize((1280, 960), Image.Resampling.NEAREST))
    assert small is not None
    assert large is not None
    assert large.value == pytest.approx(small.value, abs=0.02)


@pytest.mark.parametrize("change", [{"left": 0.6}, {"width": 0}, {"top": -0.1}, {"height": 1.2}])
def test_a_box_beyond_the_picture_is_refused(change: dict[str, Any]) -> None:
    """In shares of the picture."""
    with pytest.raises(ValidationError):
        CopySpace(**{"left": 0.1, "top": 0.1, "width": 0.5, "height": 0.5} | change)


def test_a_campaign_that_weighs_it_needs_a_box(tmp_path: Path) -> None:
    """Said at plan."""
    campaign = basis() | {"score": {"weights": {"technical": 1, "copy_space": 1}}}
    file = tmp_path / "campaign.yaml"
    file.write_text(safe_dump(campaign), encoding="utf-8")
    with pytest.raises(CampaignError) as caught:
        load_campaign(file, CATALOGUE, PROVIDERS)
    assert any("score.copy_space" in fault and "is missing" in fault for fault in caught.value.faults)
