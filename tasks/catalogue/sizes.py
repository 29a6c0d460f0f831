"""Picture sizes: parsing, and the rule for models that make any size within limits."""

from functools import cache
from typing import NamedTuple

from tasks.catalogue.facts import Facts


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


def parse_size(text: object) -> Size | None:
    """Parse ``WIDTHxHEIGHT``; ``None`` when the text has another form.

    Example:
        >>> parse_size("1536x1024")
        Size(width=1536, height=1024)
    """
    width, cross, height = str(text).partition("x")
    if not (cross and width.isascii() and height.isascii() and width.isdigit() and height.isdigit()):
        return None
    size = Size(int(width), int(height))
    return size if str(size) == str(text) and min(size) > 0 else None


class SizeRule(Facts):
    """Any width and height within limits.

    Source: OpenAI's image generation guide, sizes of gpt-image-2 and later, checked 2026-11-22.
    """

    multiple_px: int
    max_edge_px: int
    max_ratio: int
    min_pixels: int
    max_pixels: int

    def allows(self, size: Size) -> bool:
        """Return whether a size can be made."""
        width, height = size
        return (
            width % self.multiple_px == 0
            and height % self.multiple_px == 0
            and max(size) <= self.max_edge_px
            and max(size) <= self.max_ratio * min(size)
            and self.min_pixels <= width * height <= self.max_pixels
        )

    def nearest(self, size: Size) -> Size:
        """Find the allowed size closest in width and height; the larger of equally close ones."""
        return _nearest(self, size)

    def __str__(self) -> str:
        return (
            f"WIDTHxHEIGHT in multiples of {self.multiple_px}, no edge over {self.max_edge_px}, "
            f"{self.max_ratio}:1 at most, {self.min_pixels:,} to {self.max_pixels:,} pixels"
        )


@cache
def _nearest(rule: SizeRule, size: Size) -> Size:
    edges = range(rule.multiple_px, rule.max_edge_px + 1, rule.multiple_px)
    allowed = (Size(width, height) for width in edges for height in edges if rule.allows(Size(width, height)))
    return min(
        allowed,
        key=lambda other: (
            (other.width - size.width) ** 2 + (other.height - size.height) ** 2,
            -other.width * other.height,
        ),
    )
