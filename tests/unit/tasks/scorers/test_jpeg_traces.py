"""The traces of JPEG, against the tables that Pillow wrote into the very files."""

import io
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tasks.scorers.jpeg_traces import measure_blocking, measure_quantisation

NAMES = ("astronaut.png", "camera.png", "coffee.png", "grass.png", "moon.png", "motorcycle_left.png")
LOW_FREQUENCIES = (0, 1, 2, 8, 9, 16)
"""Where the six that are read stand in a table of 64, row by row."""


def through_jpeg(name: str, quality: int) -> tuple[Image.Image, float]:
    """Give the decoded picture and the median step of its low frequencies, as the file says."""
    data = io.BytesIO()
    with Image.open(Path(skimage.data.__file__).parent / name) as picture:
        picture.convert("RGB").save(data, "JPEG", quality=quality)
    with Image.open(data) as file:
        table = file.quantization[0]  # type: ignore[attr-defined]
        return file.convert("RGB"), float(np.median([table[index] for index in LOW_FREQUENCIES]))


def luminance(picture: Image.Image) -> NDArray[np.uint8]:
    """Read a picture as the scorer does."""
    return np.asarray(picture.convert("L"))


@pytest.mark.parametrize("quality", [30, 20, 10, 5])
@pytest.mark.parametrize("name", NAMES)
def test_the_step_agrees_with_the_files_own_table(name: str, quality: int) -> None:
    """Whatever the photograph shows, smooth or busy."""
    picture, written = through_jpeg(name, quality)
    assert measure_quantisation(luminance(picture)) == pytest.approx(written, rel=0.15)


@pytest.mark.parametrize("name", NAMES)
def test_a_photograph_that_was_never_squeezed_shows_no_step(name: str) -> None:
    """Nor does one that was resized, or moved by half a block, since."""
    with Image.open(Path(skimage.data.__file__).parent / name) as picture:
        assert measure_quantisation(luminance(picture)) == 0
    squeezed, _ = through_jpeg(name, 20)
    half = squeezed.resize((squeezed.width // 2, squeezed.height // 2))
    assert measure_quantisation(luminance(half)) == 0
    assert measure_quantisation(luminance(squeezed.crop((3, 5, *squeezed.size)))) == 0


def test_flat_drawings_show_no_step() -> None:
    """A few flat colours stand at the multiples of something by chance, off the grid as well."""
    chance = np.random.default_rng(4)
    picture = Image.new("L", (512, 512), 240)
    for _ in range(30):
        corner, edge = chance.integers(0, 448, 2), chance.integers(8, 64)
        ImageDraw.Draw(picture).ellipse(
            (*corner.tolist(), *(corner + edge).tolist()), fill=int(chance.choice([20, 84, 148]))
        )
    assert measure_quantisation(luminance(picture)) == 0


def test_blocks_are_seen_where_they_are() -> None:
    """The grid of a squeezed photograph stands out, and stands out more the more it was squeezed."""
    jumps = [measure_blocking(luminance(through_jpeg("coffee.png", quality)[0])) for quality in (90, 30, 10)]
    assert jumps == sorted(jumps)
    assert jumps[0] < 0.1 < 0.3 < jumps[2]


def test_a_window_of_a_few_pixels_shows_nothing() -> None:
    """Too small to tell."""
    assert measure_quantisation(np.zeros((20, 20), dtype=np.float32)) == 0
    assert measure_blocking(np.zeros((20, 20), dtype=np.float32)) == 0
