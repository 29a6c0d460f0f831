"""One look at a picture tells everything; a broken one stops nothing."""

import io
import weakref
from dataclasses import fields
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

from tasks.candidate import Inspection
from tasks.errors import SettingError
from tasks.inspect import inspect_picture, inspect_pictures
from tasks.pictures.decoding import decode
from tasks.pictures.fingerprint import COLOUR_NAMES, fingerprint
from tasks.pictures.transparency import measure_transparency
from tasks.scorers.technical_figures import measure


def photograph() -> Image.Image:
    """Give a real photograph, 451 x 300."""
    return Image.fromarray(data.chelsea())


def save(folder: Path, name: str, picture: Image.Image, kind: str = "PNG") -> tuple[str, str]:
    """Put a picture where a run has its drafts; give its path and that of its thumbnail."""
    (folder / "drafts").mkdir(exist_ok=True)
    picture.save(folder / "drafts" / name, kind)
    return f"drafts/{name}", f"thumbnails/{name}.webp"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_inspection_tells_what_the_picture_is(kind: str, tmp_path: Path) -> None:
    """Size, format, hashes, figures and a thumbnail, all from the bytes as they lie there."""
    file, thumbnail = save(tmp_path, "a", photograph(), kind)
    found = inspect_picture(tmp_path, file, thumbnail)
    picture = decode(tmp_path / file)
    prints = fingerprint(picture)
    assert (found.width, found.height, found.format, found.fault) == (451, 300, kind.lower(), None)
    assert (found.phash, found.dhash, found.colorhash) == (prints.phash, prints.dhash, prints.colorhash)
    assert found.measurements == measure(picture) | prints.colours | measure_transparency(picture)
    assert found.has_c2pa is False
    assert found.thumbnail == thumbnail
    assert max(decode(tmp_path / thumbnail).size) == 384


def test_names_of_colours_and_figures_do_not_meet(tmp_path: Path) -> None:
    """The grid of colours hides no technical figure."""
    save(tmp_path, "a.png", photograph())
    assert not set(measure(photograph())) & set(COLOUR_NAMES)


def test_inspection_leaves_the_picture_alone(tmp_path: Path) -> None:
    """The provider's bytes carry credentials that any rewriting would break."""
    file, thumbnail = save(tmp_path, "a.png", photograph())
    before = (tmp_path / file).read_bytes()
    inspect_picture(tmp_path, file, thumbnail)
    assert (tmp_path / file).read_bytes() == before


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"<html>502 Bad Gateway", "HTML"),
        (b"\x89PNG\r\n\x1a\n", "ends before"),
        (None, "No such file"),
    ],
)
def test_broken_picture_is_a_fault_and_nothing_else(content: bytes | None, word: str, tmp_path: Path) -> None:
    """What cannot be measured is null, not 0, and there is no thumbnail."""
    if content is not None:
        (tmp_path / "a.png").write_bytes(content)
    found = inspect_picture(tmp_path, "a.png", "thumbnails/a.webp")
    assert word in str(found.fault)
    assert found == Inspection(fault=found.fault)
    assert not (tmp_path / "thumbnails").exists()


def test_every_kind_of_picture_is_inspected(tmp_path: Path) -> None:
    """Clear, grey, tiny and flat pictures have figures, or lack them, without an exception."""
    pictures = {
        "clear": Image.new("RGBA", (64, 64), (0, 0, 0, 0)),
        "grey": photograph().convert("L"),
        "palette": photograph().convert("P"),
        "tiny": Image.new("RGB", (1, 1)),
        "flat": Image.new("RGB", (300, 200), (200, 30, 30)),
        "line": Image.new("RGB", (2000, 1)),
    }
    for name, picture in pictures.items():
        found = inspect_picture(tmp_path, *save(tmp_path, f"{name}.png", picture))
        assert (found.width, found.height) == picture.size, name
        assert found.fault is None, name


@pytest.mark.parametrize("workers", [1, 2, None])
def test_many_pictures_keep_their_names(workers: int | None, tmp_path: Path) -> None:
    """Each result belongs to its file and comes in the order asked, broken ones between whole ones."""
    files = [save(tmp_path, f"{n}.png", Image.new("RGB", (n + 1, 5), (n, 0, 0))) for n in range(80)]
    (tmp_path / files[3][0]).write_bytes(b"broken")
    found = list(inspect_pictures(tmp_path, files, workers))
    assert [file for file, _ in found] == [file for file, _ in files]
    assert [inspection.width for _, inspection in found] == [None if n == 3 else n + 1 for n in range(80)]
    assert len(list((tmp_path / "thumbnails").iterdir())) == 79


def test_no_pictures_are_no_work(tmp_path: Path) -> None:
    """A run in which every order was refused has nothing to inspect."""
    assert list(inspect_pictures(tmp_path, [])) == []


def test_unwritable_thumbnails_are_said_once_and_clearly(tmp_path: Path) -> None:
    """That is not the picture's fault, so it is not recorded as one."""
    files = [save(tmp_path, f"{n}.png", photograph()) for n in range(3)]
    (tmp_path / "thumbnails").write_text("a file where a folder should be")
    with pytest.raises(SettingError, match="thumbnails"):
        list(inspect_pictures(tmp_path, files))


def test_memory_does_not_grow_with_the_number_of_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are asked for, no more decoded pictures are alive than workers hold."""
    file, _ = save(tmp_path, "a.png", photograph().resize((60, 40)))
    seen: list[weakref.ref[Image.Image]] = []
    counts = []

    def watched(data: bytes, where: str) -> Image.Image:
        picture = decode(data, where)
        seen.append(weakref.ref(picture))
        counts.append(sum(one() is not None for one in list(seen)))
        return picture

    monkeypatch.setattr("tasks.inspect.decode", watched)
    for _ in inspect_pictures(tmp_path, [(file, f"thumbnails/{n}.webp") for n in range(200)], workers=2):
        pass
    assert len(counts) == 200
    assert max(counts) <= 3


def test_same_pixels_in_another_container_are_the_same_picture(tmp_path: Path) -> None:
    """PNG and lossless WebP of one picture have the same hashes and colours."""
    save(tmp_path, "a.png", photograph())
    stream = io.BytesIO()
    photograph().save(stream, "WEBP", lossless=True)
    (tmp_path / "drafts" / "a.webp").write_bytes(stream.getvalue())
    one, other = (
        inspect_picture(tmp_path, f"drafts/a.{kind}", f"thumbnails/{kind}.webp") for kind in ("png", "webp")
    )
    differing = {
        field.name for field in fields(one) if getattr(one, field.name) != getattr(other, field.name)
    }
    assert differing == {"format", "thumbnail"}
