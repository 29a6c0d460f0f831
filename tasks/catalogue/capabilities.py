"""A model's capabilities, and the check of a request against them before it is paid for.

Each fault names the model, the value and what is accepted, so that a campaign can be corrected in one pass.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import model_validator

from tasks.catalogue.facts import Facts
from tasks.catalogue.sizes import SizeRule, parse_size
from tasks.text import did_you_mean

MAX_PICTURES_PER_REQUEST = 10
NUMBERS = {"n": (1, MAX_PICTURES_PER_REQUEST), "output_compression": (0, 100), "partial_images": (0, 3)}
"""Source: docstrings of ``images.generate`` in the openai package 3.54.0, checked 2026-11-22."""

MODERATIONS = ("auto", "low")
LOSSLESS = "png"


class Capabilities(Facts):
    """A model's capabilities."""

    sizes: tuple[str, ...] = ()
    size_rule: SizeRule | None = None
    qualities: tuple[str, ...]
    formats: tuple[str, ...]
    backgrounds: tuple[str, ...]
    previews: Mapping[str, tuple[str, ...]] = {}
    edits: bool = False
    mask: bool = False
    markup: bool = False
    input_fidelity: tuple[str, ...] = ()
    complexity: tuple[str, ...] = ()
    batch: bool | None = None
    max_references: int = 0

    @model_validator(mode="after")
    def _has_sizes(self) -> "Capabilities":
        if bool(self.sizes) == (self.size_rule is not None):
            message = "give either sizes or a size_rule"
            raise ValueError(message)
        return self


class UnsupportedParameter(NamedTuple):
    """A field of a request that a model does not accept: what is wrong, and what is accepted."""

    key: str
    what: str
    accepted: str

    def __str__(self) -> str:
        return f"{self.key}: {self.what}" + (f", accepted: {self.accepted}" if self.accepted else "")


def find_unsupported(
    model_id: str, can: Capabilities, parameters: Mapping[str, Any]
) -> Iterator[UnsupportedParameter]:
    """Find the fields of a request that a model does not accept.

    Args:
        model_id: The model.
        can: Its capabilities.
        parameters: The fields other than the prompt, by the API's names.
    """
    choices = {
        "quality": can.qualities,
        "output_format": can.formats,
        "background": can.backgrounds,
        "input_fidelity": can.input_fidelity,
        "complexity": can.complexity,
        "moderation": MODERATIONS,
    }
    known = {*choices, *NUMBERS, "model", "size", "stream"}
    for key in parameters:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            yield UnsupportedParameter(
                key, "is not a field that Runoff sends", near[0] if near else ", ".join(sorted(known))
            )
    for key, accepted in choices.items():
        if key in parameters and parameters[key] not in accepted:
            yield _refused_choice(model_id, can, key, parameters[key], accepted)
    for key in ("quality", "size"):
        if key not in parameters:
            accepted = can.qualities if key == "quality" else can.sizes or (str(can.size_rule),)
            what = f"is missing, and {model_id}'s own choice cannot be priced"
            yield UnsupportedParameter(key, what, ", ".join(accepted))
    yield from _size_faults(model_id, can, parameters)
    yield from _number_faults(model_id, parameters)
    yield from _pairing_faults(model_id, parameters)


def _refused_choice(
    model_id: str, can: Capabilities, key: str, value: object, accepted: Sequence[str]
) -> UnsupportedParameter:
    if value in can.previews.get(key, ()):
        what = f"{value} is a gated preview of {model_id} without a published price"
        return UnsupportedParameter(key, what, ", ".join(accepted))
    if value == "auto":
        return UnsupportedParameter(
            key, f"auto cannot be priced before it is bought from {model_id}", ", ".join(accepted)
        )
    if not accepted:
        return UnsupportedParameter(
            key, f"{value!r} is not accepted: {model_id} does not support it", "leave it out"
        )
    what = f"{value!r} is not accepted by {model_id}{did_you_mean(str(value), accepted)}"
    return UnsupportedParameter(key, what, ", ".join(accepted))


def _size_faults(
    model_id: str, can: Capabilities, parameters: Mapping[str, Any]
) -> Iterable[UnsupportedParameter]:
    value = parameters.get("size")
    if value is None or value in can.sizes:
        return
    accepted = ", ".join(can.sizes) or str(can.size_rule)
    size = parse_size(value)
    if value == "auto":
        yield UnsupportedParameter(
            "size", f"auto cannot be priced before it is bought from {model_id}", accepted
        )
    elif size is None:
        yield UnsupportedParameter("size", f"{value!r} is not a WIDTHxHEIGHT that {model_id} makes", accepted)
    elif can.size_rule is None:
        yield UnsupportedParameter("size", f"{model_id} does not make {value}", accepted)
    elif not can.size_rule.allows(size):
        nearest = can.size_rule.nearest(size)
        yield UnsupportedParameter(
            "size", f"{model_id} does not make {value}; the nearest it makes is {nearest}", accepted
        )


def _number_faults(model_id: str, parameters: Mapping[str, Any]) -> Iterable[UnsupportedParameter]:
    for key, (least, most) in NUMBERS.items():
        value = parameters.get(key, least)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            what = f"{value!r} is out of range for {model_id}"
            yield UnsupportedParameter(key, what, f"a whole number from {least} to {most}")


def _pairing_faults(model_id: str, parameters: Mapping[str, Any]) -> Iterable[UnsupportedParameter]:
    picture_format = parameters.get("output_format", LOSSLESS)
    if parameters.get("background") == "transparent" and picture_format == "jpeg":
        what = f"transparent is not accepted: a jpeg of {model_id} cannot be transparent"
        yield UnsupportedParameter("background", what, "png or webp as the format, or opaque")
    if "output_compression" in parameters and picture_format == LOSSLESS:
        value = parameters["output_compression"]
        what = f"{value} is not accepted by {model_id}: png compression has no levels"
        yield UnsupportedParameter("output_compression", what, "jpeg or webp as the format")
    if parameters.get("stream") and parameters.get("n", 1) != 1:
        why = f"a stream of {model_id} does not say which picture a partial one belongs to"
        what = f"{parameters['n']} is not accepted: {why}"
        yield UnsupportedParameter("n", what, "1")
