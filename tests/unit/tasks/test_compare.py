"""Fidelity: finer is still the same picture; moved, mirrored, recoloured or another is not."""

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from benchmarks.fidelity_changes import redrawn, zoomed
from benchmarks.fidelity_changes import toned as toned_by
from tasks.accept import choose_attempt
from tasks.campaign.finals import Finals
from tasks.candidate import Fidelity
from tasks.compare import measure_fidelity
from tasks.emulator.painting.retouch import as_image, repaint
from tasks.emulator.painting.scene import paint_scene
from tasks.errors import PictureError
from tests.support.edited_pictures import draw_stool, write_lines

PHOTOGRAPHS = ("astronaut.png", "camera.png", "coffee.png", "motorcycle_left.png")
COLOURED = ("chelsea.png", "coffee.png", "rocket.jpg")
Change = Callable[[Image.Image], Image.Image]


@cache
def photograph(name: str) -> Image.Image:
    """Load a photograph from scikit-image's wheel, reduced to a draft's size."""
    with Image.open(Path(skimage.data.__file__).parent / name) as picture:
        plain = picture.convert("RGB")
    plain.thumbnail((512, 512))
    return plain


@pytest.fixture
def fidelity_of(tmp_path: Path) -> Callable[[Image.Image, Image.Image], Fidelity]:
    """Compare two pictures through files, as the step does."""

    def compare(draft: Image.Image, final: Image.Image) -> Fidelity:
        draft.save(tmp_path / "draft.png", compress_level=1)
        final.save(tmp_path / "final.png", compress_level=1)
        return measure_fidelity(tmp_path / "draft.png", tmp_path / "final.png")

    return compare


Compare = Callable[[Image.Image, Image.Image], Fidelity]


def finer(picture: Image.Image) -> Image.Image:
    """Draw it twice as large and sharper."""
    larger = picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.LANCZOS)
    return larger.filter(ImageFilter.UnsharpMask(3, 120, 2))


def toned(picture: Image.Image) -> Image.Image:
    """A mild shift of colour, brightness and contrast."""
    picture = ImageEnhance.Color(ImageEnhance.Brightness(picture).enhance(1.06)).enhance(1.15)
    return ImageEnhance.Contrast(picture).enhance(1.08)


def darkened_and_warmed(picture: Image.Image) -> Image.Image:
    """Take light away and warm it."""
    return toned_by(picture, 0.95, 1.0, 0.04)


def moved(picture: Image.Image) -> Image.Image:
    """Cut 1 % off two sides and stretch the rest."""
    cut = picture.width // 100
    return picture.crop((cut, cut, picture.width, picture.height)).resize(
        picture.size, Image.Resampling.BICUBIC
    )


