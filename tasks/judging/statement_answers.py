"""What a judge answered to each statement about each picture: one entry for a picture and a statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.campaign import Campaign
from tasks.campaign.statements import statements_of
from tasks.candidate import Candidate
from tasks.judging.forms import GRADED_BY
from tasks.judging.people_answers import Asked
from tasks.judging.replies import Reply
from tasks.judging.reply_reading import read_reply
from tasks.judging.rubric import RubricAnswer


@dataclass(frozen=True, slots=True)
class StatementAnswer:
    """The answer to one statement about one picture.

    Args:
        candidate_id: The picture.
        arm: Its arm.
        row: Its row's index.
        number: The statement's number among those asked about the picture, from 1.
        statement: The statement as it was asked.
        template: As it was written, the same for every row.
        must: Whether it is a condition.
        is_true: The answer; ``None`` if the judge was asked and gave no answer that can be read.
        reason: The judge's reason, or why there is no answer; empty if neither is known.
        chance: The probability of yes, in [0, 1], where answers are graded; else ``None``.
        graded_by: What it was read from; ``None`` where answers are yes or no.
        is_own: Whether it is the judge's own answer, and does not follow from the statement that this one
            depends on.
    """

    candidate_id: str
    arm: str
    row: int
    number: int
    statement: str
    template: str
    must: bool
    is_true: bool | None
    reason: str
    chance: float | None = None
    graded_by: str | None = None
    is_own: bool = True

    @property
    def about(self) -> Asked:
        """The picture and the statement."""
        return self.candidate_id, self.statement


def statement_answers(
    campaign: Campaign, drafts: Sequence[Candidate], replies: Mapping[str, Reply]
) -> list[StatementAnswer]:
    """List the answers about the drafts that the judge was asked about.

    Args:
        campaign: The campaign, whose statements were asked.
        drafts: The run's drafts.
        replies: The judge's reply by candidate id.
    """
    return [
        answer
        for draft in drafts
        if draft.candidate_id in replies
        for answer in _answers(campaign, draft, replies[draft.candidate_id])
    ]


def _answers(campaign: Campaign, draft: Candidate, reply: Reply) -> list[StatementAnswer]:
    asked = statements_of(campaign, draft.row, draft.arm)
    none = RubricAnswer((None,) * len(asked), (reply.fault,) * len(asked), None, "")
    read = read_reply(reply, asked) or none
    graded_by = GRADED_BY[reply.form]
    return [
        StatementAnswer(
            candidate_id=draft.candidate_id,
            arm=draft.arm,
            row=draft.row,
            number=number,
            statement=one.text,
            template=one.template,
            must=one.must,
            is_true=is_true,
            reason=reason,
            chance=chance if graded_by else None,
            graded_by=graded_by,
            is_own=one.parent is None or read.verdicts[one.parent] is not False,
        )
        for number, (one, is_true, reason, chance) in enumerate(
            zip(asked, read.verdicts, read.reasons, read.chances, strict=True), 1
        )
    ]
