"""The conditions that a campaign makes of a picture (``must``), and whether a draft meets them.

A condition that was not answered is neither met nor broken; the rule does not choose such a picture, because
a condition is made so that nothing else is bought at high quality.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tasks.campaign import Campaign
from tasks.campaign.expected_text import expected_texts
from tasks.campaign.statements import AskedStatement, statements_of
from tasks.candidate import Candidate
from tasks.judging.rubric import measurement_of


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a draft.

    Args:
        text: The statement.
        is_met: Whether it is true of the picture; ``None`` if that is not known.
    """

    text: str
    is_met: bool | None


def conditions_of(campaign: Campaign, draft: Candidate) -> list[Condition]:
    """List the conditions of a draft: the judge's statements with ``must``, then the spelling of its text."""
    found = [Condition(one.text, is_true) for one, is_true in _answers(campaign, draft) if one.must]
    if campaign.score.expect_text_must:
        found += _spelling(campaign, draft)
    return found


def _spelling(campaign: Campaign, draft: Candidate) -> list[Condition]:
    expected = expected_texts(campaign.score.expected_templates, campaign.all_rows[draft.row])
    if not expected:
        return []
    read = draft.scores.get("legibility")
    rate = read.measurements.get("character_error_rate") if read is not None else None
    shown = "”, “".join(expected)
    return [Condition(f"the text reads “{shown}”", None if rate is None else rate == 0)]


def failed_templates(campaign: Campaign, draft: Candidate) -> list[str]:
    """List the judge's statements that are not true of a draft, as they are written in the campaign."""
    return [one.template for one, is_true in _answers(campaign, draft) if is_true is False]


def _answers(campaign: Campaign, draft: Candidate) -> Iterator[tuple[AskedStatement, bool | None]]:
    """Yield what the judge was asked about a draft, and its answer; ``None`` where it gave none."""
    judged = draft.scores.get("judge")
    answers = judged.measurements if judged is not None else {}
    for number, one in enumerate(statements_of(campaign, draft.row, draft.arm), 1):
        answer = answers.get(measurement_of(number))
        yield one, None if answer is None else answer >= 0.5


def are_met(conditions: Sequence[Condition]) -> bool | None:
    """Return whether all conditions are met; ``None`` if there are none, or if that is not known."""
    if not conditions:
        return None
    answers = {one.is_met for one in conditions}
    return False if False in answers else None if None in answers else True


def describe_unmet(conditions: Sequence[Condition]) -> str | None:
    """Say which condition a picture breaks, or which was not answered; ``None`` if all are met."""
    broken = [one.text for one in conditions if one.is_met is False]
    if broken:
        others = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        return f"it must be true that “{broken[0]}”, and it is not{others}"
    unknown = next((one.text for one in conditions if one.is_met is None), None)
    return f"it must be true that “{unknown}”, and that is not known" if unknown else None
