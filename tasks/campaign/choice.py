"""The campaign's choice: what counts as a copy, how pictures are scored, and which are bought again."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tasks.campaign.section import Section


class Deduplicate(Section):
    """What counts as a copy."""

    hash: Literal["phash", "dhash"] = "phash"
    """The perceptual hash whose bits are compared."""

    radius_bits: int = Field(default=6, ge=0, le=16)
    """Pictures that differ in at most this many of 64 bits are copies; 0 finds identical hashes only."""

    within: Literal["prompt", "arm", "campaign"] = "prompt"
    """Where copies are looked for: among the pictures of an arm's prompt, of an arm, or of the whole run."""

    history_runs: int = Field(default=0, ge=0)
    """How many earlier runs of this campaign are looked through as well."""


COLOUR = re.compile("#[0-9A-Fa-f]{6}")
JUDGING_MODEL = "gpt-6-luna"


class Judge(Section):
    """A model that looks at pictures and answers questions about them."""

    model: str = JUDGING_MODEL
    """The judging model's id in the catalogue."""

    rubric: tuple[str, ...] = Field(min_length=1)
    """What a good picture is, one sentence each."""


class Duel(Section):
    """A model that looks at two pictures of the same row and says which is better."""

    model: str = JUDGING_MODEL
    """The judging model's id in the catalogue."""

    rubric: tuple[str, ...] = ()
    """What a good picture is, one sentence each; without any the pictures are compared as a whole."""

    per_row: int = Field(default=12, ge=1, le=1000)
    """How many pairs of a row's pictures are compared at most; each is asked twice, once in each order."""


def _colour(text: str) -> str:
    if not COLOUR.fullmatch(text):
        message = 'red, green and blue as "#RRGGBB"'
        raise ValueError(message)
    return text


Colour = Annotated[str, AfterValidator(_colour), Field(json_schema_extra={"pattern": f"^{COLOUR.pattern}$"})]


class Palette(Section):
    """The colours that pictures are to keep to."""

    colors: tuple[Colour, ...] = Field(max_length=32)
    """The brand's colours as `"#RRGGBB"` (in quotes: a bare # begins a comment), neutral ones included."""


class Clip(Section):
    """A model that tells how well a picture shows what its prompt says."""

    model: str = "ViT-B-32"
    """The model's architecture: a name that open_clip knows, or a JSON file of one, relative to this file."""

    weights: str
    """The file with the model's weights, relative to this file; nothing is downloaded."""


class Score(Section):
    """How pictures are ranked."""

    weights: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(default={"technical": 1.0})
    """How much each scorer counts, by its name."""

    judge: Judge | None = None
    """The judge's settings, when `weights` names it."""

    duel: Duel | None = None
    """The duels' settings, when `weights` names them."""

    expect_text: str | None = None
    """What `legibility` expects to read, a template as prompts are; without it, a row's own `expect_text`."""

    palette: Palette | None = None
    """The colours for `palette`, when `weights` names it."""

    clip: Clip | None = None
    """The model for `clip`, when `weights` names it."""


class Finalists(Section):
    """Which drafts are bought again."""

    count: int = Field(default=4, ge=0, le=1000)
    """How many at most; 0 makes drafts only."""

    max_per_arm: int | None = Field(default=None, ge=1)
    """How many at most of one arm."""

    max_per_prompt: int | None = Field(default=None, ge=1)
    """How many at most of one arm and row."""

    min_score: float | None = Field(default=None, ge=0, le=1)
    """The least total score, 0 to 1."""

    approval: Literal["auto", "review", "prefect"] = "review"
    """`auto` buys them within the run; `review` waits for a person: `runoff promote`; `prefect` lets
    them answer in Prefect's pages too."""
