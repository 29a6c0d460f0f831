"""Reads an images request and checks it as the vendor does.

``read_request`` turns the fields of a JSON body or of a form into an ``ImagesRequest``, or raises the
vendor's error answer. Source: API reference of images (create, edit), checked 2026-11-22.
"""

# ruff: noqa: EM101 - the literals are names of fields, not messages

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from PIL import Image, UnidentifiedImageError

from tasks.emulator import refusals
from tasks.emulator.models import MODELS, Model, size_fault

Endpoint = Literal["generations", "edits"]

LONGEST_PROMPT = 32_000
MOST_PICTURES = 10
MOST_PARTIALS = 3
MOST_REFERENCES = 16
REFERENCE_BYTES = 50_000_000
MASK_BYTES = 4_000_000
FORMATS = ("png", "jpeg", "webp")
AUTO_SIZE = (1024, 1024)
AUTO_TIER = "high"

COMMON_FIELDS = frozenset(
    {
        "prompt", "model", "n", "size", "quality", "background", "output_format", "output_compression",
        "moderation", "complexity", "user", "safety_identifier", "stream", "partial_images",
    }
)  # fmt: skip
EDIT_FIELDS = COMMON_FIELDS | {"input_fidelity"}


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture that came with an edit.

    Args:
        data: Its bytes.
        size: Width and height in pixels.
        has_alpha: Whether it has an alpha channel.
    """

    data: bytes
    size: tuple[int, int]
    has_alpha: bool


@dataclass(frozen=True, slots=True)
class ImagesRequest:
    """A request that the vendor would accept; ``auto`` is already resolved.

    Args:
        endpoint: ``generations`` or ``edits``.
        model: The model.
        prompt: The text, 1-32,000 characters.
        n: Number of pictures, 1-10.
        tier: Quality tier.
        size: Width and height in pixels.
        format: ``png``, ``jpeg`` or ``webp``.
        compression: 0-100, where 100 is the best quality; for jpeg and webp.
        transparent: Whether the background is transparent.
        high_fidelity: Whether ``input_fidelity`` is ``high``.
        references: The pictures to edit.
        mask: Where the first reference may change: alpha 0.
        stream: Whether the picture comes as a stream of events.
        partials: The most partial pictures in that stream, 0-3.
    """

    endpoint: Endpoint
    model: Model
    prompt: str
    n: int = 1
    tier: str = AUTO_TIER
    size: tuple[int, int] = AUTO_SIZE
    format: str = "png"
    compression: int = 100
    transparent: bool = False
    high_fidelity: bool = False
    references: tuple[Upload, ...] = ()
    mask: Upload | None = None
    stream: bool = False
    partials: int = 0

    @property
    def size_text(self) -> str:
        """The size as ``WIDTHxHEIGHT``."""
        return f"{self.size[0]}x{self.size[1]}"


def read_request(
    endpoint: Endpoint,
    fields: Mapping[str, Any],
    today: date,
    references: tuple[Upload, ...] = (),
    mask: Upload | None = None,
) -> ImagesRequest:
    """Check a request's fields.

    Args:
        endpoint: The endpoint of the request.
        fields: Scalar fields by name; text in a form, typed in JSON.
        today: The date, for retired models.
        references: The pictures of an edit.
        mask: Its mask.

    Raises:
        Refusal: The vendor's answer to the first error found.
    """
    for name in fields:
        if name not in (EDIT_FIELDS if endpoint == "edits" else COMMON_FIELDS):
            raise refusals.unknown(name)
    prompt = _prompt(fields)
    model = _model(fields, today)
    if "complexity" in fields:
        if not model.has_complexity:
            raise refusals.unknown("complexity")
        _choice(fields, "complexity", ("low", "medium", "high"), "high")
    _choice(fields, "moderation", ("auto", "low"), "auto")
    format = _choice(fields, "output_format", FORMATS, "png")
    request = ImagesRequest(
        endpoint=endpoint,
        model=model,
        prompt=prompt,
        n=_whole_number(fields, "n", 1, MOST_PICTURES, 1),
        tier=_tier(fields, model),
        size=_size(fields, model),
        format=format,
        compression=_compression(fields, format),
        transparent=_is_transparent(fields, model, format),
        high_fidelity=_is_high_fidelity(fields, model),
        references=references,
        mask=mask,
        stream=is_set(fields, "stream"),
        partials=_whole_number(fields, "partial_images", 0, MOST_PARTIALS, 0),
    )
    _check_stream(request)
    if endpoint == "edits":
        _check_uploads(request)
    return request


def _prompt(fields: Mapping[str, Any]) -> str:
    prompt = fields.get("prompt")
    if prompt is None or prompt == "":
        raise refusals.missing("prompt")
    if not isinstance(prompt, str):
        raise refusals.invalid("prompt", "Invalid type for 'prompt': expected a string.", "invalid_type")
    if len(prompt) > LONGEST_PROMPT:
        message = (
            f"Invalid 'prompt': string too long. Expected a string with maximum length {LONGEST_PROMPT}, "
            f"but got a string with length {len(prompt)} instead."
        )
        raise refusals.invalid("prompt", message, "string_above_max_length")
    return prompt


def _model(fields: Mapping[str, Any], today: date) -> Model:
    name = fields.get("model")
    if not name:
        raise refusals.missing("model")
    model = MODELS.get(str(name))
    if model is None or model.is_retired(today):
        raise refusals.no_such_model(str(name), is_retired=model is not None)
    return model


def _choice(fields: Mapping[str, Any], name: str, accepted: tuple[str, ...], default: str) -> str:
    value = fields.get(name)
    if value is None:
        return default
    if value not in accepted:
        raise refusals.invalid_value(name, value, accepted)
    return str(value)


def is_set(fields: Mapping[str, Any], name: str) -> bool:
    """Whether a field is true, in JSON or in a form."""
    return fields.get(name) in (True, "true", "True", "1")


def _whole_number(fields: Mapping[str, Any], name: str, lowest: int, highest: int, default: int) -> int:
    value = fields.get(name)
    if value is None:
        return default
    if isinstance(value, str) and value.lstrip("-").isdecimal():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise refusals.invalid(name, f"Invalid type for '{name}': expected an integer.", "invalid_type")
    if not lowest <= value <= highest:
        side, sign, bound = ("below min", ">=", lowest) if value < lowest else ("above max", "<=", highest)
        message = (
            f"Invalid '{name}': integer {side}imum value. Expected a value {sign} {bound}, "
            f"but got {value} instead."
        )
        raise refusals.invalid(name, message, f"integer_{side.replace(' ', '_')}_value")
    return value


def _tier(fields: Mapping[str, Any], model: Model) -> str:
    tier = _choice(fields, "quality", (*model.tiers, "auto"), "auto")
    return AUTO_TIER if tier == "auto" else tier


def _size(fields: Mapping[str, Any], model: Model) -> tuple[int, int]:
    text = fields.get("size")
    if text is None or text == "auto":
        return AUTO_SIZE
    accepted = [f"{width}x{height}" for width, height in model.sizes]
    width, cross, height = str(text).partition("x")
    if model.sizes:
        if text not in accepted:
            raise refusals.invalid_value("size", text, [*accepted, "auto"])
    elif not (cross and width.isdecimal() and height.isdecimal()):
        raise refusals.invalid("size", f"Invalid size '{text}': expected WIDTHxHEIGHT or 'auto'.")
    elif fault := size_fault(int(width), int(height)):
        raise refusals.invalid("size", f"Invalid size '{text}': {fault}.")
    return int(width), int(height)


def _compression(fields: Mapping[str, Any], format: str) -> int:
    compression = _whole_number(fields, "output_compression", 0, 100, 100)
    if compression != 100 and format == "png":
        message = "Compression less than 100 is not supported for PNG output format."
        raise refusals.invalid("output_compression", message, "invalid_png_output_compression")
    return compression


def _is_transparent(fields: Mapping[str, Any], model: Model, format: str) -> bool:
    background = _choice(fields, "background", ("transparent", "opaque", "auto"), "auto")
    if background != "transparent":
        return False
    if not model.transparent:
        raise refusals.invalid("background", "Transparent background is not supported for this model.")
    if format == "jpeg":
        message = "Transparent background is not supported for JPEG output format."
        raise refusals.invalid("background", message, "invalid_value")
    return True


def _is_high_fidelity(fields: Mapping[str, Any], model: Model) -> bool:
    if "input_fidelity" not in fields:
        return False
    if not model.input_fidelities:
        raise refusals.unknown("input_fidelity")
    return _choice(fields, "input_fidelity", model.input_fidelities, "low") == "high"


def _check_stream(request: ImagesRequest) -> None:
    if request.stream and request.n > 1:
        raise refusals.invalid("n", "A stream carries one picture: 'n' must be 1.", "unsupported_value")
    if request.partials and not request.stream:
        raise refusals.invalid("partial_images", "'partial_images' needs 'stream'.", "unsupported_value")


def _check_uploads(request: ImagesRequest) -> None:
    if not request.references:
        raise refusals.missing("image")
    if len(request.references) > MOST_REFERENCES:
        message = (
            f"Invalid 'image': array too long. Expected an array with maximum length {MOST_REFERENCES}, "
            f"but got an array with length {len(request.references)} instead."
        )
        raise refusals.invalid("image", message, "array_above_max_length")
    if request.mask is None:
        return
    if not request.mask.has_alpha:
        raise refusals.invalid("mask", "Invalid mask image: it has no alpha channel.", "invalid_image_format")
    if request.mask.size != request.references[0].size:
        message = "Invalid mask image: its dimensions differ from those of the first image."
        raise refusals.invalid("mask", message, "invalid_mask_size")


def read_upload(name: str, data: bytes) -> Upload:
    """Check a picture of an edit: format, size in bytes, readable header.

    Raises:
        Refusal: The vendor would not accept it.
    """
    heaviest, accepted = (
        (MASK_BYTES, ("PNG",)) if name == "mask" else (REFERENCE_BYTES, ("PNG", "JPEG", "WEBP"))
    )
    if len(data) > heaviest:
        raise refusals.invalid(
            name, f"Invalid file '{name}': larger than {heaviest} bytes.", "file_too_large"
        )
    try:
        with Image.open(io.BytesIO(data), formats=accepted) as picture:
            return Upload(data, picture.size, picture.has_transparency_data)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        message = (
            f"Invalid file '{name}': unsupported mimetype or broken image. Supported: {', '.join(accepted)}."
        )
        raise refusals.invalid(name, message, "unsupported_file_mimetype") from error
