"""The campaign file's ``drafts`` and ``arms``, and the settings that drafts and finals share."""

from typing import Any, Literal

from pydantic import Field

from tasks.campaign.mask import AnyMask
from tasks.campaign.rounds import Allocation
from tasks.campaign.section import Dollars, Section
from tasks.catalogue.prices import Lane

CHEAPEST = "cheapest"
"""The model that the catalogue chooses on the day; see ``tasks.campaign.cheapest``."""


class Successor(Section):
    """The model to use after the shutdown of `model`. Keys left out keep their values."""

    model: str
    """The model's id in the catalogue."""

    quality: str | None = None
    """Its quality."""

    size: str | None = None
    """Its size, `WIDTHxHEIGHT`."""

    complexity: str | None = None
    """Its complexity."""


class ArmDrafts(Section):
    """An arm's own draft settings. Keys left out have the values of `drafts`."""

    model: str | None = None
    """The arm's own model, or `cheapest`."""

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
    """One variant under test: its own prompt, and any settings of its own."""

    prompt: str = Field(min_length=1)
    """A Jinja2 template; `{{ name }}` is replaced by the row's value of that variable."""

    provider: str | None = None
    """The provider of this arm's drafts: a name in providers.yaml. Default: the campaign's."""

    budget_usd: Dollars | None = None
    """The most that this arm's drafts may cost in one run, in US dollars; the other arms go on."""

    drafts: ArmDrafts | None = None
    """This arm's own draft settings."""

    references: tuple[str, ...] | None = None
    """References of this arm instead of the campaign's; an empty list sends none."""

    mask: AnyMask | None = None
    """The arm's own mask, instead of the campaign's."""

    levels: dict[str, str] | None = None
    """The levels of `factors` that the arm is made of. Runoff writes this into a run's own file."""


class PictureSettings(Section):
    """How pictures are asked for."""

    model: str
    """The model's id in the catalogue (`runoff models` lists them)."""

    successor: Successor | None = None
    """The model to use once `model` has been shut down; the report says so."""

    quality: str = "low"
    """low, medium or high; some models also xhigh or max. `auto` is not accepted, because it has no price."""

    size: str = "1024x1024"
    """`WIDTHxHEIGHT` in pixels, one that the model makes. `auto` is not accepted, because it has no price."""

    format: Literal["png", "jpeg", "webp"] = "png"
    """The file format."""

    background: Literal["auto", "opaque", "transparent"] | None = None
    """The background; `transparent` needs png or webp. Default: the vendor chooses."""

    compression: int | None = Field(default=None, ge=0, le=100)
    """The quality of a jpeg or webp file, 0 to 100. The vendor's default is 100."""

    moderation: Literal["auto", "low"] | None = None
    """How strict the vendor's moderation is; only without references. The vendor's default is `auto`."""

    input_fidelity: Literal["low", "high"] | None = None
    """How closely references are followed, for models that support it."""

    complexity: Literal["low", "medium", "high"] | None = None
    """How much detail a picture may have, for models that support it. The vendor's default is `high`."""

    partial_images: int | None = Field(default=None, ge=0, le=3)
    """Stream the picture, with this many partial pictures first. Default: no streaming."""

    def parameters(self, *, n: int, is_edit: bool) -> dict[str, Any]:
        """Return the request's fields except the prompt, under the API's names, exactly as they are sent.

        Args:
            n: Pictures requested, 1-10.
            is_edit: Whether pictures are sent along.
        """
        optional: dict[str, Any] = {
            "background": self.background,
            "output_compression": self.compression,
            "moderation": self.moderation,
            "input_fidelity": self.input_fidelity if is_edit else None,
            "complexity": self.complexity,
            "stream": None if self.partial_images is None else True,
            "partial_images": self.partial_images,
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

    model: str = CHEAPEST
    """A model's id in the catalogue, or `cheapest`: the one that makes this for least on the day."""

    per_prompt: int = Field(default=4, ge=1, le=1000)
    """Pictures (replicates) of each arm and row; with `halving`, at most as many in total."""

    allocation: Allocation = "fixed"
    """`fixed`: the same number for every arm. `halving`: rounds that drop arms, at most as many in total."""

    images_per_request: int = Field(default=1, ge=1, le=10)
    """Pictures per request; each is billed."""

    lane: Lane = "interactive"
    """`interactive`: at once. `batch`: within a day, at half the price."""
