"""The conditions that a campaign makes of a picture (``must``), and whether a draft or a final meets them.

A condition that was not answered is neither met nor broken. The rule does not choose such a draft, because a
condition is made so that nothing else is bought at high quality. A final is refused only for a condition that
is broken: it is paid for, and no answer says nothing about it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tasks.campaign import Campaign
from tasks.campaign.expected_text import expected_texts
from tasks.campaign.finals import Finals, Kept
from tasks.campaign.statements import AskedStatement, statements_of
from tasks.candidate import Candidate
from tasks.judging.forms import is_yes
from tasks.judging.rubric import measurement_of


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a draft or a final.

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


def kept_conditions(
    campaign: Campaign, draft: Candidate, final: Candidate, edition: Finals
) -> list[Condition]:
    """List what is true of a draft and must be of its final, and whether it is; empty if nothing must.

    Args:
        campaign: The campaign.
        draft: A draft.
        final: A final of it, with what the judge answered and what was read, as far as that is known.
        edition: Says what is kept.
    """
    found = kept_statements(campaign, draft, edition.keep_statements, final)
    if edition.keep_text and spells_its_text(campaign, draft):
        found += _spelling(campaign, final)
    return found


def kept_statements(
    campaign: Campaign, draft: Candidate, kept: Kept, final: Candidate | None = None
) -> list[Condition]:
    """List the judge's statements that are true of a draft and must be true of its final.

    Args:
        campaign: The campaign.
        draft: A draft.
        kept: Which statements.
        final: Its final; without it, what is asked of one that does not exist yet.
    """
    if kept == "none":
        return []
    after = dict(_answers(campaign, final)) if final is not None else {}
    return [
        Condition(one.text, after.get(one))
        for one, is_true in _answers(campaign, draft)
        if is_true and (one.must or kept == "all")
    ]


def spells_its_text(campaign: Campaign, picture: Candidate) -> bool | None:
    """Whether a picture spells what its row expects; ``None`` if nothing is expected, or it was not read."""
    return are_met(_spelling(campaign, picture))


def _spelling(campaign: Campaign, picture: Candidate) -> list[Condition]:
    expected = expected_texts(campaign.score.expected_templates, campaign.all_rows[picture.row])
    if not expected:
        return []
    read = picture.scores.get("legibility")
    rate = read.measurements.get("character_error_rate") if read is not None else None
    shown = "”, “".join(expected)
    return [Condition(f"the text reads “{shown}”", None if rate is None else rate == 0)]


def failed_templates(campaign: Campaign, draft: Candidate) -> list[str]:
    """List the judge's statements that are not true of a draft, as they are written in the campaign."""
    return [one.template for one, is_true in _answers(campaign, draft) if is_true is False]


def _answers(campaign: Campaign, picture: Candidate) -> Iterator[tuple[AskedStatement, bool | None]]:
    """Yield what the judge was asked about a picture, and its answer; ``None`` where it gave none."""
    judged = picture.scores.get("judge")
    answers = judged.measurements if judged is not None else {}
    for number, one in enumerate(statements_of(campaign, picture.row, picture.arm), 1):
        answer = answers.get(measurement_of(number))
        yield one, None if answer is None else is_yes(answer)


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


def describe_lost(kept: Sequence[Condition]) -> str | None:
    """Say which condition a final does not keep of its draft; ``None`` unless one is broken."""
    lost = [one.text for one in kept if one.is_met is False]
    others = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
    return f"“{lost[0]}” is true of the draft and not of the final{others}" if lost else None


def describe_unknown(kept: Sequence[Condition]) -> str | None:
    """Say of which condition it is not known whether a final keeps it; ``None`` if all are answered."""
    unknown = [one.text for one in kept if one.is_met is None]
    others = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
    return f"unjudged: not known whether “{unknown[0]}” is still true{others}" if unknown else None


def find_unjudged(candidates: Iterable[Candidate], kept: Mapping[str, Sequence[Condition]]) -> list[str]:
    """Name the accepted finals of which it is not known whether they keep what they must.

    Args:
        candidates: A run's candidates.
        kept: What finals must keep, by candidate id.
    """
    return [
        one.name for one in candidates if one.is_accepted and describe_unknown(kept.get(one.candidate_id, ()))
    ]


def unjudged_warnings(candidates: Iterable[Candidate], kept: Mapping[str, Sequence[Condition]]) -> list[str]:
    """Warn of those finals, see ``find_unjudged``."""
    names = find_unjudged(candidates, kept)
    if not names:
        return []
    return [
        f"finals: accepted unjudged, because there is no answer about what they must keep of their drafts:"
        f" {', '.join(names)}."
    ]
