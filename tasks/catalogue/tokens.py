"""Counts a request's tokens by the published formulas of the GPT image models.

Output tokens follow from model, quality and size; input tokens from the text and the pictures sent along. All
counts are for one picture.

Checked 2026-11-22. For gpt-image-2.6 the vendor has published no formula: the catalogue says how the 2.5
formula is scaled for it, and how certain that is.
"""

from math import ceil, floor, sqrt

GPT_IMAGE_1_OUTPUT_TOKENS: dict[str, dict[tuple[int, int], int]] = {
    "low": {(1024, 1024): 272, (1024, 1536): 408, (1536, 1024): 400},
    "medium": {(1024, 1024): 1056, (1024, 1536): 1584, (1536, 1024): 1568},
    "high": {(1024, 1024): 4160, (1024, 1536): 6240, (1536, 1024): 6208},
}
"""Source: the output-token table of OpenAI's image generation guide for models before gpt-image-2."""

OUTPUT_STEPS: dict[str, dict[str, int]] = {
    "gpt-image-2": {"low": 16, "medium": 48, "high": 96},
    "gpt-image-2.5": {"low": 16, "medium": 24, "high": 48, "xhigh": 64, "max": 96},
}
"""Source: the token calculator on OpenAI's image generation guide (script of 2026-09-08)."""

PATCH_PX = 32
MAX_REFERENCE_PATCHES = 1536
HIDDEN_EDIT_TEXT_TOKENS = 32
PARTIAL_TOKENS = 100
"""Output tokens of each partial picture of a stream. Source: the image generation guide, streaming."""
TEXT_OVERHEAD_TOKENS = 16
LEAST_TEXT_OVERHEAD_TOKENS = 6
CHARACTERS_PER_TOKEN = 5


def output_tokens(formula: str, quality: str, width: int, height: int) -> int:
    """Count the output tokens of one picture.

    Args:
        formula: ``gpt-image-1``, ``gpt-image-2`` or ``gpt-image-2.5``.
        quality: A quality that the formula knows; never ``auto``.
        width: Pixels.
        height: Pixels.

    Raises:
        KeyError: The formula knows no such quality or, for ``gpt-image-1``, no such size.

    Source: OpenAI's image generation guide, table and calculator, checked 2026-11-22; the calculator's
        results agree with 57 usages measured by its users.

    Example:
        >>> output_tokens("gpt-image-2", "high", 1024, 1024)
        7024
    """
    if formula == "gpt-image-1":
        return GPT_IMAGE_1_OUTPUT_TOKENS[quality][width, height]
    step = OUTPUT_STEPS[formula][quality]
    longer, shorter = max(width, height), min(width, height)
    return -(
        -step * _nearest_even_at_half(step * shorter, longer) * (2_000_000 + width * height) // 4_000_000
    )


def _nearest_even_at_half(numerator: int, denominator: int) -> int:
    whole, rest = divmod(numerator, denominator)
    if 2 * rest == denominator:
        return whole + whole % 2
    return whole + (1 if 2 * rest > denominator else 0)


def reference_tokens_by_patches(width: int, height: int) -> int:
    """Count the input tokens of one reference picture for gpt-image-2 and later, 1-1536.

    The picture is covered by patches of 32 x 32 px; a small one is enlarged first, at most twice, and one
    of more than 1,536 patches is shrunk until it fits.

    Source: OpenAI's vision guide (patch budget); measured on gpt-image-2 edits at 15 sizes by its users.

    Example:
        >>> reference_tokens_by_patches(2048, 2048)
        1521
    """
    if max(width, height) < 1024:
        factor = min(2.0, 1024 / max(width, height))
        width, height = round(width * factor), round(height * factor)
    patches = ceil(width / PATCH_PX) * ceil(height / PATCH_PX)
    if patches <= MAX_REFERENCE_PATCHES:
        return max(1, patches)
    scale = sqrt(PATCH_PX * PATCH_PX * MAX_REFERENCE_PATCHES / (width * height))
    across, down = width * scale / PATCH_PX, height * scale / PATCH_PX
    scale *= min(floor(across) / across, floor(down) / down) if min(across, down) >= 1 else 1.0
    return max(1, ceil(floor(width * scale) / PATCH_PX) * ceil(floor(height * scale) / PATCH_PX))


def reference_tokens_by_tiles(width: int, height: int, *, input_fidelity: str = "low") -> int:
    """Count the input tokens of one reference picture for the gpt-image-1 family.

    The picture is fitted into 2048 x 2048 px, then brought to 512 px on its shorter side; it costs 65 tokens
    and 129 for each tile of 512 x 512 px. High fidelity adds 4,160 tokens for a square and 6,240 otherwise.

    Args:
        width: Pixels.
        height: Pixels.
        input_fidelity: ``high`` or ``low``.

    Source: OpenAI's images and vision guide, "GPT Image 1", checked 2026-11-22.

    Example:
        >>> reference_tokens_by_tiles(1536, 1024)
        323
    """
    fitted = min(1.0, 2048 / max(width, height))
    scale = 512 / min(width * fitted, height * fitted)
    # Rounded to a thousandth of a pixel, so that 512.0000001 does not need another tile.
    tiles = ceil(round(width * fitted * scale, 3) / 512) * ceil(round(height * fitted * scale, 3) / 512)
    extra = (4160 if width == height else 6240) if input_fidelity == "high" else 0
    return 65 + 129 * tiles + extra


def most_text_tokens(prompt: str, *, is_edit: bool) -> int:
    """Return an upper bound of a prompt's text tokens.

    A token covers at least one byte of UTF-8, so the bytes bound the tokens in every script; the overhead
    around a prompt was measured at 6-10 tokens, and an edit has hidden text.

    Source: 32 hidden tokens measured on edits by users of OpenAI's community forum, checked 2026-11-22.

    Example:
        >>> most_text_tokens("an otter", is_edit=False)
        24
    """
    return TEXT_OVERHEAD_TOKENS + len(prompt.encode()) + (HIDDEN_EDIT_TEXT_TOKENS if is_edit else 0)


def least_text_tokens(prompt: str) -> int:
    """Estimate the text tokens of an English prompt, for the low end of an estimate.

    Example:
        >>> least_text_tokens("an otter")
        8
    """
    return LEAST_TEXT_OVERHEAD_TOKENS + -(-len(prompt) // CHARACTERS_PER_TOKEN)
