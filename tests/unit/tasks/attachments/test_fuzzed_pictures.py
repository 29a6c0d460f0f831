"""Hostile files as references and masks: each is refused in one sentence, or can be sent."""

from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tasks.attachments.drawings import picture_bytes
from tasks.attachments.masks import check_mask, plan_mask
from tasks.attachments.references import ReferenceFaultError, read_mask, read_reference
from tasks.campaign.mask import Mask
from tasks.images_api.client import upload
from tasks.order import Reference
from tasks.pictures.container import read_header
from tests.support.camera_pictures import damaged
from tests.support.fuzzing import bounded, fuzz

MASKS = (Mask(alpha_of="reference"), Mask(box=("0", "0", "50%", "50%")), Mask(keep_box=("1", "1", "2", "2")))


def unless_refused(look: Callable[[], Reference]) -> Reference | None:
    """Look at a file; ``None`` if it is refused, in a sentence that can be printed."""
    said = ""
    try:
        return look()
    except ReferenceFaultError as error:
        said = str(error)
    assert said.isprintable(), said
    return None


def size_of(data: bytes) -> tuple[int, int]:
    """Read a picture's size."""
    header = read_header(data)
    return header.width, header.height


@fuzz(examples=25)
@given(data=damaged() | st.binary(max_size=64))
def test_any_file_is_a_reference_that_can_be_sent_or_is_refused(tmp_path_factory: Any, data: bytes) -> None:
    """It is uploaded as what it was said to be, and masks are drawn of its upright size."""
    file = tmp_path_factory.getbasetemp() / "reference"
    file.write_bytes(data)

    def drawn(mask: Mask, first: Reference) -> Reference:
        check_mask(mask, first, has_alpha=True)
        return plan_mask(mask, first, file.parent)

    with bounded():
        reference = unless_refused(lambda: read_reference(str(file), decodes=True))
        if reference is None:
            return
        size = (reference.width, reference.height)
        assert upload(reference)[2] == reference.media_type
        assert size_of(upload(reference, is_upright=True)[1]) == size
        for mask in MASKS:
            planned = unless_refused(partial(drawn, mask, reference))
            assert planned is None or size_of(picture_bytes(planned)) == size


@fuzz(examples=25)
@given(data=damaged())
def test_any_file_is_a_mask_that_can_be_sent_or_is_refused(tmp_path_factory: Any, data: bytes) -> None:
    """Whatever is damaged in it."""
    file = tmp_path_factory.getbasetemp() / "mask"
    file.write_bytes(data)
    first = Reference("first.png", "0" * 64, 48, 32, "image/png")
    with bounded():
        mask = unless_refused(lambda: read_mask(str(file), first))
        if mask is not None:
            assert size_of(upload(mask, is_upright=True)[1]) == (48, 32)
