"""Prices as data: dollars per million tokens, with a source and a date.

A price is quoted in YAML, so that it is never read as a binary float.
"""

from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

TOKENS_PER_PRICE = 1_000_000
NANO = Decimal("0.000000001")
Lane = Literal["interactive", "batch"]


class Facts(BaseModel):
    """Base class of validated, immutable data."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _refuse_float(value: object) -> object:
    if isinstance(value, float):
        message = f"{value!r} has no quotes; write it as '{value}' so that it stays exact"
        raise ValueError(message)  # noqa: TRY004 - pydantic reports a ValueError as a fault of the file
    return value


ExactDecimal = Annotated[Decimal, BeforeValidator(_refuse_float), Field(ge=0, allow_inf_nan=False)]


class Prices(Facts):
    """Token prices at one provider, USD per 1,000,000 tokens; ``None`` where none is published."""

    text_input: ExactDecimal | None = None
    image_input: ExactDecimal | None = None
    image_output: ExactDecimal | None = None
    text_output: ExactDecimal | None = None
    batch_factor: ExactDecimal | None = None
    price_as_of: date
    source: str
    checked_on: date
    note: str = ""

    def charge_usd(self, *, text_input: int, image_input: int, output: int, lane: Lane) -> Decimal | None:
        """Compute the cost of tokens, rounded up to a whole nano-dollar.

        Args:
            text_input: Text tokens sent.
            image_input: Picture tokens sent.
            output: Tokens received, at the picture price, or at the text price if there is none.
            lane: ``batch`` multiplies by the batch factor.

        Returns:
            Dollars, or ``None`` when a price that is needed is not published.
        """
        per_output = self.text_output if self.image_output is None else self.image_output
        rates = ((text_input, self.text_input), (image_input, self.image_input), (output, per_output))
        factor = Decimal(1) if lane == "interactive" else self.batch_factor
        used = [(tokens, rate) for tokens, rate in rates if tokens]
        if factor is None or any(rate is None for _, rate in used):
            return None
        total = sum((tokens * rate for tokens, rate in used if rate is not None), Decimal(0))
        return (total * factor / TOKENS_PER_PRICE).quantize(NANO, ROUND_CEILING)
