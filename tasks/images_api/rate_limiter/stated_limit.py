"""The limit that a provider states with its answers: images per minute, in a header.

Only the header for images counts. The one for requests is often that of another endpoint or of the whole
organization, and its gateways' own; the limit is found without it. Source: the vendor's API description, as
https://github.com/openai/openai-java/pull/1039 has it (2026-11-30). Many answers have no such header.
"""

from collections.abc import Mapping

HEADER = "x-ratelimit-limit-images"
MOST_PER_MINUTE = 100_000
"""A larger number is no limit of images."""


def stated_limit(headers: Mapping[str, str]) -> int | None:
    """Return the images per minute that an answer states; ``None`` where it states none that can be meant."""
    text = headers.get(HEADER, "").strip()
    if not text.isascii() or not text.isdecimal() or len(text) > len(str(MOST_PER_MINUTE)):
        return None
    return int(text) if 1 <= int(text) <= MOST_PER_MINUTE else None
