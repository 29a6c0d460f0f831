"""The base model of every section of the campaign file: frozen, strict, each key documented."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _exact(value: object) -> object:
    return str(value) if isinstance(value, float) else value


Dollars = Annotated[
    Decimal, BeforeValidator(_exact), Field(gt=0, le=1_000_000, decimal_places=9, allow_inf_nan=False)
]


class Section(BaseModel):
    """A section of the campaign file: frozen, and unknown keys are faults."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, serialize_by_alias=True
    )
