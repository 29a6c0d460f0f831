"""Untouched: what an edit changed outside its mask costs, and what it changed inside does not."""

import hashlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from tasks.campaign_file.load import load_campaign
from tasks.candidate import Score
from tasks.errors import CampaignError
from tasks.order import Reference
from tasks.scorers import Assignment, Masked, load_scorer
from tests.support.campaign_files import basis
from tests.support.draft_builders import a_draft
from tests.support.planning import CATALOGUE, PROVIDERS

SIZE = (400, 300)
BOX = (140, 100, 260, 200)


def a_scene(seed: int = 1) -> Image.Image:
    """Paint soft blotches of colour."""
    noise = np.random.default_rng(seed).integers(0, 255, (15, 20, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize(SIZE, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(2))


def a_mask() -> Image.Image:
    """Draw a mask that leaves all but a box alone."""
    mask = Image.new("RGBA", SIZE, (0, 0, 0, 255))
    ImageDraw.Draw(mask).rectangle(BOX, fill=(0, 0, 0, 0))
    return mask


def inpainted(picture: Image.Image) -> Image.Image:
    """Change the box alone."""
    changed = picture.copy()
    changed.paste(a_scene(9).crop(BOX), BOX)
    return changed


def sent(folder: Path, name: str, picture: Image.Image) -> Reference:
    """Write a picture and describe it."""
    picture.save(folder / name)
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    return Reference(str(folder / name), digest, *picture.size, "image/png")


def judged(folder: Path, after: Image.Image, before: Image.Image | None = None) -> Score:
    """Score an edit as the step would."""
    after.save(folder / "after.png")
    draft = a_draft(file="after.png")
    masked = Masked(sent(folder, "before.png", before or a_scene()), sent(folder, "mask.png", a_mask()))
    scorer = load_scorer("untouched", Assignment(masked={draft.candidate_id: masked}))
    return scorer.score(draft, folder)


def test_what_changed_inside_the_mask_costs_nothing(tmp_path: Path) -> None:
    """In the same size and in another one."""
    score = judged(tmp_path, inpainted(a_scene()))
    assert score.value == pytest.approx(1, abs=0.005)
    assert score.reason == "outside the mask 0% changed, colours 0.0 off"
    larger = inpainted(a_scene()).resize((800, 600), Image.Resampling.LANCZOS)
    assert judged(tmp_path, larger).value == pytest.approx(1, abs=0.02)


def test_a_little_movement_and_grain_cost_next_to_nothing(tmp_path: Path) -> None:
    """The picture is laid on its reference first."""
    moved = inpainted(a_scene()).crop((3, 2, 400, 300)).resize(SIZE, Image.Resampling.LANCZOS)
    grain = np.random.default_rng(2).normal(0, 4, (*SIZE[::-1], 3))
    noisy = Image.fromarray(np.clip(np.asarray(moved) + grain, 0, 255).astype(np.uint8))
    assert (judged(tmp_path, noisy).value or 0.0) > 0.95


def test_each_step_of_change_outside_costs(tmp_path: Path) -> None:
    """Something else in a corner, larger and larger; and another light, more and more."""
    pasted, lit = [], []
    for edge in (0, 60, 120):
        changed = inpainted(a_scene())
        changed.paste((250, 250, 0), (0, 0, edge, edge))
        pasted.append(judged(tmp_path, changed))
    for light in (1.0, 1.1, 1.3):
        lit.append(judged(tmp_path, ImageEnhance.Brightness(inpainted(a_scene())).enhance(light)))
    for ladder in (pasted, lit):
        values = [score.value or 0.0 for score in ladder]
        assert all(one > other for one, other in pairwise(values)), values
    assert pasted[-1].measurements["untouched_changed_share"] == pytest.approx(
        120 * 120 / (SIZE[0] * SIZE[1] - 120 * 100), abs=0.06
    )


def test_without_a_mask_a_reference_or_the_same_shape_there_is_no_value(tmp_path: Path) -> None:
    """Null, each with its reason, and never 0."""
    assert load_scorer("untouched").score(a_draft(), tmp_path).reason == "untouched: no mask was sent"
    narrow = judged(tmp_path, a_scene().resize((300, 300)))
    assert (narrow.value, "other proportions" in narrow.reason) == (None, True)
    a_scene().save(tmp_path / "after.png")
    draft = a_draft(file="after.png")
    masked = Masked(sent(tmp_path, "before.png", a_scene()), sent(tmp_path, "mask.png", a_mask()))
    scorer = load_scorer("untouched", Assignment(masked={draft.candidate_id: masked}))
    a_scene(3).save(tmp_path / "before.png")
    assert "has changed since it was sent" in scorer.score(draft, tmp_path).reason
    (tmp_path / "before.png").unlink()
    found = scorer.score(draft, tmp_path)
    assert (found.value, "cannot be read any more" in found.reason) == (None, True)


def test_a_campaign_without_a_mask_cannot_weigh_it(tmp_path: Path) -> None:
    """Said at plan."""
    from yaml import safe_dump

    file = tmp_path / "campaign.yaml"
    file.write_text(safe_dump(basis() | {"score": {"weights": {"untouched": 1}}}), encoding="utf-8")
    with pytest.raises(CampaignError) as caught:
        load_campaign(file, CATALOGUE, PROVIDERS)
    assert any("no arm has a mask" in fault for fault in caught.value.faults)
