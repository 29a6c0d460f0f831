"""Prices as data: dollars per million tokens, with a source and a date.

A price is quoted in YAML, so that it is never read as a binary float.
"""

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import Literal

from tasks.catalogue.facts import ExactDecimal, Facts
from tasks.catalogue.sizes import Size

TOKENS_PER_PRICE = 1_000_000
NANO = Decimal("0.000000001")
Lane = Literal["interactive", "batch"]


BySize = Mapping[str, ExactDecimal | Mapping[str, ExactDecimal]]
"""Prices by quality, by size, or by quality and then size."""


class Prices(Facts):
    """What a model costs at one provider, USD; ``None`` where nothing is published.

    Token prices are per 1,000,000 tokens. ``per_picture`` is one price, or prices by quality, size or both;
    ``per_megapixel`` is for each 1,000,000 pixels asked for, ``per_request`` for each request whatever comes,
    and ``per_reference`` for each picture sent along. With any of these four, output has no price by tokens.
    """

    text_input: ExactDecimal | None = None
    image_input: ExactDecimal | None = None
    image_output: ExactDecimal | None = None
    text_output: ExactDecimal | None = None
    per_picture: ExactDecimal | BySize | None = None
    per_megapixel: ExactDecimal | None = None
    per_request: ExactDecimal | None = None
    per_reference: ExactDecimal | None = None
    batch_factor: ExactDecimal | None = None
    price_as_of: date
    source: str
    checked_on: date
    note: str = ""

    @property
    def is_by_picture(self) -> bool:
        """Whether pictures or requests are priced, not the tokens of the output."""
        own = (self.per_picture, self.per_megapixel, self.per_request, self.per_reference)
        return any(price is not None for price in own)

    def pictures_usd(self, n: int, quality: str, size: Size | None, n_references: int) -> Decimal | None:
        """Price pictures that are not priced by tokens, rounded up to a whole nano-dollar.

        Args:
            n: How many pictures.
            quality: Their quality.
            size: Their size; ``None`` where it is not known.
            n_references: How many pictures are sent along.

        Returns:
            Dollars, or ``None`` when a price that is needed is not published.
        """
        each = self._of_picture(quality, size)
        if self.per_megapixel is not None:
            if size is None or each is None:
                return None
            each += self.per_megapixel * size.width * size.height / 1_000_000
        if each is None:
            return None
        total = (self.per_request or 0) + n * each + n_references * (self.per_reference or 0)
        return Decimal(total).quantize(NANO, ROUND_CEILING)

    def _of_picture(self, quality: str, size: Size | None) -> Decimal | None:
        found = self.per_picture
        for key in (quality, str(size)):
            if isinstance(found, Mapping) and key in found:
                found = found[key]
        if found is None:
            return Decimal(0)
        return None if isinstance(found, Mapping) else found

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
