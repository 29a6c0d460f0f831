"""A PNG of strips: the same picture as one that was drawn whole."""

import io

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tasks.report_page.tall_png import write_strips


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.lists(st.integers(1, 300), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
def test_strips_become_one_picture(width: int, heights: list[int], seed: int) -> None:
    """Whatever is on them and however high they are, each line is where it was drawn."""
    chance = np.random.default_rng(seed)
    smooth = np.cumsum(chance.integers(0, 3, (sum(heights), width, 3)), axis=0).astype(np.uint8)
    ends = np.cumsum(heights)[:-1]
    strips = (Image.fromarray(part) for part in np.split(smooth, ends))
    with Image.open(io.BytesIO(write_strips(strips))) as picture:
        assert picture.format == "PNG"
        assert np.array_equal(np.asarray(picture), smooth)
