"""What a judging model's answer will cost: words and pictures in, words out, at the model's token prices."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from math import ceil
from typing import Any, NamedTuple

from pydantic import Field

from tasks.catalogue import tokens
from tasks.catalogue.prices import ExactDecimal, Facts, Lane, Prices
from tasks.order import Reference

LEAST_ANSWER_SHARE = 10
"""An answer uses at least a tenth of what it is allowed: a guess for the low end only."""


class Vision(Facts):
    """How a model that answers in words counts pictures, with the day and the page that says so."""

    patch_px: int = Field(ge=1)
    """A picture is covered by squares of this edge, each a token before the factor."""

    most_patches: int = Field(ge=1)
    """A larger picture is shrunk by the vendor until it has no more."""

    low_factor: ExactDecimal
    """Tokens for each square, as counted in public for the model's family."""

    high_factor: ExactDecimal
    """Tokens for each square that no published model of the vendor exceeds."""

    input_surcharge: ExactDecimal = Decimal(1)
    """By how much input can be dearer than its price, where the vendor writes it to a cache."""

    source: str
    checked_on: date
    note: str = ""


class AnswerCost(NamedTuple):
    """Between which dollars an answer will cost."""

    low_usd: Decimal
    high_usd: Decimal


def answer_cost_usd(
    vision: Vision,
    prices: Prices,
    parameters: Mapping[str, Any],
    prompt: str,
    pictures: Sequence[Reference],
    lane: Lane,
) -> AnswerCost | None:
    """Price a question to a judging model before it is sent.

    The high end bounds the text by its bytes, the shape asked for included, takes the highest factor for
    pictures, and the whole answer that is allowed: it is what gets reserved.

    Args:
        vision: How the model counts pictures.
        prices: Its token prices; what is sent is text, pictures included.
        parameters: As sent; with ``max_completion_tokens``.
        prompt: The question.
        pictures: The pictures shown.
        lane: ``interactive`` or ``batch``.

    Returns:
        Low and high end, or ``None`` when a price was not published.
    """
    most_output = int(parameters["max_completion_tokens"])
    shape = json.dumps(parameters.get("response_format", ""))
    patches = sum(min(vision.most_patches, _patches(picture, vision.patch_px)) for picture in pictures)
    low = prices.charge_usd(
        text_input=tokens.least_text_tokens(prompt) + ceil(patches * vision.low_factor),
        image_input=0,
        output=-(-most_output // LEAST_ANSWER_SHARE),
        lane=lane,
    )
    most_input = tokens.most_text_tokens(prompt + shape, is_edit=True) + ceil(patches * vision.high_factor)
    high = prices.charge_usd(
        text_input=ceil(most_input * vision.input_surcharge), image_input=0, output=most_output, lane=lane
    )
    return None if low is None or high is None else AnswerCost(low, high)


def _patches(picture: Reference, patch_px: int) -> int:
    return ceil(picture.width / patch_px) * ceil(picture.height / patch_px)
