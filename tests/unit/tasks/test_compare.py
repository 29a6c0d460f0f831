"""Fidelity: finer is still the same picture; moved, mirrored, recoloured or another is not."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageFilter

from tasks.candidate import Fidelity
from tasks.compare import choose_attempt, measure_fidelity
from tasks.emulator.painting.retouch import as_image, repaint
from tasks.emulator.painting.scene import paint_scene
from tasks.errors import PictureError

PHOTOGRAPHS = (
    "astronaut.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "motorcycle_left.png",
    "rocket.jpg",
)
COLOURED = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")
Change = Callable[[Image.Image], Image.Image]


@cache
def photograph(name: str) -> Image.Image:
    """Load a photograph from scikit-image's wheel."""
    with Image.open(Path(skimage.data.__file__).parent / name) as picture:
        return picture.convert("RGB")


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
    "change", [finer, toned, moved, lambda picture: moved(toned(finer(picture))), widened, trimmed],
    ids=["finer", "toned", "moved", "all three", "widened", "trimmed"],
)  # fmt: skip
def test_the_same_picture_drawn_finer_is_recognized(fidelity_of: Compare, change: Change) -> None:
    """Sharper, larger, mildly toned, moved by 1 %, continued or trimmed at the edges: above 0.75."""
    for name in PHOTOGRAPHS:
        assert fidelity_of(photograph(name), change(photograph(name))).value > 0.75, name


def test_other_photographs_are_not_taken_for_it(fidelity_of: Compare) -> None:
    """Every couple of different photographs stays below 0.6, and so does a mirror image."""
    for index, name in enumerate(PHOTOGRAPHS):
        for other in PHOTOGRAPHS[index + 1 :]:
            assert fidelity_of(photograph(name), photograph(other)).value < 0.6, (name, other)
        mirror = photograph(name).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        assert fidelity_of(photograph(name), mirror).value < 0.6, name


def test_the_same_forms_in_other_colours_are_refused(fidelity_of: Compare) -> None:
    """Red for blue leaves the structure whole and still falls below the usual threshold."""
    for name in COLOURED:
        found = fidelity_of(photograph(name), Image.merge("RGB", photograph(name).split()[::-1]))
        assert found.ssim > 0.9, name
        assert found.value < 0.75, name


@pytest.mark.parametrize(
    "prompt", ["A baby sea otter asleep, watercolour", "A lighthouse at dusk, photograph"]
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
    assert fidelity_of(photograph("coffee.png"), photograph("coffee.png")) == Fidelity(1.0, 1.0, 0, 1.0)


def test_the_more_it_is_moved_the_less_it_is_the_same(fidelity_of: Compare) -> None:
    """Fidelity falls step by step as a photograph slides out of its frame."""
    coffee = photograph("coffee.png")
    slid = [
        coffee.crop((share * coffee.width // 100, 0, coffee.width, coffee.height)).resize(coffee.size)
        for share in (0, 1, 3, 8, 20)
    ]
    values = [fidelity_of(coffee, picture).value for picture in slid]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == len(values)


def test_palette_alone_follows_the_colours(fidelity_of: Compare) -> None:
    """Shuffled pixels keep the palette; a green cast loses it, as far as CIELAB says it is away."""
    coffee = photograph("coffee.png").resize((64, 64))
    pixels = np.asarray(coffee).reshape(-1, 3).copy()
    np.random.default_rng(0).shuffle(pixels)
    shuffled = Image.fromarray(pixels.reshape(64, 64, 3))
    assert fidelity_of(coffee, shuffled).palette == pytest.approx(1, abs=1e-6)
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


def a_fidelity(value: float) -> Fidelity:
    """Make a fidelity of the given value."""
    return Fidelity(value, 0.8, 5, 0.9)


def test_the_best_attempt_is_accepted_with_its_figures() -> None:
    """The reason carries what was measured and what was asked."""
    chosen, reason = choose_attempt({"c-1": a_fidelity(0.8), "c-2": a_fidelity(0.9)}, 0.75)
    assert chosen == "c-2"
    assert reason == (
        "accepted: fidelity 0.900 (structure 0.80, hash 5 of 64 bits apart, palette 0.90), at least 0.75"
    )


def test_all_attempts_can_be_refused() -> None:
    """None is accepted below the minimum; a near miss is not rounded up."""
    chosen, reason = choose_attempt({"c-1": a_fidelity(0.3), "c-2": a_fidelity(0.7499)}, 0.75)
    assert chosen is None
    assert reason.startswith("not accepted: the best of 2 attempts has fidelity 0.749 (")
    assert reason.endswith("below 0.75")
    assert choose_attempt({}, 0.75) == (None, "not accepted: there is no attempt")


@given(st.dictionaries(st.text(min_size=1), st.floats(0, 1).map(a_fidelity), min_size=1), st.floats(0, 1))
def test_the_choice_is_the_best_or_none(fidelities: dict[str, Fidelity], least: float) -> None:
    """Whatever the attempts and their order."""
    chosen, _ = choose_attempt(fidelities, least)
    best = max(fidelity.value for fidelity in fidelities.values())
    assert (chosen is None) == (best < least)
    assert chosen is None or fidelities[chosen].value == best
    assert choose_attempt(dict(reversed(fidelities.items())), least)[0] == chosen
