"""What people can be asked to say in a campaign file: labels and names, each once, each readable."""

import pytest
from pydantic import ValidationError

from tasks.campaign.review import MOST_LABELS, Review


def test_labels_and_people_are_kept_in_order_without_spaces_around() -> None:
    """Without any, a campaign has stars and asks nobody in particular."""
    review = Review.model_validate({"labels": [" hands ", "off-brand"], "people": ["mara", "jo"]})
    assert (review.labels, review.people) == (("hands", "off-brand"), ("mara", "jo"))
    assert (Review().labels, Review().people) == ((), ())


@pytest.mark.parametrize(
    "labels", [["a", "a"], ["a", " a"], [""], ["x" * 41], ["a\x07b"], list("abcdefghij"), "hands", [1]]
)
def test_what_no_key_or_page_can_hold_is_refused(labels: object) -> None:
    """Twice the same, empty, too long, unprintable, more than there are digits, or no list of text."""
    assert MOST_LABELS == 9
    with pytest.raises(ValidationError):
        Review.model_validate({"labels": labels})
