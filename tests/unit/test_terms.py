"""A provider's terms: its rate, and what an order should hold."""

from typing import Any

import pytest

from tasks.catalogue import load_catalogue
from tasks.errors import SettingError
from tasks.images_api.room import LARGEST_PX, largest_bytes
from tasks.images_api.terms import RATE_VARIABLE, Terms
from tasks.providers import Provider
from tests.builders import an_order


def terms(**environ: str) -> Terms:
    """Make the terms of a provider of twelve pictures a minute."""
    provider = Provider(name="shop", base_url="http://shop.test/v1", images_per_minute=12)
    return Terms(provider, load_catalogue(), environ)


@pytest.mark.parametrize(("said", "rate"), [("", 12), ("250", 250), ("0.5", 0.5)])
def test_the_variable_comes_before_the_file(said: str, rate: float) -> None:
    """Whoever knows the account's limit need not edit a file."""
    assert terms(**{RATE_VARIABLE: said}).images_per_minute == rate


@pytest.mark.parametrize("said", ["many", "0", "-5", "nan"])
def test_a_rate_that_is_none_is_told(said: str) -> None:
    """With the variable's name and what it takes."""
    with pytest.raises(SettingError, match=rf"{RATE_VARIABLE}: is '{said}'.*a number above 0"):
        _ = terms(**{RATE_VARIABLE: said}).images_per_minute


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
