"""References and masks as cameras, phones and painting programs write them, up to what is uploaded."""

import io
import mimetypes
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

from tasks.attachments.drawings import write_drawn
from tasks.attachments.masks import plan_mask
from tasks.attachments.previews import masked_pictures, write_preview
from tasks.attachments.references import ReferenceFaultError, read_mask, read_reference
from tasks.campaign.mask import Mask
from tasks.images_api.client import fields_of, upload
from tasks.pictures.sendable import as_sent
from tasks.plan import Plan, plan
from tests.support.campaign_files import basis, faults, load
from tests.support.planning import CATALOGUE, PROVIDERS, RUN, TODAY

SKY, SEA = (230, 200, 60), (20, 60, 160)


def photograph(folder: Path, name: str = "photo.jpg") -> str:
    """Save a portrait, 64 x 96, as a phone stores it: lying on its side, with a note to turn it."""
    scene = Image.new("RGB", (64, 96), SEA)
    scene.paste(SKY, (0, 0, 64, 48))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    scene.transpose(Image.Transpose.ROTATE_90).save(folder / name, exif=exif, quality=95)
    return name


def stencil(folder: Path, name: str = "mask.png", clear: int = 0, mode: str = "RGBA", **options: Any) -> str:
    """Save a mask of the upright portrait whose upper half is clear."""
    mask = Image.new("RGBA", (64, 96), (0, 0, 0, 255))
    mask.paste((0, 0, 0, clear), (0, 0, 64, 48))
    mask.convert(mode).save(folder / name, **options)
    return name


def planned(folder: Path, **changes: Any) -> Plan:
    """Plan a campaign with references."""
    return plan(load(folder, basis() | changes), CATALOGUE, PROVIDERS, RUN, TODAY, home=folder)


def test_size_mask_box_and_preview_are_those_that_people_see(tmp_path: Path) -> None:
    """A mask that was drawn over the upright picture fits it, and a box counts from the upright corner."""
    drawn = planned(tmp_path, references=[photograph(tmp_path)], mask=stencil(tmp_path))
    (first,), mask = drawn.orders[0].references, drawn.orders[0].mask
    assert (first.width, first.height) == (64, 96)
    assert mask is not None
    box = plan_mask(Mask(box=("0", "0", "100%", "50%")), first, tmp_path / "drawn")
    write_drawn([box])
    with Image.open(box.file) as opened:
        alpha = np.asarray(opened.getchannel("A"))
    assert alpha.shape == (96, 64)
    assert (alpha[:48] == 0).all()
    assert (alpha[48:] == 255).all()
    preview = write_preview("otter", masked_pictures(drawn.orders), tmp_path / "preview.png")
    with Image.open(preview) as sheet:
        pixels = np.asarray(sheet.convert("RGB")).astype(int)
    tile = pixels[148:568, 56:476]
    assert np.abs(tile[400, 210] - SEA).max() < 20  # the lower half is kept, and upright
    assert np.abs(tile[20, 210] - SEA).max() > 60


def test_what_is_uploaded_is_the_file_itself_unless_a_mask_counts_its_pixels(tmp_path: Path) -> None:
    """A provider that does not read EXIF would paint over the wrong half."""
    orders = [
        planned(tmp_path, references=[photograph(tmp_path)], mask=mask).orders[0]
        for mask in (None, {"box": ["0", "0", "100%", "50%"]})
    ]
    name, data, media_type = fields_of(orders[0])["image"]
    assert (name, media_type) == ("photo.jpg", "image/jpeg")
    assert data == (tmp_path / "photo.jpg").read_bytes()
    write_drawn(orders[1].sent)
    name, data, media_type = fields_of(orders[1])["image"]
    reference = orders[1].references[0]
    assert (name, media_type) == ("photo.jpg", "image/jpeg")
    with Image.open(io.BytesIO(data)) as sent:
        assert sent.size == (reference.width, reference.height) == (64, 96)
        assert ExifTags.Base.Orientation not in sent.getexif()
        red, _, blue = np.asarray(sent.convert("RGB"))[10, 32]
    assert red > blue


