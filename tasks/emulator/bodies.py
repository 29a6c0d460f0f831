"""Reads a request's body: JSON or a form, with pictures as parts, data URLs or uploaded files."""

# ruff: noqa: EM101 - the literals are names of fields, not messages

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from tasks.emulator import refusals
from tasks.emulator.images_request import MOST_REFERENCES

LONGEST_IMAGE_URL = 20_971_520
Fields = dict[str, Any]
PictureOf = Callable[[str], bytes | None]


class Body:
    """The contents of a request's body.

    Args:
        fields: Scalar fields by name.
        images: The bytes of every picture to edit, in order.
        mask: The bytes of the mask.
    """

    def __init__(self, fields: Fields, images: list[bytes], mask: bytes | None) -> None:
        self.fields = fields
        self.images = images
        self.mask = mask


async def read_json(request: Request) -> Fields:
    """Read a JSON object.

    Raises:
        Refusal: The body is not a JSON object.
    """
    try:
        fields = json.loads(await request.body())
    except ValueError as error:
        message = "We could not parse the JSON body of your request."
        raise refusals.Refusal(400, message) from error
    if not isinstance(fields, dict):
        raise refusals.Refusal(400, "The JSON body of your request must be an object.")
    return {name: value for name, value in fields.items() if value is not None}


async def read_body(request: Request, files: PictureOf) -> Body:
    """Read the body of an images request, a form or JSON.

    Args:
        request: The request.
        files: Gives the bytes of a file uploaded before, or ``None`` for an unknown id.

    Raises:
        Refusal: The vendor would not accept it.
    """
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await _read_form(request)
    return read_fields(await read_json(request), files)


def read_fields(fields: Mapping[str, Any], files: PictureOf) -> Body:
    """Read the object of a JSON body, with pictures as links.

    Args:
        fields: The object.
        files: Gives the bytes of a file uploaded before, or ``None`` for an unknown id.

    Raises:
        Refusal: A link does not lead to a picture.
    """
    rest = {name: value for name, value in fields.items() if value is not None}
    links, mask = rest.pop("images", []), rest.pop("mask", None)
    if not isinstance(links, list):
        raise refusals.invalid("images", "Invalid type for 'images': expected an array.", "invalid_type")
    images = [_linked_picture("images", link, files) for link in links]
    return Body(rest, images, None if mask is None else _linked_picture("mask", mask, files))


async def _read_form(request: Request) -> Body:
    body = Body({}, [], None)
    try:
        async with request.form(max_files=MOST_REFERENCES + 3, max_part_size=1_000_000) as form:
            for name, value in form.multi_items():
                data = await value.read() if isinstance(value, UploadFile) else None
                if name in ("image", "image[]") and data is not None:
                    body.images.append(data)
                elif name == "mask" and data is not None:
                    body.mask = data
                else:
                    body.fields[name] = value if data is None else data
    except HTTPException as error:
        raise refusals.Refusal(400, f"We could not read the form: {error.detail}") from error
    markup = body.fields.pop("markup", None)
    if markup is not None and body.mask is not None:
        raise refusals.invalid("markup", "An edit carries a mask or markup, not both.")
    return body


def _linked_picture(name: str, link: object, files: PictureOf) -> bytes:
    if not isinstance(link, dict) or len(link.keys() & {"file_id", "image_url"}) != 1:
        raise refusals.invalid(name, f"Invalid '{name}': give exactly one of 'file_id' and 'image_url'.")
    if file_id := link.get("file_id"):
        data = files(str(file_id))
        if data is None:
            raise refusals.no_such_file(str(file_id), name)
        return data
    url = str(link["image_url"])
    head, comma, text = url.partition(",")
    if len(url) > LONGEST_IMAGE_URL or not (
        comma and head.startswith("data:image/") and head.endswith(";base64")
    ):
        raise refusals.invalid(
            name, "Invalid 'image_url': a data URL in base64 is expected.", "invalid_image_url"
        )
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise refusals.invalid(name, "Invalid 'image_url': not base64.", "invalid_base64") from error
