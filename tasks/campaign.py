"""The campaign: what to make, which arms, how many, for how much money, and how to choose.

These models are the campaign file, key for key; each field's sentence becomes the JSON schema that editors
read and the reference page that people read. A campaign never changes after it was read: its rows are
expanded and its paths absolute, so that what ran is written down whole (``as_yaml``).
"""

import itertools
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from tasks.prices import Lane

Scalar = str | int | float | bool
Row = Mapping[str, Scalar]
ArmName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]


def _exact(value: object) -> object:
    return str(value) if isinstance(value, float) else value


Dollars = Annotated[
    Decimal, BeforeValidator(_exact), Field(gt=0, le=1_000_000, decimal_places=9, allow_inf_nan=False)
]


class Section(BaseModel):
    """A part of the campaign file: frozen, and without keys that nobody reads."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Budget(Section):
    """How much money may be spent."""

    per_run_usd: Dollars
    """The most that one run may spend, US dollars: drafts and finals, everything reserved included."""

    per_month_usd: Dollars | None = None
    """The most that all runs of this campaign may spend in a calendar month (UTC), US dollars."""


class Successor(Section):
    """What to use instead once the model has been shut down. What is left out stays as it was."""

    model: str
    """The model's id in the catalogue."""

    quality: str | None = None
    """Its quality."""

    size: str | None = None
    """Its size, `WIDTHxHEIGHT`."""

    complexity: str | None = None
    """Its complexity."""


class ArmDrafts(Section):
    """What an arm does differently from `drafts`. What is left out is as there."""

    model: str | None = None
    """The arm's own model."""

    successor: Successor | None = None
    """The arm's own successor of its model."""

    quality: str | None = None
    """The arm's own quality."""

    size: str | None = None
    """The arm's own size."""

    format: Literal["png", "jpeg", "webp"] | None = None
    """The arm's own format."""

    background: Literal["auto", "opaque", "transparent"] | None = None
    """The arm's own background."""

    compression: int | None = Field(default=None, ge=0, le=100)
    """The arm's own compression."""

    moderation: Literal["auto", "low"] | None = None
    """The arm's own moderation."""

    input_fidelity: Literal["low", "high"] | None = None
    """The arm's own input fidelity."""

    complexity: Literal["low", "medium", "high"] | None = None
    """The arm's own complexity."""


class Arm(Section):
    """One variant under test: its own prompt, and what else it does differently."""

    prompt: str = Field(min_length=1)
    """A Jinja2 template; `{{ name }}` stands for the row's value of that variable."""

    drafts: ArmDrafts | None = None
    """What this arm does differently from `drafts`."""

    references: tuple[str, ...] | None = None
    """Pictures for this arm instead of the campaign's `references`; an empty list sends none."""


class PictureSettings(Section):
    """How pictures are asked for."""

    model: str
    """The model's id in the catalogue (`runoff models` lists them)."""

    successor: Successor | None = None
    """What to use, and say so, once the model has been shut down."""

    quality: str = "low"
    """The model's quality: low, medium or high, with some models also xhigh or max. `auto` has no price."""

    size: str = "1024x1024"
    """`WIDTHxHEIGHT` in pixels, as the model makes them. `auto` has no price."""

    format: Literal["png", "jpeg", "webp"] = "png"
    """The format of the picture files."""

    background: Literal["auto", "opaque", "transparent"] | None = None
    """The background; transparent needs png or webp. Left out, the vendor chooses."""

    compression: int | None = Field(default=None, ge=0, le=100)
    """How much of a jpeg or webp is kept, 0 to 100. Left out, the vendor keeps 100."""

    moderation: Literal["auto", "low"] | None = None
    """How strictly the vendor refuses; only without references. Left out, the vendor's `auto`."""

    input_fidelity: Literal["low", "high"] | None = None
    """How closely references are kept, with models that take it."""

    complexity: Literal["low", "medium", "high"] | None = None
    """How much a picture may hold, with models that take it. Left out, the vendor's `high`."""

    def parameters(self, *, n: int, is_edit: bool) -> dict[str, Any]:
        """Write the request's fields beside the prompt, under the API's names, exactly as they are sent.

        Args:
            n: Pictures asked for, 1-10.
            is_edit: Whether pictures are sent along.
        """
        optional: dict[str, Any] = {
            "background": self.background,
            "output_compression": self.compression,
            "moderation": self.moderation,
            "input_fidelity": self.input_fidelity if is_edit else None,
            "complexity": self.complexity,
        }
        return {
            "model": self.model,
            "n": n,
            "quality": self.quality,
            "size": self.size,
            "output_format": self.format,
        } | {key: value for key, value in optional.items() if value is not None}


