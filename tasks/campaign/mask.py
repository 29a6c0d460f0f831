"""The campaign file's ``mask``: a file, or a mask that Runoff draws."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator

from tasks.campaign.section import Section

ONE_OF = "give one of box, keep_box and alpha_of"


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Edge = Annotated[
    str, BeforeValidator(_as_text), WithJsonSchema({"type": ["integer", "string"]}), Field(min_length=1)
]
"""Pixels, or a share such as ``25%``; text may be a template over the row."""

Box = tuple[Edge, Edge, Edge, Edge]


class Mask(Section):
    """A mask that Runoff draws; set exactly one of the keys."""

    box: Box | None = None
    """The box to inpaint: left, top, width, height, each in pixels or as a share such as `25%`."""

    keep_box: Box | None = None
    """The box to keep; everything around it is inpainted."""

    alpha_of: Literal["reference"] | None = None
    """`reference`: inpaint what is transparent in the first reference."""

    @model_validator(mode="after")
    def _check_one_key(self) -> "Mask":
        if sum(value is not None for value in (self.box, self.keep_box, self.alpha_of)) != 1:
            raise ValueError(ONE_OF)
        return self


def _kind(value: object) -> str:
    return "[file]" if isinstance(value, str) else "[drawn]"


AnyMask = Annotated[Annotated[str, Tag("[file]")] | Annotated[Mask, Tag("[drawn]")], Discriminator(_kind)]
"""A file's path, or how to draw one."""
