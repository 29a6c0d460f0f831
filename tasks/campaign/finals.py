"""The campaign file's ``finals``: how finalists are bought again, once or in several editions."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from tasks.campaign.mask import AnyMask
from tasks.campaign.pictures import PictureSettings

Method = Literal["edit", "generate"]
Fit = Literal["any", "pad", "crop", "same"]
Kept = Literal["none", "must", "all"]


class Finals(PictureSettings):
    """The finalists, bought again; a list of these buys each in several editions."""

    name: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    """The edition's name, in the report and in file names; required if `finals` is a list."""

    provider: str | None = None
    """The provider of the finals, whoever made the drafts. Default: the campaign's."""

    quality: str = "high"
    """The model's quality: low, medium or high, with some models also xhigh or max. `auto` has no price."""

    method: Method = "edit"
    """`edit` sends the draft as the reference; `generate` sends only the prompt."""

    prompt: str | None = Field(default=None, min_length=1)
    """A Jinja2 template for finals, with the row's variables and the draft's text as `prompt`."""

    references: tuple[str, ...] = ()
    """Pictures sent after the draft, such as a logo or a brand sheet; can be templates over the row."""

    mask: AnyMask | None = None
    """The part of the draft to inpaint; takes the same values as the campaign's `mask`."""

    fit: Fit = "any"
    """If proportions differ: `pad` or `crop` the draft, send it as it is (`any`), or reject it (`same`)."""

    attempts: int = Field(default=2, ge=1, le=10)
    """The most attempts at each final."""

    min_fidelity: float = Field(default=0.75, ge=0, le=1)
    """The lowest fidelity to the draft, 0 to 1; an attempt below it is not accepted."""

    max_zoom: float = Field(default=0.1, ge=0, le=0.12)
    """The most that a final may show things larger or smaller than its draft: 0.1 is 10 %."""

    max_shift: float = Field(default=0.06, ge=0, le=0.08)
    """The farthest that a final's middle may move, in shares of the longest edge."""

    max_tone: float = Field(default=0.15, ge=0, le=0.25)
    """The most that brightness or white balance may change, in shares of the range from black to white."""

    keep_statements: Kept = "none"
    """Which of the judge's statements that are true of the draft must be true of its final: `none`, those
    with `must`, or `all`. Each final that is faithful enough is then judged, which costs a request."""

    keep_text: bool = False
    """`true`: where the draft spells the expected text right, its final must too."""

    align: bool = False
    """`true`: keep a second file of an accepted final, in `aligned/`, in which its drift is undone."""

    fallback: Literal["generate"] | None = None
    """`generate`: if no edit is faithful enough, buy one picture from the prompt alone and accept it."""

    @property
    def tries(self) -> int:
        """The most pictures bought of one finalist."""
        return self.attempts + (self.fallback is not None)

    def method_of(self, attempt: int) -> Method:
        """Return the method of an attempt, counted from 0."""
        return self.fallback if self.fallback and attempt >= self.attempts else self.method


def _kind(value: object) -> str:
    return "[several]" if isinstance(value, list | tuple) else "[one]"


AnyFinals = Annotated[
    Annotated[Finals, Tag("[one]")]
    | Annotated[tuple[Finals, ...], Tag("[several]"), Field(min_length=1, max_length=50)],
    Discriminator(_kind),
]
"""One edition, or several."""
