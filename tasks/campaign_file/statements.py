"""The checks of the statements that a judge is asked: that every row has some, and all can be filled."""

from collections.abc import Iterator

from tasks.campaign import Campaign
from tasks.campaign.briefs import asks_from_brief, brief_of, brief_template
from tasks.campaign.choice import Statement
from tasks.campaign.prompts import PromptFaultError, PromptTemplate
from tasks.campaign.statements import ARM_NAMES, VARIABLE, statements_of
from tasks.campaign_file.fault import CampaignFault
from tasks.limits import STATEMENTS
from tasks.marked_yaml import KeyPath


def statement_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    """Find the faults of the statements of ``score.judge`` and ``score.duel``.

    Args:
        campaign: A well-formed campaign whose rows are known.
    """
    judge, duel = campaign.score.judge, campaign.score.duel
    faults: list[CampaignFault] = []
    for index, one in enumerate(judge.statements if judge else ()):
        faults += _template_faults(campaign, one, ("score", "judge", "rubric", str(index)))
    for index, text in enumerate(duel.rubric if duel else ()):
        faults += _template_faults(
            campaign, Statement(statement=text), ("score", "duel", "rubric", str(index))
        )
    if judge is not None and judge.questions:
        faults += _brief_faults(campaign)
    yield from faults
    if judge is not None and not faults:
        yield from _row_faults(campaign)
        yield from _must_faults(campaign)


def _template_faults(campaign: Campaign, one: Statement, path: KeyPath) -> Iterator[CampaignFault]:
    try:
        names = PromptTemplate(one.statement).names
    except PromptFaultError as error:
        yield CampaignFault(path, str(error), "a sentence, or a Jinja2 template of one")
        return
    missing = names - campaign.variable_names
    if of_arm := sorted(missing & ARM_NAMES):
        if not one.per_arm:
            what = f"names {', '.join(of_arm)}, so that arms would be asked different things"
            yield CampaignFault(path, what, "variables of the rows; or the statement with per_arm: true")
        missing -= ARM_NAMES
    if missing:
        known = ", ".join(sorted(campaign.variable_names)) or "none: the campaign has no variables"
        yield CampaignFault(path, f"names {', '.join(sorted(missing))}, which no row defines", known)


def _brief_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    """Find why a model cannot write the rows' statements."""
    path = ("score", "judge", "brief")
    if "judge" not in campaign.score.weights:
        what = "does not have the judge, and statements from briefs are for its answers"
        yield CampaignFault(("score", "weights"), what, "judge: 1, or judge: 0 to ask without counting it")
    template = brief_template(campaign)
    if not template:
        what = "is missing, and the arms' prompts have too little in common to be one"
        yield CampaignFault(path, what, "what every picture shall show, such as: a {{ product }} on a table")
        return
    try:
        missing = PromptTemplate(template).names - campaign.variable_names
        if missing:
            known = ", ".join(sorted(campaign.variable_names)) or "none: the campaign has no variables"
            yield CampaignFault(path, f"names {', '.join(sorted(missing))}, which no row defines", known)
            return
        for row in range(len(campaign.all_rows)):
            if not brief_of(campaign, row):
                yield CampaignFault(path, f"is empty for row {row + 1}", "a text for every row")
                return
    except PromptFaultError as error:
        if campaign.score.judge and campaign.score.judge.brief:
            yield CampaignFault(path, str(error), "a sentence, or a Jinja2 template of one")


def _row_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    """Find the first row without statements, with too many, or for which one cannot be filled."""
    path = ("score", "judge", "rubric")
    for row in range(len(campaign.all_rows)):
        try:
            count = max(len(statements_of(campaign, row, arm)) for arm in campaign.arms)
        except PromptFaultError as error:
            if _are_prompts_sound(campaign, row):
                yield CampaignFault(path, f"row {row + 1}: a statement {error}", "a text for every row")
            return
        if not count and not asks_from_brief(campaign):
            accepted = f"at least one sentence, or a variable {VARIABLE} in the rows"
            yield CampaignFault(path, f"row {row + 1} has no statement", accepted)
            return
        if count > STATEMENTS:
            yield CampaignFault(path, f"row {row + 1} has {count} statements", f"at most {STATEMENTS}")
            return


def _are_prompts_sound(campaign: Campaign, row: int) -> bool:
    """Whether the arms' prompts can be filled; where one cannot, that is said of the prompt."""
    try:
        for arm in campaign.arms.values():
            PromptTemplate(arm.prompt).render(campaign.all_rows[row])
    except PromptFaultError:
        return False
    return True


def _must_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    judge = campaign.score.judge
    if judge and any(one.must for one in judge.statements) and "judge" not in campaign.score.weights:
        what = "does not have the judge, and a statement with must needs its answers"
        yield CampaignFault(("score", "weights"), what, "judge: 1, or judge: 0 to ask without counting it")
