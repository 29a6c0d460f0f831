"""The painter: pictures of the size and format asked for, alike and unlike where they should be."""

import io
import itertools
from typing import Any, Literal

import imagehash
import numpy as np
import pytest
from PIL import Image
from skimage.metrics import structural_similarity

from tasks.emulator.images_request import Endpoint, ImagesRequest, Upload, read_upload
from tasks.emulator.models import MODELS
from tasks.emulator.painter import paint
from tasks.emulator.painting.reading import SUBJECTS, read_prompt
from tasks.emulator.painting.scene import paint_scene
from tasks.emulator.painting.texture import luminance
from tasks.emulator.replicates import Replicate, Replicates
from tasks.emulator.settings import EmulatorSettings
from tasks.pictures.looks import look_at
from tasks.pictures.redrawing import SAME_VALUE, compare_redrawing
from tests.support.every_day import some_every_day

SMALL = (320, 320)
OTTER = "A baby sea otter swimming on its back, watercolour"


def order(prompt: str = OTTER, **fields: Any) -> ImagesRequest:
    """A small request; sizes below the vendor's are fine for the painter itself."""
    endpoint: Endpoint = "edits" if "references" in fields else "generations"
    defaults: dict[str, Any] = {"tier": "low", "size": SMALL}
    return ImagesRequest(endpoint, MODELS["gpt-image-2.6-flare"], prompt, **(defaults | fields))


def picture_of(
    request: ImagesRequest, seed: int = 1, shake: int | None = None, drifts: bool = False
) -> Image.Image:
    """The decoded picture."""
    return Image.open(io.BytesIO(paint(request, Replicate(seed, shake, drifts), "scene")))


def similarity(first: Image.Image, second: Image.Image) -> float:
    """SSIM of two pictures at 256 x 256, in grey."""
    grey = [np.asarray(picture.convert("L").resize((256, 256))) for picture in (first, second)]
    return float(structural_similarity(*grey))


def as_upload(picture: Image.Image) -> Upload:
    """The picture as a reference."""
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return read_upload("image", stream.getvalue())


