"""The campaign file's ``review``: what people can say about a picture on the review page."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from tasks.campaign.section import Section

MOST_LABELS = 9
"""As many as there are digits to press."""


def _printable(label: str) -> str:
    if not label.isprintable():
        message = "a label must not contain control characters"
        raise ValueError(message)
    return label


def _different(labels: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(labels)) != len(labels):
        message = "every label must be another one"
        raise ValueError(message)
    return labels


Label = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40), AfterValidator(_printable)
]


class Review(Section):
    """What people can say about a picture on the review page."""

    labels: Annotated[tuple[Label, ...], Field(max_length=MOST_LABELS), AfterValidator(_different)] = ()
    """Labels such as `[hands, text, off-brand]`, set by the digits 1 to 9; without any, these give stars."""