def widened(picture: Image.Image) -> Image.Image:
    """Go on beyond both sides."""
    width = picture.width * 3 // 2
    canvas = picture.resize((width, picture.height)).filter(ImageFilter.GaussianBlur(20))
    canvas.paste(picture, ((width - picture.width) // 2, 0))
    return canvas


def trimmed(picture: Image.Image) -> Image.Image:
    """Cut an eighth off above and below."""
    eighth = picture.height // 8
    return picture.crop((0, eighth, picture.width, picture.height - eighth))


@pytest.mark.parametrize(
    "change",
    [
        toned, moved, *(pytest.param(change, marks=pytest.mark.slow) for change in (widened, trimmed, finer)),
        pytest.param(lambda picture: moved(toned(finer(picture))), marks=pytest.mark.slow),
    ],
    ids=["toned", "moved", "widened", "trimmed", "finer", "all three"],
)  # fmt: skip
def test_the_same_picture_drawn_finer_is_recognized(fidelity_of: Compare, change: Change) -> None:
    """Sharper, larger, mildly toned, moved by 1 %, continued or trimmed at the edges: above 0.75."""
    for name in PHOTOGRAPHS:
        assert fidelity_of(photograph(name), change(photograph(name))).value > 0.75, name


@pytest.mark.slow
def test_other_photographs_are_not_taken_for_it(fidelity_of: Compare) -> None:
    """Different photographs stay below 0.6, and so does a mirror image."""
    for name, other in pairwise(PHOTOGRAPHS):
        assert fidelity_of(photograph(name), photograph(other)).value < 0.6, (name, other)
        mirror = photograph(name).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        assert fidelity_of(photograph(name), mirror).value < 0.6, name


def test_the_same_forms_in_other_colours_are_refused(fidelity_of: Compare) -> None:
    """Red for blue leaves the structure nearly whole; the colours refuse it."""
    for name in COLOURED:
        found = fidelity_of(photograph(name), Image.merge("RGB", photograph(name).split()[::-1]))
        assert found.ssim > 0.5, name
        assert found.value == found.palette < 0.5, name


@pytest.mark.slow
@pytest.mark.parametrize(
    "prompt",
    [
        "A baby sea otter asleep, watercolour",
        pytest.param("A lighthouse at dusk, photograph", marks=pytest.mark.slow),
    ],
)
def test_the_emulators_edits_keep_the_draft_and_its_drifts_do_not(
    fidelity_of: Compare, tmp_path: Path, prompt: str
) -> None:
    """A finer edit, square or wide, is accepted at 0.75; a new picture of the same prompt is below 0.6."""
    draft = as_image(paint_scene(prompt, 1, (512, 512), "low", bare=False).pixels).resize((512, 512))
    draft.save(tmp_path / "reference.png")
    reference = (tmp_path / "reference.png").read_bytes()
    drifted = as_image(paint_scene(prompt, 2, (512, 512), "high", bare=False).pixels)
    assert fidelity_of(draft, repaint(reference, prompt, 9, (640, 640), "high")).value > 0.75
    assert fidelity_of(draft, repaint(reference, prompt, 9, (768, 512), "high")).value > 0.75
    assert fidelity_of(draft, drifted).value < 0.6


def test_a_picture_is_wholly_itself(fidelity_of: Compare) -> None:
    """Every part of the measure has its best value."""
    assert fidelity_of(photograph("coffee.png"), photograph("coffee.png")) == Fidelity(
        1.0, 1.0, 0, 1.0, 0.0, 0.0, 0.0, is_mirrored=False
    )


@pytest.mark.slow
def test_what_leaves_the_frame_is_borne_as_far_as_an_edit_would_go(fidelity_of: Compare) -> None:
    """A photograph that slides out of its frame stays the same by a little, and is another by much."""
    coffee = photograph("coffee.png")
    found = [
        fidelity_of(coffee, coffee.crop((share * coffee.width // 100, 0, coffee.width, coffee.height)))
        for share in (0, 1, 3, 20)
    ]
    assert min(fidelity.value for fidelity in found[:3]) > 0.75
    assert [fidelity.shift for fidelity in found[:3]] == sorted(fidelity.shift or 0 for fidelity in found[:3])
    assert found[-1].value < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("name", ["astronaut.png", "motorcycle_left.png"])
def test_what_editing_models_do_is_taken_out_and_measured(fidelity_of: Compare, name: str) -> None:
    """Zoomed, moved, toned and redrawn by a hair, all at once; the figures tell by how much."""
    photo = photograph(name).resize((512, 512))
    drawn = redrawn(zoomed(photo, 1.05, (0.02, -0.01)), 0.006, np.random.default_rng(4))
    found = fidelity_of(photo, darkened_and_warmed(drawn))
    assert found.value > 0.75
    assert found.zoom == pytest.approx(0.05, abs=0.01)
    assert found.shift == pytest.approx(0.022, abs=0.008)
    assert found.tone == pytest.approx(0.06, abs=0.04)


@pytest.mark.parametrize(
    ("draft", "final"),
    [
        pytest.param(draw_stool(4), draw_stool(3), id="a leg less", marks=pytest.mark.slow),
        pytest.param(draw_stool(logo="O"), draw_stool(logo="K"), id="another logo", marks=pytest.mark.slow),
        pytest.param(
            draw_stool(seat="#8a4b2a"),
            draw_stool(seat="#2a4b8a"),
            id="another colour",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            write_lines("FRESH COFFEE", "OPEN UNTIL NINE"),
            write_lines("FRESH COFFEE", "OPEN UNTIL FIVE"),
            id="another word",
        ),
        pytest.param(
            write_lines("SALE -20%"), write_lines("SALE -50%"), id="another number", marks=pytest.mark.slow
        ),
        pytest.param(
            write_lines("SALE"),
            write_lines("SALE").transpose(Image.Transpose.FLIP_LEFT_RIGHT),
            id="mirrored",
        ),
    ],
)
def test_a_small_difference_that_matters_is_not_averaged_away(
    fidelity_of: Compare, draft: Image.Image, final: Image.Image
) -> None:
    """Neither as it is nor zoomed, moved and redrawn; the draft redrawn in the same way is accepted."""

    def drawn_anew(picture: Image.Image) -> Image.Image:
        return redrawn(zoomed(picture, 1.03, (0.01, 0)), 0.004, np.random.default_rng(7))

    assert fidelity_of(draft, final).value < 0.75
    assert fidelity_of(draft, drawn_anew(final)).value < 0.75
    assert fidelity_of(draft, drawn_anew(draft)).value > 0.75


def test_a_mirror_image_is_told_where_hardly_anything_differs(fidelity_of: Compare) -> None:
    """A face from the front, lit from one side: its mirror image would pass for a redrawing of it."""
    face = draw_face(lit_from=-1)
    for anew in (lambda one: one, lambda one: redrawn(zoomed(one, 1.03), 0.004, np.random.default_rng(7))):
        mirrored, same = fidelity_of(face, anew(draw_face(lit_from=1))), fidelity_of(face, anew(face))
        assert mirrored.value > 0.75
        assert (mirrored.is_mirrored, same.is_mirrored) == (True, False)
        chosen, reason = choose_attempt({"c-1": mirrored}, Finals(model="-", size="-"))
        assert chosen is None
        assert reason.endswith(", and it shows the draft mirrored")
    both = draw_face(lit_from=0)
    assert not fidelity_of(both, both.transpose(Image.Transpose.FLIP_LEFT_RIGHT)).is_mirrored


def draw_face(lit_from: int) -> Image.Image:
    """Draw a round face, 512 px, with a soft light from the left (-1), the right (1) or the front (0)."""
    face = Image.new("RGB", (511, 511), "#c9d3d6")
    pen = ImageDraw.Draw(face)
    pen.ellipse((105, 105, 405, 405), fill="#d9a066", outline="#5b3a1e", width=6)
    light = Image.new("L", face.size)
    middle = 255 + 60 * lit_from
    ImageDraw.Draw(light).ellipse((middle - 60, 150, middle + 60, 330), fill=90)
    face.paste("#f6dcb4", mask=light.filter(ImageFilter.GaussianBlur(24)))
    pen = ImageDraw.Draw(face)
    for x in (200, 310):
        pen.ellipse((x - 22, 200, x + 22, 250), fill="#2b1c10")
    pen.arc((195, 240, 315, 340), 20, 160, fill="#5b3a1e", width=9)
    return face


def test_what_was_to_be_inpainted_is_left_out_however_the_rest_moved(tmp_path: Path) -> None:
    """The mask marks the middle; around it the scene is zoomed and still the same."""
    draft, other = (photograph(name).resize((512, 512)) for name in ("coffee.png", "chelsea.png"))
    final = zoomed(draft, 1.04)
    final.paste(other.crop((150, 150, 360, 360)), (150, 150))
    mask = Image.new("RGBA", draft.size, (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (140, 140, 372, 372))
    for name, picture in (("draft", draft), ("final", final), ("mask", mask)):
        picture.save(tmp_path / f"{name}.png", compress_level=1)
    files = tmp_path / "draft.png", tmp_path / "final.png"
    assert measure_fidelity(*files).value < 0.75
    masked = measure_fidelity(*files, remade=tmp_path / "mask.png")
    assert masked.value > 0.75
    assert masked.zoom == pytest.approx(0.04, abs=0.01)


def test_colours_count_where_they_are_farthest(fidelity_of: Compare) -> None:
    """A green cast goes far beyond a change of light."""
    coffee = photograph("coffee.png")
    cast = Image.blend(coffee, Image.new("RGB", coffee.size, "green"), 0.5)
    assert fidelity_of(coffee, cast).palette < 0.6


def test_transparent_pictures_are_compared_over_grey(fidelity_of: Compare) -> None:
    """What hides under full transparency does not matter."""
    one, other = (
        photograph(name).resize((256, 256)).convert("RGBA") for name in ("coffee.png", "camera.png")
    )
    disc = Image.new("L", (256, 256), 0)
    disc.paste(255, (64, 64, 192, 192))
    one.putalpha(disc)
    hidden = Image.composite(one, other, disc)
    hidden.putalpha(disc)
    assert fidelity_of(one, hidden).value > 0.99


def test_a_broken_final_is_a_picture_error(tmp_path: Path) -> None:
    """A file that is no picture is named."""
    photograph("coffee.png").save(tmp_path / "draft.png")
    (tmp_path / "final.png").write_bytes(b"<html>")
    with pytest.raises(PictureError, match=r"final\.png"):
        measure_fidelity(tmp_path / "draft.png", tmp_path / "final.png")