class Drafts(PictureSettings):
    """The many cheap pictures."""

    per_prompt: int = Field(default=4, ge=1, le=1000)
    """How many pictures of each arm and row."""

    images_per_request: int = Field(default=1, ge=1, le=10)
    """How many pictures one request asks for; each is billed as one."""

    lane: Lane = "interactive"
    """`interactive`, or `batch`: half the price, within a day."""


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

    weights: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = {"technical": 1.0}
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


class Finals(PictureSettings):
    """The finalists, bought again."""

    quality: str = "high"
    """The model's quality: low, medium or high, with some models also xhigh or max. `auto` has no price."""

    method: Literal["edit", "generate"] = "edit"
    """`edit` sends the draft along as the reference; `generate` sends the prompt alone."""

    prompt: str | None = Field(default=None, min_length=1)
    """A Jinja2 template for finals; knows the row's variables, and the draft's text as `prompt`."""

    attempts: int = Field(default=2, ge=1, le=10)
    """How many tries at each final at most; the best is taken."""

    min_fidelity: float = Field(default=0.75, ge=0, le=1)
    """How much a final must still be its draft, 0 to 1; below it the try is not accepted."""


class Schedule(Section):
    """When the campaign runs by itself (`runoff serve`)."""

    cron: str
    """Five fields: minute, hour, day of the month, month, day of the week."""

    timezone: str = "UTC"
    """The IANA time zone that the fields are meant in, such as Europe/Paris."""

    pause_when_unreviewed: int | None = Field(default=None, ge=1)
    """Skip a run while this many earlier ones wait for review."""


class Campaign(Section):
    """A campaign file: make many cheap pictures, keep the few that deserve it, buy only those again."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    """The campaign's name: small letters, digits and hyphens, 64 at most."""

    provider: str
    """Who sells the pictures: a name in providers.yaml, such as openai, cometapi or emulator."""

    budget: Budget
    """How much money may be spent."""

    variables: dict[VariableName, Annotated[tuple[Scalar, ...], Field(min_length=1)]] | None = None
    """Values by variable; every combination is one row. Not together with `rows`."""

    rows: tuple[dict[VariableName, Scalar], ...] | str | None = None
    """The rows themselves: a list of mappings, or a CSV file with the variables in its first line."""

    arms: dict[ArmName, Arm] = Field(min_length=1, max_length=26)
    """The variants under test, by name; every arm sees the same rows."""

    references: tuple[str, ...] = ()
    """Pictures sent with every draft order, in order: png, jpeg or webp, relative to this file."""

    mask: str | None = None
    """A png with transparency, of the first reference's size: where it is clear, the picture is remade."""

    drafts: Drafts
    """The many cheap pictures."""

    deduplicate: Deduplicate = Deduplicate()
    """What counts as a copy."""

    score: Score = Score()
    """How pictures are ranked."""

    finalists: Finalists = Finalists()
    """Which drafts are bought again."""

    finals: Finals
    """How finalists are bought again."""

    schedule: Schedule | None = None
    """When the campaign runs by itself."""

    on_unknown: Literal["keep", "resend"] = "keep"
    """An order without an answer may have been billed: `keep` it charged, or `resend` and maybe pay twice."""

    @property
    def n_rows(self) -> int:
        """How many rows there are, without expanding them; 1 when nothing varies."""
        if isinstance(self.rows, tuple):
            return len(self.rows)
        count = 1
        for values in (self.variables or {}).values():
            count *= len(values)
        return count

    @cached_property
    def all_rows(self) -> tuple[Row, ...]:
        """The rows in order: those given, or every combination of the variables; else one empty row."""
        if isinstance(self.rows, tuple):
            return self.rows
        names = list(self.variables or {})
        values = (self.variables or {}).values()
        return tuple(dict(zip(names, combination, strict=True)) for combination in itertools.product(*values))

    def drafts_of(self, arm: str) -> Drafts:
        """Tell how an arm's drafts are asked for: the campaign's settings with the arm's own over them."""
        own = self.arms[arm].drafts
        if own is None:
            return self.drafts
        changes = {key: getattr(own, key) for key in own.model_fields_set if getattr(own, key) is not None}
        if own.model is not None and own.successor is None:
            changes["successor"] = None  # the campaign's successor belongs to the campaign's model
        return self.drafts.model_copy(update=changes)

    def references_of(self, arm: str) -> tuple[str, ...]:
        """List the pictures sent with an arm's draft orders; the arm's own replace the campaign's."""
        own = self.arms[arm].references
        return self.references if own is None else own

    def as_yaml(self) -> str:
        """Write the campaign as a file that stands alone: rows expanded from CSV, paths absolute."""
        import yaml

        said = self.model_dump(mode="json", exclude_unset=True)
        text: str = yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=110)
        return text
