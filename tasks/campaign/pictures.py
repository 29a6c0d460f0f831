"""The campaign's pictures: how drafts and finals are asked for, and what an arm does differently."""

from typing import Any, Literal

from pydantic import Field

from tasks.campaign.mask import AnyMask
from tasks.campaign.rounds import Allocation
from tasks.campaign.section import Section
from tasks.catalogue.prices import Lane


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

    mask: AnyMask | None = None
    """The arm's own mask, instead of the campaign's."""


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

    partial_images: int | None = Field(default=None, ge=0, le=3)
    """Ask for the picture as a stream with so many partial ones. Left out, it comes whole, in one answer."""

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

    per_prompt: int = Field(default=4, ge=1, le=1000)
    """How many pictures of each arm and row; halving shares out as many in all, at most."""

    allocation: Allocation = "fixed"
    """`fixed`: as many of every arm. `halving`: in rounds that drop arms; at most as many in all."""

    images_per_request: int = Field(default=1, ge=1, le=10)
    """How many pictures one request asks for; each is billed as one."""

    lane: Lane = "interactive"
    """`interactive`, or `batch`: half the price, within a day."""
