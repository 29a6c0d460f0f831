"""A provider's terms: what an order should hold."""

from typing import Any

import pytest

from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import Provider
from tasks.images_api.disk_space import LARGEST_PX, largest_bytes
from tasks.images_api.terms import Terms
from tests.support.builders import an_order


def terms() -> Terms:
    """Make the terms of a provider."""
    return Terms(Provider(name="shop", base_url="http://shop.test/v1"), load_catalogue(), {})


@pytest.mark.parametrize(
    "parameters",
    [{"model": "gpt-image-2.5-flare", "size": "auto", "quality": "low"}, {"model": "gpt-image-2.5-flare"}],
)
def test_what_was_left_to_the_provider_is_expected_of_nobody(parameters: dict[str, Any]) -> None:
    """Without a size or a quality no number of tokens is right or wrong."""
    assert terms().expected_tokens(an_order(parameters=parameters)) is None


def test_room_is_taken_for_the_largest_picture_that_may_come() -> None:
    """Four bytes a pixel; where the size is the provider's choice, its largest."""
    sized = an_order(parameters={"model": "gpt-image-2", "n": 2, "size": "1024x640"})
    assert largest_bytes(sized) == 2 * 1024 * 640 * 4
    assert largest_bytes(an_order(parameters={"model": "gpt-image-2"})) == LARGEST_PX * 4
