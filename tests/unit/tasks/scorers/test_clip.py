"""CLIP: real loading of a model from a file, on a tiny one made here with random weights.

CI skips these and says so: what brings them, torch, takes gigabytes. Run them where the extra is installed.
"""

import json
from pathlib import Path

import pytest
from PIL import Image

from tasks.campaign.choice import Clip
from tasks.campaign.choice import Score as Wishes
from tasks.errors import SettingError
from tasks.scorers import Assignment, load_scorer
from tasks.scorers.clip import STRETCH
from tests.support.draft_builders import a_draft

TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16, "head_width": 64},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 1},
}

pytestmark = pytest.mark.slow


@pytest.fixture
def tiny(tmp_path: Path) -> Clip:
    """Write a tiny model's architecture and random weights, as a user has them on disk."""
    reason = "needs the extra clip, with torch's gigabytes: pip install -e '.[clip]'"
    torch = pytest.importorskip("torch", reason=reason)
    open_clip = pytest.importorskip("open_clip", reason=reason)
    torch.manual_seed(0)
    config, weights = tmp_path / "tiny-clip.json", tmp_path / "tiny-clip.pt"
    config.write_text(json.dumps(TINY))
    open_clip.add_model_config(config)
    torch.save(open_clip.create_model("tiny-clip").state_dict(), weights)
    return Clip(model=str(config), weights=str(weights))


def test_the_value_is_the_cosine_of_picture_and_prompt(tiny: Clip, tmp_path: Path) -> None:
    """As the model itself gives it, stretched to the scale and cut off below 0; the same every time."""
    import open_clip
    import torch

    picture = Image.linear_gradient("L").convert("RGB")
    picture.save(tmp_path / "picture.png")
    scorer = load_scorer("clip", Assignment(Wishes(clip=tiny)))
    score = scorer.score(a_draft(file="picture.png", prompt="a red otter"), tmp_path)
    model, _, prepare = open_clip.create_model_and_transforms("tiny-clip", pretrained=tiny.weights)
    with torch.inference_mode():
        seen = model.eval().encode_image(prepare(picture)[None])
        said = model.encode_text(open_clip.get_tokenizer("tiny-clip")(["a red otter"]))
        cosine = torch.nn.functional.cosine_similarity(seen, said).item()
    assert score.measurements["clip_cosine"] == pytest.approx(cosine, abs=1e-5)
    assert score.value == pytest.approx(min(1, max(0, STRETCH * cosine)), abs=1e-4)
    assert score.version == "1 tiny-clip"
    assert scorer.score(a_draft(file="picture.png", prompt="a red otter"), tmp_path) == score


def test_another_prompt_gives_another_value(tiny: Clip, tmp_path: Path) -> None:
    """The text matters, not only the picture."""
    Image.linear_gradient("L").convert("RGB").save(tmp_path / "picture.png")
    scorer = load_scorer("clip", Assignment(Wishes(clip=tiny)))
    cosines = {
        scorer.score(a_draft(file="picture.png", prompt=prompt), tmp_path).measurements["clip_cosine"]
        for prompt in ("a red otter", "a lighthouse at night", "three green apples")
    }
    assert len(cosines) == 3


def test_weights_of_another_model_are_refused(tiny: Clip, tmp_path: Path) -> None:
    """A file that is no such model's is named, without a traceback of torch."""
    wrong = tmp_path / "wrong.pt"
    wrong.write_bytes(b"no weights")
    with pytest.raises(SettingError, match=r"wrong\.pt does not have the weights of tiny-clip"):
        load_scorer("clip", Assignment(Wishes(clip=Clip(model=tiny.model, weights=str(wrong)))))


def test_a_model_that_needs_the_internet_is_refused(tiny: Clip) -> None:
    """Its words would be cut up by a tokenizer that is downloaded."""
    with pytest.raises(SettingError, match="downloads its tokenizer"):
        load_scorer("clip", Assignment(Wishes(clip=Clip(model="ViT-B-16-SigLIP", weights=tiny.weights))))
