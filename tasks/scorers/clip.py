"""The scorer ``clip``: how well a picture matches its prompt, by the user's own CLIP model.

Needs the extra ``clip`` (open_clip, which installs torch) and a file with weights. Nothing is downloaded: a
model that would download its tokenizer is not accepted.
"""

from pathlib import Path
from typing import Any

from tasks.campaign.choice import Clip
from tasks.candidate import Candidate, Score
from tasks.errors import SettingError
from tasks.extras import install_command
from tasks.pictures.decoding import decode, flatten
from tasks.scorers import Assignment

VERSION = "1"
STRETCH = 2.5
"""Cosines of matching pairs stay below about 0.4; this factor stretches them to the range from 0 to 1.

Source: J. Hessel et al. (2021), "CLIPScore: a reference-free evaluation metric for image captioning".
"""


class ClipScorer:
    """Scores by the cosine between picture and prompt."""

    name = "clip"

    def __init__(self, clip: Clip) -> None:
        """Load the model; takes a few seconds, and as much memory as its weights.

        Raises:
            SettingError: open_clip is not installed, or the weights are not of that model.
        """
        self.version = f"{VERSION} {Path(clip.model).stem}"
        self._model, self._prepare, self._tokenize = _load(clip)
        self._texts: dict[str, Any] = {}

    @classmethod
    def for_run(cls, assignment: Assignment) -> "ClipScorer":
        """Load the model that the campaign names.

        Raises:
            SettingError: It names none, or the model cannot be loaded.
        """
        if assignment.wishes.clip is None:
            raise SettingError(where="score.clip", what="is missing, but score.weights uses it")
        return cls(assignment.wishes.clip)

    def score(self, candidate: Candidate, run_folder: Path) -> Score:
        """Compare a picture with the prompt it was made for.

        Raises:
            PictureError: The file is missing or not a picture.
        """
        import torch

        picture = flatten(decode(run_folder / candidate.file))
        with torch.inference_mode():
            seen = self._model.encode_image(self._prepare(picture)[None], normalize=True)
        cosine = float((seen @ self._text(candidate.prompt).T).item())
        value = min(1.0, max(0.0, STRETCH * cosine))
        return Score(value, f"similarity to the prompt {cosine:.2f}", {"clip_cosine": cosine}, self.version)

    def _text(self, prompt: str) -> Any:  # noqa: ANN401 - torch is not there when types are checked
        """Encode a prompt once; text beyond the model's length is cut off."""
        import torch

        if prompt not in self._texts:
            with torch.inference_mode():
                self._texts[prompt] = self._model.encode_text(self._tokenize([prompt]), normalize=True)
        return self._texts[prompt]


def _load(clip: Clip) -> tuple[Any, Any, Any]:
    try:
        import open_clip
    except ImportError as error:
        raise SettingError(
            where="scorer clip", what=f"open_clip cannot be loaded: {error}",
            next_step=f"Install it: {install_command('clip')}",
        ) from error  # fmt: skip
    name = clip.model
    if name.endswith(".json"):
        open_clip.add_model_config(Path(name))
        name = Path(name).stem
    config = open_clip.get_model_config(name)
    if config is None:
        known = ", ".join(open_clip.list_models())
        raise SettingError(where="score.clip.model", what=f"open_clip has no model {name!r}", accepted=known)
    if "hf_tokenizer_name" in config["text_cfg"] or "hf_model_name" in config["text_cfg"]:
        what = f"{name} downloads its tokenizer"
        raise SettingError(where="score.clip.model", what=what, accepted="a model with CLIP's own tokenizer")
    try:
        model, _, prepare = open_clip.create_model_and_transforms(name, pretrained=clip.weights)
    except Exception as error:  # torch raises many kinds of errors for a wrong file
        what = f"{clip.weights} does not have the weights of {name}: {str(error).splitlines()[0]}"
        raise SettingError(where="score.clip.weights", what=what) from error
    return model.eval(), prepare, open_clip.get_tokenizer(name)
