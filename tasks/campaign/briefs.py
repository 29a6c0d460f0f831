"""Briefs: what a picture of a row shall show, from which a model writes the statements that a judge answers.

A campaign names its brief, or it is what all arms' prompts have in common, so that no arm is favoured by what
is asked. Rows with the same brief have the same statements; a brief is asked about once and then kept.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache, reduce

from tasks.campaign.campaign import Campaign
from tasks.campaign.choice import Statement
from tasks.campaign.prompts import EmptyPromptError, PromptTemplate

_TOKEN = re.compile(r"\{\{.*?\}\}\S*|\S+")
SHORTEST_VALUE = 2
"""A value of one letter is no word to look for, characters."""
FEWEST_WORDS = 2
"""A shorter common part is no brief, unless it names a variable."""


def asks_from_brief(campaign: Campaign) -> bool:
    """Whether a model writes the campaign's statements."""
    judge = campaign.score.judge
    return judge is not None and judge.questions == "from_brief" and "judge" in campaign.score.weights


def brief_template(campaign: Campaign) -> str:
    """Return the template of a campaign's briefs; empty if none is named and the arms have none in common."""
    judge = campaign.score.judge
    if judge is not None and judge.brief is not None:
        return judge.brief
    return _shared_part(tuple(arm.prompt for arm in campaign.arms.values()))


@lru_cache(maxsize=64)
def _shared_part(prompts: Sequence[str]) -> str:
    if any("{%" in prompt for prompt in prompts):
        return ""  # a common part could begin or end within a block
    words: list[Sequence[str]] = [_TOKEN.findall(prompt) for prompt in prompts]
    shared = reduce(_common_part, words)
    text = " ".join(shared).strip(" ,;:.–-")
    return text if "{{" in text or len(shared) >= FEWEST_WORDS else ""


def _common_part(first: Sequence[str], second: Sequence[str]) -> Sequence[str]:
    """Return the longest run of words that two prompts share, whatever punctuation ends it."""
    best: Sequence[str] = ()
    for start in range(len(first)):
        for other in range(len(second)):
            length = 0
            while (
                start + length < len(first)
                and other + length < len(second)
                and first[start + length].rstrip(",.;:") == second[other + length].rstrip(",.;:")
            ):
                length += 1
            if length > len(best):
                best = first[start : start + length]
    return best


def brief_of(campaign: Campaign, row: int) -> str:
    """Fill a row's brief; empty where the row leaves nothing of it.

    Raises:
        PromptFaultError: It cannot be filled; such a campaign is refused before anything is bought.
    """
    try:
        text = _compiled(brief_template(campaign)).render(campaign.all_rows[row])
    except EmptyPromptError:
        return ""
    return " ".join(text.split())


@lru_cache(maxsize=64)
def _compiled(text: str) -> PromptTemplate:
    return PromptTemplate(text)


def briefs_of(campaign: Campaign) -> dict[str, int]:
    """Map each brief to the first row that has it; empty if no model writes the campaign's statements."""
    if not asks_from_brief(campaign):
        return {}
    found: dict[str, int] = {}
    for row in range(len(campaign.all_rows)):
        if brief := brief_of(campaign, row):
            found.setdefault(brief, row)
    return found


def missing_briefs(campaign: Campaign) -> dict[str, int]:
    """Map each brief without statements to the first row that has it."""
    judge = campaign.score.judge
    known = judge.statements_by_brief if judge else {}
    return {brief: row for brief, row in briefs_of(campaign).items() if brief not in known}


def with_statements(campaign: Campaign, found: Mapping[str, Sequence[Statement]]) -> Campaign:
    """Return a campaign with more statements, and without those of briefs that it does not have.

    Args:
        campaign: A campaign with ``score.judge``.
        found: Brief to its statements.
    """
    judge, briefs = campaign.score.judge, briefs_of(campaign)
    assert judge is not None
    known = {**judge.statements_by_brief, **{brief: tuple(some) for brief, some in found.items()}}
    kept = {brief: some for brief, some in known.items() if brief in briefs}
    score = campaign.score.model_copy(
        update={"judge": judge.model_copy(update={"statements_by_brief": kept})}
    )
    return campaign.model_copy(update={"score": score})


def unfilled(text: str, values: Mapping[str, object]) -> str:
    """Put a row's variables back in place of their values, so that statements of several rows are one.

    Args:
        text: A statement about a row.
        values: The row's variables.

    Example:
        >>> unfilled("There are two foxes", {"animal": "fox"})
        'There are two {{ animal }}es'
    """
    written = {name: str(value).strip() for name, value in values.items()}
    for name, value in sorted(written.items(), key=lambda pair: -len(pair[1])):
        if len(value) >= SHORTEST_VALUE:
            pattern = rf"(?<![\w{{]){re.escape(value)}(?P<end>(?:e?s)?)(?![\w}}])"
            text = re.sub(pattern, rf"{{{{ {name} }}}}\g<end>", text, flags=re.IGNORECASE)
    return text
