"""The token arithmetic against every figure that was published or measured."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.catalogue import tokens

CALCULATOR = {
    "gpt-image-2": {
        (1024, 1024): {"low": 196, "medium": 1756, "high": 7024},
        (1536, 1024): {"low": 158, "medium": 1372, "high": 5488},
        (1280, 720): {"low": 106, "medium": 947, "high": 3787},
        (2048, 2048): {"low": 397, "medium": 3568, "high": 14272},
        (2560, 1440): {"low": 205, "medium": 1843, "high": 7370},
        (3840, 2160): {"low": 371, "medium": 3336, "high": 13342},
    },
    "gpt-image-2.5": {
        (1024, 1024): {"low": 196, "medium": 439, "high": 1756, "xhigh": 3122, "max": 7024},
        (1536, 1024): {"low": 158, "medium": 343, "high": 1372, "xhigh": 2459, "max": 5488},
        (1280, 720): {"low": 106, "medium": 246, "high": 947, "xhigh": 1683, "max": 3787},
        (2048, 2048): {"low": 397, "medium": 892, "high": 3568, "xhigh": 6343, "max": 14272},
        (2560, 1440): {"low": 205, "medium": 478, "high": 1843, "xhigh": 3276, "max": 7370},
        (3840, 2160): {"low": 371, "medium": 865, "high": 3336, "xhigh": 5930, "max": 13342},
    },
    "gpt-image-1": {
        (1024, 1024): {"low": 272, "medium": 1056, "high": 4160},
        (1024, 1536): {"low": 408, "medium": 1584, "high": 6240},
        (1536, 1024): {"low": 400, "medium": 1568, "high": 6208},
    },
}
CELLS = [
    (formula, size, quality, count)
    for formula, sizes in CALCULATOR.items()
    for size, qualities in sizes.items()
    for quality, count in qualities.items()
]


@pytest.mark.parametrize(("formula", "size", "quality", "count"), CELLS)
def test_output_tokens_equal_every_published_cell(
    formula: str, size: tuple[int, int], quality: str, count: int
) -> None:
    """Each cell of the vendor's table and calculator comes out exactly."""
    assert tokens.output_tokens(formula, quality, *size) == count


def test_a_measured_answer_has_the_tokens_of_the_formula() -> None:
    """A real answer of gpt-image-2 at low and 1456x624 used 82 output tokens."""
    assert tokens.output_tokens("gpt-image-2", "low", 1456, 624) == 82


def _calculator_in_floats(step: int, width: int, height: int) -> int:
    """Follow the vendor's script as it is written: floats, and halves to even by hand."""
    longer, shorter = max(width, height), min(width, height)
    scaled = step * shorter / longer
    floor = int(scaled)
    rounded = floor + floor % 2 if scaled - floor == 0.5 else int(scaled + 0.5)
    return ceil(step * rounded * (2_000_000 + width * height) / 4_000_000)


@given(
    step=st.sampled_from([16, 24, 48, 64, 96]),
    width=st.integers(1, 240).map(lambda n: n * 16),
    height=st.integers(1, 240).map(lambda n: n * 16),
)
def test_whole_numbers_agree_with_the_script_in_floats(step: int, width: int, height: int) -> None:
    """Counting in whole numbers gives what the vendor's floating-point script gives, in both orientations."""
    quality = {16: "low", 24: "medium", 48: "high", 64: "xhigh", 96: "max"}[step]
    count = tokens.output_tokens("gpt-image-2.5", quality, width, height)
    assert count == _calculator_in_floats(step, width, height)
    assert count == tokens.output_tokens("gpt-image-2.5", quality, height, width)


@pytest.mark.parametrize(
    ("width", "height", "count"),
    [
        (512, 512, 1024), (1024, 1024, 1024), (1024, 768, 768), (1536, 1024, 1536), (2048, 2048, 1521),
        (3840, 2160, 1508),
    ],
)  # fmt: skip
def test_references_of_gpt_image_2_cost_what_was_measured(width: int, height: int, count: int) -> None:
    """Each measured reference picture comes out exactly."""
    assert tokens.reference_tokens_by_patches(width, height) == count


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_a_reference_never_costs_more_than_its_budget(width: int, height: int) -> None:
    """Whatever its shape, a reference costs at least one and at most 1,536 tokens."""
    assert 1 <= tokens.reference_tokens_by_patches(width, height) <= 1536


@pytest.mark.parametrize(
    ("width", "height", "fidelity", "count"),
    [
        (1024, 1024, "low", 194), (1536, 1024, "low", 323), (1024, 1536, "low", 323),
        (1024, 1024, "high", 194 + 4160), (1536, 1024, "high", 323 + 6240),
    ],
)  # fmt: skip
def test_references_of_gpt_image_1_cost_what_the_guide_says(
    width: int, height: int, fidelity: str, count: int
) -> None:
    """Tiles of 512 px, and the extra for high fidelity, square or not."""
    assert tokens.reference_tokens_by_tiles(width, height, input_fidelity=fidelity) == count


@given(st.text(max_size=400))
def test_text_is_bounded_from_both_sides(prompt: str) -> None:
    """The most is at least characters and overhead, and an edit adds its hidden text."""
    most = tokens.most_text_tokens(prompt, is_edit=False)
    assert most >= 16 + len(prompt)
    assert tokens.most_text_tokens(prompt, is_edit=True) == most + 32
    assert tokens.least_text_tokens(prompt) <= most
