"""The base of all data in the catalogue: validated, immutable, and exact where it is money."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Facts(BaseModel):
    """Base class of validated, immutable data."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _refuse_float(value: object) -> object:
    if isinstance(value, float):
        message = f"{value!r} has no quotes; write it as '{value}' so that it stays exact"
        raise ValueError(message)  # noqa: TRY004 - pydantic reports a ValueError as a fault of the file
    return value


ExactDecimal = Annotated[Decimal, BeforeValidator(_refuse_float), Field(ge=0, allow_inf_nan=False)]