@pytest.mark.parametrize("format", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("size", [(320, 320), (384, 256), (256, 384)])
def test_a_picture_has_the_size_and_format_asked_for(format: str, size: tuple[int, int]) -> None:
    """Every format decodes to exactly the width and height of the request."""
    picture = picture_of(order(format=format, size=size))
    picture.load()
    assert (picture.size, picture.format) == (size, format.upper())
    assert picture.mode == "RGB"


def test_a_transparent_background_is_really_transparent() -> None:
    """Corners are see-through and the subject is not."""
    for format in ("png", "webp"):
        picture = picture_of(order("a bottle of perfume", transparent=True, format=format))
        alpha = np.asarray(picture.convert("RGBA").getchannel("A"))
        assert picture.mode == "RGBA"
        assert alpha[:20, :20].max() == 0
        assert (alpha == 255).mean() > 0.03


@pytest.mark.parametrize("format", ["jpeg", "webp"])
def test_more_compression_makes_a_smaller_file(format: str) -> None:
    """``output_compression`` is honoured: 20 weighs less than 95."""
    orders = [order(format=format, compression=level) for level in (20, 95)]
    small, large = (len(paint(each, Replicate(1, None, False), "scene")) for each in orders)
    assert small < 0.6 * large


def test_the_same_replicate_is_painted_byte_for_byte_again() -> None:
    """A picture is a function of request and replicate, nothing else."""
    replicate = Replicate(5, 6, False)
    assert paint(order(), replicate, "scene") == paint(order(), replicate, "scene")


@pytest.mark.parametrize(
    "prompt",
    [
        "a bottle of perfume, studio photograph",
        pytest.param(OTTER, marks=pytest.mark.slow),
        pytest.param("a house in the snow, ink drawing", marks=pytest.mark.slow),
    ],
)
def test_replicates_of_one_prompt_are_different_pictures(prompt: str) -> None:
    """Perceptual hashes of independent replicates lie far apart: never 8 bits, mostly beyond 16."""
    hashes = [imagehash.phash(picture_of(order(prompt), seed)) for seed in range(8)]
    distances = [first - second for first, second in itertools.combinations(hashes, 2)]
    assert min(distances) > 8
    assert np.median(distances) > 16


def test_a_near_copy_is_near_and_not_equal() -> None:
    """A shaken picture differs in its bytes and hardly in its hash."""
    for seed in range(5):
        original, copy = picture_of(order(), seed), picture_of(order(), seed, shake=100 + seed)
        assert original.tobytes() != copy.tobytes()
        assert imagehash.phash(original) - imagehash.phash(copy) <= 6


def test_quality_shows() -> None:
    """Higher tiers have more fine detail: energy of the finest differences rises from tier to tier."""
    energies = []
    for tier in ("low", "medium", "high"):
        grey = luminance(
            np.asarray(picture_of(order("a fox in a meadow", tier=tier, size=(1024, 640))), np.float32)
        )
        energies.append(float(np.abs(grey[1:-1, 1:-1] * 2 - grey[:-2, 1:-1] - grey[2:, 1:-1]).mean()))
    assert energies[0] * 1.2 < energies[1] < energies[2]


def test_an_edit_keeps_the_composition_of_its_reference() -> None:
    """The reference stays recognisable, in its own proportions and, in the middle, in wider ones."""
    reference = picture_of(order("a lighthouse at dusk"), 4)
    upload = as_upload(reference)
    square = picture_of(order("finer", references=(upload,), tier="high"), 9)
    wide = picture_of(order("finer", references=(upload,), tier="high", size=(480, 320)), 9)
    assert similarity(square, reference) > 0.8
    assert similarity(wide.crop((80, 0, 400, 320)), reference) > 0.8
    assert square.tobytes() != reference.convert("RGB").tobytes()


def test_an_edit_takes_the_liberties_of_real_models_unless_it_is_to_be_exact() -> None:
    """It is zoomed and moved a little; the same replicate does it in the same way."""
    request = order(
        "finer", references=(as_upload(picture_of(order("a lighthouse at dusk"), 4)),), tier="high"
    )
    kinds: list[Literal["redrawn", "exact"]] = ["redrawn", "exact"]
    redrawn, exact = (
        Replicates(EmulatorSettings(edits=edits, edit_drift_rate=0)).take(request, None)[0] for edits in kinds
    )
    assert (redrawn.is_redrawn, exact.is_redrawn) == (True, False)
    pictures = [Image.open(io.BytesIO(paint(request, each, "scene"))) for each in (redrawn, redrawn, exact)]
    assert pictures[0].tobytes() == pictures[1].tobytes()
    first, finer = (look_at(picture.convert("RGB")) for picture in (pictures[0], pictures[2]))
    found = compare_redrawing(finer, first)
    assert found.value > SAME_VALUE
    assert 1.003 < found.registration.zoom < 1.06


def test_an_edit_that_drifts_is_another_picture() -> None:
    """Fidelity checks have something to catch."""
    reference = picture_of(order("a lighthouse at dusk"), 4)
    drifted = picture_of(order("a lighthouse at dusk", references=(as_upload(reference),)), 9, drifts=True)
    assert similarity(drifted, reference) < 0.7


def test_only_the_masked_part_of_an_edit_changes() -> None:
    """Alpha 255 keeps the reference to the pixel; at alpha 0 something else appears."""
    reference = picture_of(order("a lighthouse at dusk"), 4)
    stencil = Image.new("RGBA", SMALL, (0, 0, 0, 255))
    stencil.paste((0, 0, 0, 0), (160, 0, 320, 320))
    stream = io.BytesIO()
    stencil.save(stream, "PNG")
    mask = read_upload("mask", stream.getvalue())
    edited = np.asarray(picture_of(order("a fox at noon", references=(as_upload(reference),), mask=mask), 3))
    before = np.asarray(reference)
    assert np.array_equal(edited[:, :159], before[:, :159])
    assert np.abs(edited[:, 161:].astype(int) - before[:, 161:]).mean() > 20


def test_the_hour_follows_the_prompt() -> None:
    """Night is darker than noon, whatever the composition."""
    for seed in range(3):
        night, noon = (
            float(
                luminance(paint_scene(f"a fox in a meadow at {hour}", seed, (160, 160), "low").pixels).mean()
            )
            for hour in ("night", "noon")
        )
        assert night < 0.7 * noon


@pytest.mark.parametrize("subject", some_every_day(sorted(set(SUBJECTS)), lambda word: word < "c"))
def test_every_subject_word_can_be_painted(subject: str) -> None:
    """No word that the painter claims to know fails, and each one puts something into the picture."""
    scene = paint_scene(f"a {subject}", 3, (96, 96), "low")
    assert scene.cover.max() > 0.9
    assert np.isfinite(scene.pixels).all()


PLACES = ("sea", "beach", "lake", "mountain", "snow", "city", "forest", "desert", "meadow", "studio")
STYLES = ("watercolour", "photograph", "ink", "flat", "isometric", "oil", "")


@pytest.mark.parametrize(
    ("place", "style"),
    [
        # Every day each place and each style once.
        pytest.param(place, style, marks=[pytest.mark.slow] * (k % len(STYLES) != n))
        for k, place in enumerate(PLACES)
        for n, style in enumerate(STYLES)
    ],
)
def test_every_place_can_be_painted_in_every_style(place: str, style: str) -> None:
    """Places and styles combine freely, in wide and tall sizes."""
    for size in ((144, 48), (48, 144)):
        scene = paint_scene(f"a {place} {style}", 1, size, "high")
        assert scene.pixels.shape[:2] == size[::-1]
        assert scene.pixels.std() > 0.01


@pytest.mark.parametrize(
    "prompt", ["", "🦦🦦🦦", "'; DROP TABLE pictures; --", "x" * 32_000, "quartalsbericht über umsätze"]
)
def test_any_text_gets_a_picture(prompt: str) -> None:
    """A prompt without a known word becomes a still life, not an error."""
    assert read_prompt(prompt).subject == "still_life"
    assert paint_scene(prompt, 1, (64, 64), "low").pixels.std() > 0.01
