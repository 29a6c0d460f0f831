"""The texts that a row's pictures should show: the campaign's templates, or the row's own."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from tasks.campaign.prompts import EmptyPromptError, PromptTemplate

VARIABLE = "expect_text"
"""The variable of a row's own text."""


def expected_texts(templates: Sequence[str], row: Mapping[str, object]) -> tuple[str, ...]:
    """Return the texts that a row's pictures should show; empty if none is expected.

    Args:
        templates: The campaign's ``score.expect_text``; without any, the row's own ``expect_text`` is taken.
        row: The row's variables.

    Raises:
        PromptFaultError: A template is not valid, or uses a variable that the row does not have.
    """
    wanted: Sequence[str | None] = templates or (None,)
    found = [expected_text(template, row) for template in wanted]
    return tuple(text for text in found if text)


def expected_text(template: str | None, row: Mapping[str, object]) -> str | None:
    """Return the text that a row's pictures should show.

    Args:
        template: The campaign's ``score.expect_text``; it may be empty for a row without text.
        row: The row's variables; without a template, its own ``expect_text`` is taken.

    Returns:
        The text, or ``None`` if none is expected.

    Raises:
        PromptFaultError: The template is not valid, or uses a variable that the row does not have.
    """
    if template is None:
        return str(row[VARIABLE]) or None if VARIABLE in row else None
    try:
        return _compiled(template).render(row)
    except EmptyPromptError:
        return None


@lru_cache(maxsize=16)
def _compiled(template: str) -> PromptTemplate:
    return PromptTemplate(template)
