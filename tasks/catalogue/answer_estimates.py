"""Estimates the cost of a judging model's answer from text and pictures at token prices."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from math import ceil
from typing import Any, NamedTuple

from pydantic import Field

from tasks.catalogue import tokens
from tasks.catalogue.facts import ExactDecimal, Facts
from tasks.catalogue.prices import Lane, Prices
from tasks.order import Reference

LEAST_ANSWER_SHARE = 10
"""An answer uses at least a tenth of the tokens allowed: a guess, for the low end only."""


class Vision(Facts):
    """How a model that answers in text counts pictures, with a source and a date."""

    patch_px: int = Field(ge=1)
    """The edge of the squares that cover a picture, px; each is one token before the factor."""

    most_patches: int = Field(ge=1)
    """The most squares; a larger picture is shrunk by the vendor."""

    low_factor: ExactDecimal
    """Tokens per square, as published by users for the model's family."""

    high_factor: ExactDecimal
    """The highest number of tokens per square of any published model of the vendor."""

    input_surcharge: ExactDecimal = Decimal(1)
    """The factor by which input can exceed its price, when the vendor writes it to a cache."""

    source: str
    checked_on: date
    note: str = ""


class AnswerCost(NamedTuple):
    """The range of an answer's cost in dollars."""

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

    The high end, which is reserved, bounds the text, schema included, by its bytes, and assumes the highest
    factor for pictures and the longest answer allowed.

    Args:
        vision: How the model counts pictures.
        prices: Its token prices; everything sent is priced as text, pictures included.
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