def test_the_plan_says_what_is_converted(tmp_path: Path) -> None:
    """Each file once, the first three by name; of finals too."""
    Image.new("CMYK", (64, 96)).save(tmp_path / "print.jpg")
    Image.new("I;16", (64, 96)).save(tmp_path / "deep.png")
    Image.new("P", (64, 96)).save(tmp_path / "flat.png")
    finals = basis()["finals"] | {"references": ["flat.png"]}
    names = [photograph(tmp_path), "print.jpg", "deep.png"]
    said = [
        note
        for note in planned(tmp_path, references=names, mask=stencil(tmp_path), finals=finals).warnings
        if "converted" in note
    ]
    assert said == [
        "references: converted before they are sent, the files stay as they are: photo.jpg is turned upright;"
        " print.jpg is converted from CMYK to RGB; deep.png is converted from 16 to 8 bits; and 1 more."
    ]
    Image.new("RGB", (64, 96)).save(tmp_path / "plain.png")
    for name in ("plain.png", photograph(tmp_path)):
        assert not any("converted" in note for note in planned(tmp_path, references=[name]).warnings)


@pytest.mark.parametrize("clear", [255, 128])
def test_a_mask_that_is_nowhere_clear_is_a_fault(tmp_path: Path, clear: int) -> None:
    """It would change nothing, and the pictures would be paid for."""
    campaign = basis() | {"references": [photograph(tmp_path)], "mask": stencil(tmp_path, clear=clear)}
    (fault,) = faults(tmp_path, campaign)
    assert (
        "mask.png is nowhere transparent, so nothing would be inpainted; erase the part to inpaint" in fault
    )


@pytest.mark.parametrize(
    ("mode", "options"),
    [("P", {"transparency": 0}), ("L", {"transparency": 0}), ("RGB", {"transparency": (0, 0, 0)})],
)
def test_a_mask_that_is_clear_in_another_way_is_converted(
    tmp_path: Path, mode: str, options: dict[str, Any]
) -> None:
    """To an alpha channel, which is what providers read."""
    picture = Image.new("L", (64, 96), 255)
    picture.paste(0, (0, 0, 64, 48))
    picture.convert(mode).save(tmp_path / "mask.png", **options)
    found = planned(tmp_path, references=[photograph(tmp_path)], mask="mask.png")
    assert any("mask.png is" in note for note in found.warnings)
    mask = found.orders[0].mask
    assert mask is not None
    with Image.open(io.BytesIO(upload(mask)[1])) as sent:
        assert (sent.mode, sent.format) == ("RGBA", "PNG")
        alpha = np.asarray(sent.getchannel("A"))
    assert (alpha[:48] == 0).all()
    assert (alpha[48:] == 255).all()


def test_a_mask_that_is_converted_must_still_be_small_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is what is sent."""
    first = read_reference(str(tmp_path / photograph(tmp_path)))
    noise = Image.effect_noise((64, 96), 90).convert("P")
    noise.save(tmp_path / "mask.png", transparency=bytes(range(256)))
    n_bytes = (tmp_path / "mask.png").stat().st_size
    monkeypatch.setattr("tasks.attachments.references.MAX_MASK_BYTES", n_bytes + 1)
    with pytest.raises(ReferenceFaultError, match=r"mask\.png has .* bytes, a mask must have less than"):
        read_mask(str(tmp_path / "mask.png"), first)


def test_a_phones_picture_with_more_behind_it_is_sent_as_a_jpeg(tmp_path: Path) -> None:
    """Pillow calls it MPO, a name that no provider knows."""
    scene = Image.new("RGB", (64, 96), SKY)
    scene.save(tmp_path / "phone.jpg", "MPO", save_all=True, append_images=[Image.new("RGB", (64, 96))])
    name, data, media_type = upload(read_reference(str(tmp_path / "phone.jpg")))
    assert (name, media_type) == ("phone.jpg", "image/jpeg")
    assert data == (tmp_path / "phone.jpg").read_bytes()


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_an_uploads_name_ends_as_its_type_on_every_machine(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where no list of types is installed: Python's own does not know WebP."""
    monkeypatch.setattr(mimetypes, "guess_extension", lambda _: None)
    Image.new("RGB", (8, 8)).save(tmp_path / "x", kind)
    ending = "jpg" if kind == "jpeg" else kind
    assert upload(read_reference(str(tmp_path / "x")))[::2] == (f"x.{ending}", f"image/{kind}")


def test_a_picture_is_converted_once_for_its_orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where they are sent at the same time: it takes a second for a phone's picture."""
    Image.new("CMYK", (31, 17)).save(tmp_path / "print.jpg")
    reference = read_reference(str(tmp_path / "print.jpg"))
    converted = []

    def slowly(data: bytes, *, is_upright: bool) -> tuple[bytes, str]:
        converted.append(data)
        time.sleep(0.05)
        return as_sent(data, is_upright=is_upright)

    monkeypatch.setattr("tasks.images_api.client.as_sent", slowly)
    with ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(upload, [reference] * 16))
    assert len(set(sent)) == 1
    assert len(converted) == 1
