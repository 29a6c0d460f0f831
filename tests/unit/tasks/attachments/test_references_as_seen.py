"""References of cameras, phones, presses and painting programs: right wherever they are shown, masked or not.

Each kind stores one and the same scene: what is made of it must look as if it were made of the plain picture.
"""

import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from tasks.attachments.drawings import write_drawn
from tasks.attachments.previews import masked_pictures, write_preview
from tasks.emulator.images_request import ImagesRequest, read_upload
from tasks.emulator.models import MODELS
from tasks.emulator.painter import paint
from tasks.emulator.replicates import Replicate
from tasks.images_api.client import fields_of
from tasks.inspect import inspect_picture
from tasks.order import Order
from tasks.pictures.decoding import decode
from tasks.pictures.fingerprint import distance_bits
from tasks.plan import plan
from tests.support.camera_pictures import HELD, encoded, noted
from tests.support.campaign_files import basis, load
from tests.support.colour_profiles import ADOBE_RGB, DISPLAY_P3
from tests.support.every_day import some_every_day
from tests.support.planning import CATALOGUE, PROVIDERS, RUN, TODAY

SIZE = (64, 96)
SKY, SUN, SEA, SAND = (90, 190, 210), (250, 190, 40), (20, 130, 130), (220, 110, 60)
BOX = {"box": ["0", "0", "100%", "50%"]}


def scene() -> Image.Image:
    """Paint a portrait that shows how it is turned: the sun on the upper left, sand on the lower right."""
    picture = Image.new("RGB", SIZE, SKY)
    picture.paste(SEA, (0, 48, 64, 96))
    picture.paste(SUN, (4, 6, 30, 36))
    picture.paste(SAND, (34, 60, 64, 96))
    return picture


def _from_srgb(mode: str, profile: bytes) -> Image.Image:
    target = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    found = ImageCms.profileToProfile(
        scene().convert("RGB"), ImageCms.createProfile("sRGB"), target, outputMode=mode
    )
    assert found is not None
    return found


def _deep_png(levels: NDArray[np.uint16]) -> bytes:
    """Write a 16-bit png, grey or RGB, which Pillow does not write."""
    height, width = levels.shape[:2]
    colour_type = 2 if levels.ndim == 3 else 0
    lines = levels.astype(">u2").reshape(height, -1)
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([16, colour_type, 0, 0, 0])
    content = zlib.compress(b"".join(b"\0" + line.tobytes() for line in lines))
    whole = b"\x89PNG\r\n\x1a\n"
    for name, part in ((b"IHDR", head), (b"IDAT", content), (b"IEND", b"")):
        whole += len(part).to_bytes(4, "big") + name + part + zlib.crc32(name + part).to_bytes(4, "big")
    return whole


def _jpeg(picture: Image.Image, **more: Any) -> bytes:
    return encoded(picture, "jpeg", quality=95, subsampling=0, **more)


def _grey(picture: Image.Image) -> Image.Image:
    return picture.convert("L").convert("RGB")


KINDS: dict[str, Callable[[], bytes]] = {
    "adobe-rgb.jpg": lambda: _jpeg(_from_srgb("RGB", ADOBE_RGB), icc_profile=ADOBE_RGB),
    "display-p3.jpg": lambda: _jpeg(_from_srgb("RGB", DISPLAY_P3), icc_profile=DISPLAY_P3),
    "held-1.jpg": lambda: _jpeg(scene(), exif=noted(1)),
    **{
        f"held-{way}.jpg": lambda way=way: _jpeg(scene().transpose(HELD[way]), exif=noted(way))  # type: ignore[misc]
        for way in HELD
    },
    "phone.jpg": lambda: _jpeg(
        _from_srgb("RGB", DISPLAY_P3).transpose(HELD[6]), icc_profile=DISPLAY_P3, exif=noted(6)
    ),
    "cmyk.jpg": lambda: _jpeg(scene().convert("CMYK")),
    "deep.png": lambda: _deep_png(np.asarray(scene(), np.uint16) * 257),
    "deep-grey.png": lambda: _deep_png(np.asarray(scene().convert("L"), np.uint16) * 257),
    "palette.png": lambda: encoded(scene().quantize(8), "png"),
}  # fmt: skip
MOST_UNLIKE = ("adobe-rgb.jpg", "held-5.jpg", "phone.jpg", "cmyk.jpg", "deep.png")
"""Those of which each has something that the others have not."""


def seen(name: str) -> NDArray[np.int16]:
    """The scene as people see a kind of it."""
    return np.asarray(_grey(scene()) if "grey" in name else scene(), np.int16)


