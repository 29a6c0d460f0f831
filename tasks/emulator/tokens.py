"""How many tokens a request uses and what they cost.

Output tokens follow from model, tier and size; input tokens from the prompt and the reference pictures. The
published rules are written out here a second time, apart from the catalogue's, and exactly: integers and
fractions, no floats.

The emulator's own choices, where nothing is published: text tokens are a quarter of the prompt's characters
plus six, and on the 2.6 models low and medium cost four times what they cost on 2.5.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from typing import Any

from tasks.emulator.models import Model

# Source: image generation guide, output tokens of the models before gpt-image-2, checked 2026-11-22.
TABLE_TOKENS = {
    "low": {(1024, 1024): 272, (1024, 1536): 408, (1536, 1024): 400},
    "medium": {(1024, 1024): 1056, (1024, 1536): 1584, (1536, 1024): 1568},
    "high": {(1024, 1024): 4160, (1024, 1536): 6240, (1536, 1024): 6208},
}
# Source: the vendor's calculator on its documentation site (2026-09-08), checked 2026-11-22.
LONG_EDGE_PATCHES_2 = {"low": 16, "medium": 48, "high": 96}
LONG_EDGE_PATCHES_2_5 = {"low": 16, "medium": 24, "high": 48, "xhigh": 64, "max": 96}
# Source: calls measured on 2.6 show three to four times the tokens of 2.5 for these; four is the safe end.
DEARER_ON_2_6 = {"low": 4, "medium": 4}

INPUT_PATCH_PX = 32
INPUT_PATCH_BUDGET = 1536
EDIT_OVERHEAD_TOKENS = 32
# Source: image generation guide, streaming, checked 2026-11-22.
PARTIAL_TOKENS = 100
HIGH_FIDELITY_TOKENS = {True: 4160, False: 6240}


@dataclass(frozen=True, slots=True)
class TokenCount:
    """Tokens of one request, all pictures together."""

    text_input: int
    image_input: int
    output: int

    def charge_nanousd(self, model: Model, *, in_batch: bool = False) -> int:
        """Return their exact cost in nano-dollars; a batch costs half.

        Source: batch guide and the models' price pages, checked 2026-11-22.
        """
        price = model.price
        whole = (
            self.text_input * price.text_input
            + self.image_input * price.image_input
            + self.output * price.output
        )
        return whole // 2 if in_batch else whole  # every price is even

    def as_wire(self) -> dict[str, Any]:
        """The ``usage`` object of an answer."""
        return {
            "input_tokens": self.text_input + self.image_input,
            "input_tokens_details": {"text_tokens": self.text_input, "image_tokens": self.image_input},
            "output_tokens": self.output,
            "output_tokens_details": {"image_tokens": self.output, "text_tokens": 0},
            "total_tokens": self.text_input + self.image_input + self.output,
        }


def count_tokens(
    model: Model,
    *,
    prompt: str,
    n: int,
    tier: str,
    size: tuple[int, int],
    references: Sequence[tuple[int, int]],
    high_fidelity: bool,
    is_edit: bool,
    partials: int = 0,
) -> TokenCount:
    """Count a request's tokens: each of its ``n`` pictures is billed like a request of its own.

    Args:
        model: The model that paints.
        prompt: The prompt.
        n: Number of pictures.
        tier: Quality tier, never ``auto``.
        size: Width and height of the pictures in pixels.
        references: Width and height of every reference picture; a mask is not counted.
        high_fidelity: Whether ``input_fidelity`` is ``high``.
        is_edit: Whether it is a request to the edits endpoint.
        partials: Number of partial pictures streamed before the complete one.
    """
    text = -(-len(prompt) // 4) + 6
    if is_edit and model.counting == "table":
        text += EDIT_OVERHEAD_TOKENS
    images = sum(reference_tokens(model, width, height, high_fidelity) for width, height in references)
    output = n * output_tokens(model, tier, size) + partials * PARTIAL_TOKENS
    return TokenCount(n * text, n * images, output)


def output_tokens(model: Model, tier: str, size: tuple[int, int]) -> int:
    """Count the output tokens of one picture.

    Args:
        model: The model.
        tier: The quality tier.
        size: Width and height, pixels.
    """
    if model.counting == "table":
        return TABLE_TOKENS[tier][size]
    if model.counting == "formula_2":
        return _grid_tokens(LONG_EDGE_PATCHES_2[tier], *size)
    tokens = _grid_tokens(LONG_EDGE_PATCHES_2_5[tier], *size)
    return tokens * DEARER_ON_2_6.get(tier, 1) if model.counting == "formula_2_6" else tokens


def _grid_tokens(long_patches: int, width: int, height: int) -> int:
    """Count the patches of a grid, weighted by the picture's area; halves are rounded to even."""
    short_patches = round(Fraction(long_patches * min(width, height), max(width, height)))
    return -(-long_patches * short_patches * (2_000_000 + width * height) // 4_000_000)


def reference_tokens(model: Model, width: int, height: int, high_fidelity: bool = False) -> int:
    """Count the input tokens of one reference picture.

    Args:
        model: The model.
        width: Pixels.
        height: Pixels.
        high_fidelity: Whether high input fidelity was requested.

    Source: images and vision guide (patches of 32 pixels, tiles of 512), checked 2026-11-22.
    """
    if model.counting == "table":
        extra = HIGH_FIDELITY_TOKENS[width == height] if high_fidelity else 0
        return _tile_tokens(width, height) + extra
    return _patch_tokens(width, height)


def _tile_tokens(width: float, height: float) -> int:
    shrink = min(1.0, 2048 / max(width, height))
    width, height = width * shrink, height * shrink
    shrink = min(1.0, 512 / min(width, height))
    across, down = (-(-round(edge * shrink) // 512) for edge in (width, height))
    return 65 + 129 * across * down


def _patch_tokens(width: int, height: int) -> int:
    longest = max(width, height)
    if longest < 1024:
        grow = min(2.0, 1024 / longest)
        width, height = round(width * grow), round(height * grow)
    if _patches(width, height) > INPUT_PATCH_BUDGET:
        shrink = sqrt(INPUT_PATCH_PX**2 * INPUT_PATCH_BUDGET / (width * height))
        across, down = width * shrink / INPUT_PATCH_PX, height * shrink / INPUT_PATCH_PX
        shrink *= min(int(across) / across, int(down) / down)
        width, height = int(width * shrink), int(height * shrink)
    return _patches(width, height)


def _patches(width: int, height: int) -> int:
    return -(-width // INPUT_PATCH_PX) * -(-height // INPUT_PATCH_PX)
