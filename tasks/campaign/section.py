"""What every part of the campaign file is: frozen, strict, each key with its sentence."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _exact(value: object) -> object:
    return str(value) if isinstance(value, float) else value


Dollars = Annotated[
    Decimal, BeforeValidator(_exact), Field(gt=0, le=1_000_000, decimal_places=9, allow_inf_nan=False)
]


class Section(BaseModel):
    """A part of the campaign file: frozen, and without keys that nobody reads."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
