"""The campaign file's ``review``: what people can say about a picture on the review page."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from tasks.campaign.section import Section

MOST_LABELS = 9
"""As many as there are digits to press."""
MOST_PEOPLE = 100


def _printable(text: str) -> str:
    if not text.isprintable():
        message = "text without control characters"
        raise ValueError(message)
    return text


def _different(texts: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(texts)) != len(texts):
        message = "a list in which nothing comes twice"
        raise ValueError(message)
    return texts


Person = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60), AfterValidator(_printable)
]
Label = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40), AfterValidator(_printable)
]


class Review(Section):
    """What people can say about a picture on the review page."""

    labels: Annotated[tuple[Label, ...], Field(max_length=MOST_LABELS), AfterValidator(_different)] = ()
    """Labels such as `[hands, text, off-brand]`, set by the digits 1 to 9; without any, these give stars."""

    people: Annotated[tuple[Person, ...], Field(max_length=MOST_PEOPLE), AfterValidator(_different)] = ()
    """Who is asked to vote, such as `[mara, jo]`: what each has left is shown; others may vote too."""
