"""The statements that a judge answers about a picture: templates filled with its row, and the row's own.

All arms of a row answer the same statements, so that none is favoured by what it is asked; a statement that
names the arm or its prompt must say so (``per_arm``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from tasks.campaign.briefs import brief_of, unfilled
from tasks.campaign.campaign import Campaign
from tasks.campaign.choice import Statement
from tasks.campaign.prompts import EmptyPromptError, PromptTemplate

VARIABLE = "rubric"
"""The variable of a row's own statements, one a line."""
ARM_NAMES = frozenset({"arm", "prompt"})
"""What only a statement with ``per_arm`` may name."""


@dataclass(frozen=True, slots=True)
class AskedStatement:
    """One statement as it is asked about the pictures of a row.

    Args:
        text: The sentence.
        template: What it was written as: the same for every row, so that its answers are summed up.
        must: Whether a picture of which it is not true is never chosen by the rule.
        parent: The place, from 0, of the statement without which it cannot be true; ``None`` for none.
    """

    text: str
    template: str
    must: bool = False
    parent: int | None = None


def statements_of(campaign: Campaign, row: int, arm: str) -> tuple[AskedStatement, ...]:
    """List the statements that the judge answers about the pictures of a row.

    Args:
        campaign: A campaign with ``score.judge``; without it there are none.
        row: The row's index.
        arm: The arm; it matters only to statements with ``per_arm``.

    Returns:
        The campaign's statements in their order, without those that are empty for the row; those that a
        model wrote from the row's brief; and the row's own. None for a row that the campaign does not have
        any more.

    Raises:
        PromptFaultError: A statement cannot be filled; such a campaign is refused before anything is bought.
    """
    judge = campaign.score.judge
    if judge is None or row >= len(campaign.all_rows):
        return ()
    values = campaign.all_rows[row]
    found: list[AskedStatement] = []
    places: dict[str, int] = {}
    for one in judge.statements:
        text = fill_statement(one, _with_arm(campaign, arm, values) if one.per_arm else values)
        if text:
            parent = places.get(one.depends_on) if one.depends_on else None
            places.setdefault(one.statement, len(found))
            found.append(AskedStatement(text, one.statement, one.must, parent))
    found += _from_brief(campaign, row, len(found))
    own = (
        (written, fill_statement(Statement(statement=written), values)) for written in own_statements(values)
    )
    return (*found, *(AskedStatement(text, line) for line, text in own if text))


def _from_brief(campaign: Campaign, row: int, n_before: int) -> list[AskedStatement]:
    """List the statements that a model wrote for a row; none as long as there are none."""
    judge = campaign.score.judge
    if judge is None or not judge.statements_by_brief:
        return []
    values = campaign.all_rows[row]
    places: dict[str, int] = {}
    found: list[AskedStatement] = []
    for one in judge.statements_by_brief.get(brief_of(campaign, row), ()):
        parent = places.get(one.depends_on) if one.depends_on else None
        places.setdefault(one.statement, n_before + len(found))
        found.append(AskedStatement(one.statement, unfilled(one.statement, values), one.must, parent))
    return found


def _with_arm(campaign: Campaign, arm: str, values: Mapping[str, object]) -> dict[str, object]:
    return {**values, "arm": arm, "prompt": _compiled(campaign.arms[arm].prompt).render(values)}


def duel_statements(campaign: Campaign, row: int) -> tuple[str, ...]:
    """List the statements by which two pictures of a row are compared; empty to compare them as a whole.

    Raises:
        PromptFaultError: A statement cannot be filled; such a campaign is refused before anything is bought.
    """
    duel = campaign.score.duel
    texts = (
        (fill_statement(Statement(statement=text), campaign.all_rows[row]) for text in duel.rubric)
        if duel
        else ()
    )
    return tuple(text for text in texts if text)


def fill_statement(statement: Statement, values: Mapping[str, object]) -> str:
    """Fill a statement's template; empty where the row leaves nothing of it.

    Raises:
        PromptFaultError: It is not a valid template, or cannot be filled.
    """
    try:
        return " ".join(_compiled(statement.statement).render(values).split())
    except EmptyPromptError:
        return ""


def own_statements(values: Mapping[str, object]) -> tuple[str, ...]:
    """List a row's own statements as they are written: the lines of its variable ``rubric``."""
    lines = str(values.get(VARIABLE, "")).splitlines()
    return tuple(text for line in lines if (text := " ".join(line.split())))


@lru_cache(maxsize=256)
def _compiled(text: str) -> PromptTemplate:
    return PromptTemplate(text)