def ordered(folder: Path, name: str, mask: object) -> tuple[Order, dict[str, Any]]:
    """Plan an order with the reference; returns it and the fields that would be sent."""
    if name in KINDS:
        (folder / name).write_bytes(KINDS[name]())
    changes = basis() | {"references": [name], "mask": mask}
    order = plan(load(folder, changes), CATALOGUE, PROVIDERS, RUN, TODAY, home=folder).orders[0]
    write_drawn(order.sent)
    return order, fields_of(order)


def shown(folder: Path, fields: dict[str, Any]) -> NDArray[np.int16]:
    """Let the emulator edit what is sent, and read the draft's thumbnail."""
    mask = read_upload("mask", fields["mask"][1]) if "mask" in fields else None
    request = ImagesRequest(
        "edits",
        MODELS["gpt-image-2.6-flare"],
        "a quiet beach",
        tier="low",
        size=SIZE,
        references=(read_upload("image", fields["image"][1]),),
        mask=mask,
    )
    (folder / "drafts").mkdir(exist_ok=True)
    (folder / "drafts/A.png").write_bytes(paint(request, Replicate(3, None, False), "scene"))
    assert inspect_picture(folder, "drafts/A.png", "small.webp").fault is None
    with Image.open(folder / "small.webp") as thumbnail:
        return np.asarray(thumbnail.convert("RGB"), np.int16)


@pytest.mark.parametrize("name", KINDS)
def test_a_reference_is_decoded_and_hashed_as_the_plain_scene(tmp_path: Path, name: str) -> None:
    """Upright and in its colours; so is its thumbnail, which holds no profile."""
    (tmp_path / name).write_bytes(KINDS[name]())
    picture = decode(tmp_path / name)
    assert picture.size == SIZE
    assert np.abs(np.asarray(picture, np.int16) - seen(name)).mean() < 2
    Image.fromarray(seen(name).astype(np.uint8)).save(tmp_path / "plain.png")
    found, plain = (inspect_picture(tmp_path, one, f"{one}.webp") for one in (name, "plain.png"))
    assert (found.width, found.height) == SIZE
    assert found.phash is not None
    assert plain.phash is not None
    assert distance_bits(found.phash, plain.phash) <= 2
    with Image.open(tmp_path / f"{name}.webp") as thumbnail:
        assert not {"icc_profile", "exif"} & thumbnail.info.keys()
        assert np.abs(np.asarray(thumbnail.convert("RGB"), np.int16) - seen(name)).mean() < 6


@pytest.mark.parametrize("name", some_every_day(KINDS, lambda name: name in MOST_UNLIKE))
def test_the_preview_of_a_mask_shows_a_reference_as_people_see_it(tmp_path: Path, name: str) -> None:
    """The box is striped in the upper half; below it the scene keeps its colours."""
    order, _ = ordered(tmp_path, name, BOX)
    with Image.open(write_preview("otter", masked_pictures([order]), tmp_path / "preview.png")) as sheet:
        tile = sheet.convert("RGB").crop((126, 148, 406, 568)).resize(SIZE)
    below = np.abs(np.asarray(tile, np.int16) - seen(name))[60:92]
    assert below.mean() < 4


@pytest.mark.parametrize("mask", [None, BOX], ids=["no mask", "mask"])
@pytest.mark.parametrize("name", some_every_day(KINDS, lambda name: name in MOST_UNLIKE))
def test_a_draft_made_of_a_reference_is_shown_as_one_made_of_the_plain_scene(
    tmp_path: Path, name: str, mask: object
) -> None:
    """What is sent, edited by a provider that heeds profiles and EXIF, and shown small."""
    _, fields = ordered(tmp_path, name, mask)
    if mask is not None:
        with Image.open(io.BytesIO(fields["image"][1])) as sent:
            assert sent.size == SIZE
    found = shown(tmp_path, fields)
    plain = tmp_path / "plain"
    plain.mkdir()
    Image.fromarray(seen(name).astype(np.uint8)).save(plain / "scene.png")
    expected = shown(plain, ordered(plain, "scene.png", mask)[1])
    assert found.shape == expected.shape
    assert np.abs(found - expected).mean() < 3


@pytest.mark.parametrize(
    "name", [name for name in KINDS if name.startswith(("adobe", "display", "held", "phone"))]
)
def test_what_cameras_and_phones_write_is_sent_byte_for_byte_without_a_mask(
    tmp_path: Path, name: str
) -> None:
    """With its profile and its EXIF, for providers read them; nothing is said of it."""
    _, fields = ordered(tmp_path, name, None)
    assert fields["image"][1] == (tmp_path / name).read_bytes()
