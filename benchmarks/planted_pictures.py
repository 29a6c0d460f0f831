"""Pictures with planted errors and the statements that find them, for benchmarks of the judge.

Each prompt asks for several things of one colour beside another, with words written in the picture; each of
its statements depends on an earlier one, or on none.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import get_args

import numpy as np

from tasks.emulator.images_request import ImagesRequest
from tasks.emulator.models import MODELS
from tasks.emulator.painter import paint
from tasks.emulator.painting.contents import ErrorKind
from tasks.emulator.picture_note import read_note
from tasks.emulator.replicates import Replicate
from tasks.emulator.vision_judge import VisionJudge
from tasks.judging.rubric import RubricAnswer, read_rubric_answer, rubric_parameters

KINDS: tuple[ErrorKind, ...] = get_args(ErrorKind)
THINGS = ("mug", "bottle", "shoe", "chair", "watch", "lamp", "vase", "kettle", "bag", "candle")
COLOURS = ("red", "blue", "green", "yellow", "purple", "black", "white", "orange")
TEXTS = ("SUMMER SALE", "Now open", "HALF PRICE", "New arrival", "Free delivery", "GROSSE AUSWAHL")
NUMBERS = ("two", "three", "four", "five")
STATEMENTS = {
    "missing": ("The picture shows a {{ one }}", None),
    "extra": ("The picture shows exactly {{ number }} {{ one }}s", 0),
    "wrong_colour": ("The {{ one }}s are {{ colour }}", 0),
    "swapped": ("The {{ one }} is left of the {{ other }}", 0),
    "misspelt": ("The text reads “{{ text }}”", None),
    "other": ("The picture shows a {{ other }}", None),
}
"""The statement that each error makes false, and the place of the one that it depends on."""


@dataclass(frozen=True, slots=True)
class Brief:
    """A row: the prompt, and its statements in the order of ``STATEMENTS``."""

    prompt: str
    statements: tuple[str, ...]


def draw_brief(rng: np.random.Generator) -> Brief:
    """Draw a row."""
    one, other = rng.choice(THINGS, 2, replace=False)
    colour, ground = rng.choice(COLOURS, 2, replace=False)
    values = {
        "one": one, "other": other, "colour": colour,
        "number": rng.choice(NUMBERS), "text": rng.choice(TEXTS),
    }  # fmt: skip
    prompt = (
        f"{values['number']} {colour} {one}s left of a {ground} {other} on a table, with the words "
        f"“{values['text']}”, studio photograph"
    )
    return Brief(prompt, tuple(_filled(text, values) for text, _ in STATEMENTS.values()))


def _filled(text: str, values: dict[str, str]) -> str:
    return reduce(lambda found, name: found.replace("{{ " + name + " }}", values[name]), values, text)


def paint_with(brief: Brief, errors: Sequence[ErrorKind], seed: int) -> bytes:
    """Paint a cheap picture of a row with errors planted; equal but for them if the seed is.

    Raises:
        ValueError: An error cannot be planted into it.
    """
    request = ImagesRequest("generations", MODELS["gpt-image-1-mini"], brief.prompt, size=(64, 64))
    picture = paint(request, Replicate(seed, None, False, planted=tuple(errors)), "plain")
    shown = read_note(picture)
    if shown is None or shown.planted != tuple(errors):
        message = f"{errors} cannot be planted into {brief.prompt}"
        raise ValueError(message)
    return picture


def ask(picture: bytes, statements: Sequence[str], seed: int, error_rate: float) -> RubricAnswer:
    """Ask the emulator's judge by the rubric, as a campaign does, without HTTP."""
    shape = rubric_parameters("gpt-6-luna", statements)["response_format"]["json_schema"]["schema"]
    judge = VisionJudge([picture], seed, noise=0.0, first_bias=0.0, error_rate=error_rate)
    answer = read_rubric_answer(json.dumps(judge.fill(shape)), len(statements))
    assert answer is not None
    return answer


def roots_of_failure(verdicts: Sequence[bool | None]) -> list[str]:
    """Name the errors whose statement fails although the one that it depends on is true."""
    parents = [parent for _, parent in STATEMENTS.values()]
    return [
        kind
        for kind, verdict, parent in zip(STATEMENTS, verdicts, parents, strict=True)
        if not verdict and (parent is None or verdicts[parent])
    ]
