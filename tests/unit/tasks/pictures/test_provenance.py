"""Who signed a picture and whether it is still what was signed, on pictures that are really signed."""

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from tasks.errors import SettingError
from tasks.inspect import inspect_picture
from tasks.pictures.container import has_c2pa
from tasks.pictures.decoding import decode
from tasks.pictures.provenance import Provenance, read_provenance

pytest.importorskip("c2pa", reason="comes with runoff[provenance]")

from tests.support.signed_pictures import GENERATOR, ISSUER, encode, make_authority, sign

KINDS = ("png", "jpeg", "webp")


def photograph() -> Image.Image:
    """Give a real photograph, 150 x 100."""
    return Image.fromarray(data.chelsea()).resize((150, 100))


@pytest.fixture(scope="module")
def signed() -> dict[str, bytes]:
    """One photograph, signed, in every format."""
    return {kind: sign(encode(photograph(), kind), kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_a_signed_picture_tells_who_signed_it(kind: str, signed: dict[str, bytes], tmp_path: Path) -> None:
    """Issuer, program and state, alike from bytes and from a file."""
    expected = Provenance(True, ISSUER, GENERATOR, "valid")
    assert read_provenance(signed[kind]) == expected
    (tmp_path / "a").write_bytes(signed[kind])
    assert read_provenance(tmp_path / "a") == expected


@pytest.mark.parametrize("kind", KINDS)
def test_a_signer_that_an_anchor_vouches_for_is_trusted(
    kind: str, signed: dict[str, bytes], tmp_path: Path
) -> None:
    """With the root among the anchors; a stranger's root does not do."""
    (tmp_path / "roots.pem").write_bytes(make_authority().root)
    (tmp_path / "others.pem").write_bytes(make_authority.__wrapped__().root)
    assert read_provenance(signed[kind], str(tmp_path / "roots.pem")).validation_state == "trusted"
    assert read_provenance(signed[kind], str(tmp_path / "others.pem")).validation_state == "valid"
    (tmp_path / "a.png").write_bytes(signed[kind])
    found = inspect_picture(tmp_path, "a.png", "a.webp", str(tmp_path / "roots.pem"))
    assert found.c2pa_state == "trusted"


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_picture_is_invalid_and_says_why(kind: str, signed: dict[str, bytes]) -> None:
    """One bit of the pixels differs: the statement is there, its issuer too, and it does not hold."""
    changed = bytearray(signed[kind])
    changed[pixels_at(signed[kind], kind)] ^= 1
    told = read_provenance(bytes(changed))
    assert (told.has_manifest, told.issuer, told.validation_state) == (True, ISSUER, "invalid")
    assert "Hashes do not match" in str(told.fault)
    assert "untrusted" not in str(told.fault)


def pixels_at(content: bytes, kind: str) -> int:
    """Find a byte in the middle of the compressed pixels."""
    if kind == "jpeg":
        return len(content) - 400
    return content.index(b"IDAT" if kind == "png" else b"VP8 ") + 100


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_encoded_anew_has_none(kind: str, signed: dict[str, bytes]) -> None:
    """Any decoder drops the credentials, and then nothing more is said."""
    again = encode(decode(signed[kind]), kind)
    assert read_provenance(again) == Provenance(has_manifest=False)


@pytest.mark.parametrize("content", [b"", b"<html>", b"GIF89a" + bytes(20), b"\x89PNG\r\n\x1a\n"])
def test_what_carries_no_credentials_says_nothing(content: bytes) -> None:
    """Neither do bytes that are no picture, nor a format that is not looked into."""
    assert read_provenance(content) == Provenance(has_c2pa(content))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_broken_credentials_never_raise(signed: dict[str, bytes], draw: st.DataObject) -> None:
    """Wherever noise falls into the statement, the answer is one; readable noise in pixels is never valid."""
    kind = draw.draw(st.sampled_from(KINDS))
    content = bytearray(signed[kind])
    at = draw.draw(st.integers(content.index(b"jumb"), len(content) - 1))
    noise = draw.draw(st.binary(min_size=1, max_size=64))
    content[at : at + len(noise)] = noise[: len(content) - at]
    told = read_provenance(bytes(content))
    assert told.validation_state in ("valid", "invalid", None)
    assert (told.fault is None) == (told.validation_state != "invalid")
    if bytes(content) != signed[kind] and at > pixels_at(signed[kind], kind):
        assert told.validation_state != "valid"


@pytest.mark.parametrize("kind", KINDS)
def test_an_unreadable_statement_is_there_and_invalid(kind: str, signed: dict[str, bytes]) -> None:
    """Its boxes are broken: nobody can tell who signed it, but that it is there is told by the container."""
    content = bytearray(signed[kind])
    at = content.index(b"jumd") + 30
    content[at : at + 200] = b"\xff" * 200
    told = read_provenance(bytes(content))
    assert (told.has_manifest, told.issuer, told.validation_state) == (True, None, "invalid")
    assert told.fault


@pytest.mark.parametrize("content", [None, b"no certificates", b"\xff\xfe"])
def test_anchors_that_are_none_are_told(
    content: bytes | None, signed: dict[str, bytes], tmp_path: Path
) -> None:
    """A wrong setting is said, not passed over: else every signer would look untrusted."""
    file = tmp_path / "anchors.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingError, match="cannot be read as certificates"):
        read_provenance(signed["png"], str(file))


def test_without_the_extra_only_the_presence_is_known(
    signed: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issuer and state are unknown, nothing is raised, and inspection goes on as before."""
    monkeypatch.setitem(sys.modules, "c2pa", None)
    assert read_provenance(signed["png"]) == Provenance(has_manifest=True)
    (tmp_path / "a.png").write_bytes(signed["png"])
    found = inspect_picture(tmp_path, "a.png", "a.webp")
    assert (found.has_c2pa, found.c2pa_issuer, found.c2pa_state, found.fault) == (True, None, None, None)


@pytest.mark.parametrize("kind", KINDS)
def test_inspection_tells_the_signer_and_leaves_the_bytes_alone(
    kind: str, signed: dict[str, bytes], tmp_path: Path
) -> None:
    """What was signed stays signed; the thumbnail, which is encoded anew, claims nothing."""
    (tmp_path / "a").write_bytes(signed[kind])
    found = inspect_picture(tmp_path, "a", "a.webp")
    assert (found.has_c2pa, found.c2pa_issuer, found.c2pa_state) == (True, ISSUER, "valid")
    assert (tmp_path / "a").read_bytes() == signed[kind]
    assert has_c2pa((tmp_path / "a.webp").read_bytes()) is False
