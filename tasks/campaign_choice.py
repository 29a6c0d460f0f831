"""The campaign's choice: what counts as a copy, how pictures are scored, and which are bought again."""

from typing import Annotated, Literal

from pydantic import Field

from tasks.campaign_section import Section


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


class Judge(Section):
    """A model that looks at pictures and answers questions about them."""

    model: str
    """The judging model's id in the catalogue."""

    rubric: tuple[str, ...] = Field(min_length=1)
    """What a good picture is, one sentence each."""


class Score(Section):
    """How pictures are ranked."""

    weights: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(default={"technical": 1.0})
    """How much each scorer counts, by its name."""

    judge: Judge | None = None
    """The judge's settings, when `weights` names it."""


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

    approval: Literal["auto", "review"] = "review"
    """`auto` buys them within the run; `review` waits for a person: `runoff promote`."""
