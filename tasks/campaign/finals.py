"""The campaign's finals: how finalists are bought again, once or in several editions."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from tasks.campaign.mask import AnyMask
from tasks.campaign.pictures import PictureSettings

Method = Literal["edit", "generate"]
Fit = Literal["any", "pad", "crop", "same"]


class Finals(PictureSettings):
    """The finalists, bought again; a list of these buys each in several editions."""

    name: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    """What an edition is called, in the report and in its files' names; needed where `finals` is a list."""

    quality: str = "high"
    """The model's quality: low, medium or high, with some models also xhigh or max. `auto` has no price."""

    method: Method = "edit"
    """`edit` sends the draft along as the reference; `generate` sends the prompt alone."""

    prompt: str | None = Field(default=None, min_length=1)
    """A Jinja2 template for finals; knows the row's variables, and the draft's text as `prompt`."""

    references: tuple[str, ...] = ()
    """Pictures sent after the draft: a logo, a brand sheet; may be templates over the row."""

    mask: AnyMask | None = None
    """Where the draft is made anew; the rest is to stay. As `mask` of the campaign, laid over the draft."""

    fit: Fit = "any"
    """When shapes differ: `pad` or `crop` the draft, send it as it is (`any`), or refuse that (`same`)."""

    attempts: int = Field(default=2, ge=1, le=10)
    """How many tries at each final at most; the best is taken."""

    min_fidelity: float = Field(default=0.75, ge=0, le=1)
    """How much a final must still be its draft, 0 to 1; below it the try is not accepted."""

    fallback: Literal["generate"] | None = None
    """`generate`: when no edit is faithful enough, one picture of the prompt alone is made and taken."""

    @property
    def tries(self) -> int:
        """How many pictures of one finalist are bought at most."""
        return self.attempts + (self.fallback is not None)

    def method_of(self, attempt: int) -> Method:
        """Tell how the ``attempt``-th try is made, from 0."""
        return self.fallback if self.fallback and attempt >= self.attempts else self.method


def _kind(value: object) -> str:
    return "[several]" if isinstance(value, list | tuple) else "[one]"


AnyFinals = Annotated[
    Annotated[Finals, Tag("[one]")] | Annotated[tuple[Finals, ...], Tag("[several]"), Field(min_length=1)],
    Discriminator(_kind),
]
"""One edition, or several."""
