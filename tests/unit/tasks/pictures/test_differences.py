"""How a picture differs from its order: its form only, or more than that."""

import pytest

from tasks.pictures.differences import (
    Form,
    describe_shortage,
    differences_of_form,
    join_differences,
    split_by_form,
)
from tasks.pictures.transparency import NO_TRANSPARENCY

ASKED = {"size": "1024x1024", "output_format": "png"}
TIER = "272 output tokens where this quality uses 1056"


@pytest.mark.parametrize("found", [Form("jpeg", 1024, 1024), Form("png", 512, 512), Form("webp", 512, 1024)])
@pytest.mark.parametrize("others", [(), (TIER,), (NO_TRANSPARENCY,), ("it is damaged; very",)])
@pytest.mark.parametrize("n_received", [2, 4])
def test_the_form_is_told_from_the_rest(found: Form, others: tuple[str, ...], n_received: int) -> None:
    """Fewer pictures than ordered say nothing against those that came."""
    form = differences_of_form(ASKED, found)
    downgraded = join_differences([describe_shortage(n_received, 4), *form, *others])
    assert split_by_form(downgraded, ASKED, found) == ("; ".join(form), bool(others))


def test_a_picture_as_ordered_has_no_differences() -> None:
    """Of any size where the provider chooses it."""
    assert differences_of_form(ASKED, Form("png", 1024, 1024)) == []
    assert differences_of_form({"size": "auto"}, Form("png", 7, 9)) == []
    assert join_differences([None, describe_shortage(4, 4)]) is None
    assert split_by_form(None, ASKED, Form("png", 1024, 1024)) == ("", False)


def test_what_was_not_inspected_is_not_taken_for_a_form() -> None:
    """Then nothing is known of it but the words of then."""
    assert split_by_form("jpeg instead of png", ASKED, Form(None, None, None)) == ("", True)
