"""The checks of a campaign's prompts: whether the rows are complete and the templates fit them."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress

from tasks.campaign import Campaign, Row
from tasks.campaign.finals import Finals
from tasks.campaign.prompts import PromptFaultError, PromptTemplate, finals_template
from tasks.campaign_file.fault import CampaignFault, other_rows
from tasks.limits import ALL_PROMPTS_CHARACTERS, ALL_TEMPLATES_WORK
from tasks.marked_yaml import KeyPath
from tasks.text import did_you_mean, is_blank

WORK_PER_ROW = 20_000
"""What filling a prompt for one row may always take, in the units of ``limits.TEMPLATE_WORK``."""


def find_prompt_faults(campaign: Campaign) -> list[CampaignFault]:
    """Find the faults of the rows; without any, those of the templates that they fill."""
    return list(_row_faults(campaign)) or list(_prompt_faults(campaign))


def _row_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    if campaign.variables is not None and campaign.rows is not None:
        yield CampaignFault(("rows",), "cannot be combined with variables", "one of rows and variables")
    if campaign.rows is not None and not campaign.rows:
        yield CampaignFault(("rows",), "has no rows", "at least one mapping, or leave the key out")
    if "prompt" in campaign.variable_names:
        key = "rows" if campaign.rows is not None else "variables"
        yield CampaignFault((key,), "prompt is reserved for the draft's own text", "another name")
    if isinstance(campaign.rows, tuple):
        yield from _ragged_faults(campaign.rows)


def _ragged_faults(rows: tuple[Row, ...]) -> Iterator[CampaignFault]:
    """Check that every row has the same variables: a missing one would leave a gap in a prompt."""
    for index, row in enumerate(rows):
        if missing := [name for name in rows[0] if name not in row]:
            what, accepted = f"does not have {', '.join(missing)}", "the variables of the first row"
            yield CampaignFault(("rows", str(index)), what, accepted)
        elif added := [name for name in row if name not in rows[0]]:
            what = f"has {', '.join(added)}, which the first row does not have"
            yield CampaignFault(("rows", str(index)), what, "the variables of the first row")


def find_empty_values(campaign: Campaign, places: Sequence[str]) -> Iterator[CampaignFault]:
    """Find the empty values of rows from a file that a prompt uses: a gap in a prompt is paid for too.

    A prompt that tests a variable (``{% if light %}``) is written for rows without it.

    Args:
        campaign: A campaign whose rows were read from a file.
        places: Where each row was read.
    """
    users = {f"the prompt of arm {name}": arm.prompt for name, arm in campaign.arms.items()}
    users |= _finals_prompts(campaign) | _statements(campaign)
    needed: dict[str, str] = {}
    for user, text in users.items():
        with suppress(PromptFaultError):  # reported by its own check
            template = PromptTemplate(text)
            needed = dict.fromkeys(template.names - template.names_tested, user) | needed
    for name, user in sorted(needed.items()):
        rows = enumerate(campaign.all_rows)
        empty = [index for index, row in rows if isinstance(value := row.get(name), str) and is_blank(value)]
        if empty:
            what = f"{places[empty[0]]}: {name} is empty, and {user} uses it{other_rows(empty)}"
            accepted = f"a value in every row, or {{% if {name} %}} around it"
            yield CampaignFault(("rows",), what, accepted)


def _finals_prompts(campaign: Campaign) -> dict[str, str]:
    named = ((f"finals {edition.name or ''}".strip(), edition.prompt) for edition in campaign.editions)
    return {f"the prompt of {name}": prompt for name, prompt in named if prompt is not None}


def _statements(campaign: Campaign) -> dict[str, str]:
    judge = campaign.score.judge
    return (
        {f"statement {number} of the judge": one.statement for number, one in enumerate(judge.statements, 1)}
        if judge
        else {}
    )


def _prompt_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    longest: dict[int, str] = {}
    for name, arm in campaign.arms.items():
        path = ("arms", name, "prompt")
        try:
            template = PromptTemplate(arm.prompt)
        except PromptFaultError as error:
            yield CampaignFault(path, str(error), "a Jinja2 template")
            continue
        missing = sorted(template.names - campaign.variable_names)
        if missing:
            known = campaign.variable_names | (arm.levels or {}).keys()
            yield CampaignFault(path, *undefined(missing, known))
            continue
        yield from _rendering_faults(campaign, path, template, longest)
    for index, edition in enumerate(campaign.editions):
        if edition.prompt is not None or longest:
            above = ("finals", str(index)) if isinstance(campaign.finals, tuple) else ("finals",)
            yield from _finals_prompt_faults(campaign, edition, (*above, "prompt"), longest)


def undefined(names: Sequence[str], known: Collection[str]) -> tuple[str, str]:
    """Say which names no row defines, and which are defined."""
    hint = did_you_mean(names[0], known) if len(names) == 1 else ""
    accepted = ", ".join(sorted(known)) or "none: the campaign has no variables"
    return f"names {', '.join(names)}, which no row defines{hint}", accepted


def _rendering_faults(
    campaign: Campaign, path: KeyPath, template: PromptTemplate, longest: dict[int, str]
) -> Iterator[CampaignFault]:
    """Fill the template for every row; the first row that fails is reported for all."""
    failed: list[str] = []
    characters = 0
    for index, row in enumerate(campaign.all_rows):
        prompt = ""
        try:
            prompt = template.render(row)
        except PromptFaultError as error:
            failed.append(f"row {index + 1} ({_shown_row(row)}) {error}")
        if template.work > ALL_TEMPLATES_WORK + (index + 1) * WORK_PER_ROW:
            failed = failed or ["takes too long to fill for all rows; use fewer loops, or fewer rows"]
            break
        characters += len(prompt)
        if characters * len(campaign.arms) > ALL_PROMPTS_CHARACTERS:
            what = f"makes prompts of {characters:,} characters for the first {index + 1:,} rows alone"
            yield CampaignFault(path, what, f"at most {ALL_PROMPTS_CHARACTERS:,} for all arms and rows")
            return
        if prompt:
            longest[index] = max(longest.get(index, ""), prompt, key=len)
    if failed:
        yield CampaignFault(path, failed[0] + other_rows(failed), "a text for every row")


def _shown_row(row: Row) -> str:
    text = ", ".join(f"{key}={value}" for key, value in row.items()) or "no variables"
    return text if len(text) <= 60 else f"{text[:57]}…"


def _finals_prompt_faults(
    campaign: Campaign, edition: Finals, path: KeyPath, prompts: dict[int, str]
) -> Iterator[CampaignFault]:
    try:
        template = PromptTemplate(finals_template(edition.prompt, edition.method, edition.fit))
        missing = sorted(template.names - campaign.variable_names - {"prompt"})
        if missing:
            yield CampaignFault(path, *undefined(missing, campaign.variable_names | {"prompt"}))
            return
        for index, prompt in prompts.items():
            template.render({**campaign.all_rows[index], "prompt": prompt})
    except PromptFaultError as error:
        yield CampaignFault(path, str(error), "a Jinja2 template over the row and the draft's prompt")
