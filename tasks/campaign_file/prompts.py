"""The checks of a campaign's prompts: whether the rows are complete and the templates fit them."""

from collections.abc import Iterator

from tasks.campaign import Campaign, Row
from tasks.campaign.finals import Finals
from tasks.campaign.prompts import MAX_ROWS, PromptFaultError, PromptTemplate, finals_template
from tasks.campaign_file.fault import CampaignFault
from tasks.marked_yaml import KeyPath


def find_prompt_faults(campaign: Campaign) -> list[CampaignFault]:
    """Find the faults of the rows; without any, those of the templates that they fill."""
    return list(_row_faults(campaign)) or list(_prompt_faults(campaign))


def _row_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    if campaign.variables is not None and campaign.rows is not None:
        yield CampaignFault(("rows",), "cannot be combined with variables", "one of rows and variables")
    if campaign.n_rows > MAX_ROWS:
        key = "rows" if campaign.rows is not None else "variables"
        yield CampaignFault((key,), f"make {campaign.n_rows:,} rows", f"at most {MAX_ROWS:,}")
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
            known = ", ".join(sorted(campaign.variable_names)) or "none: the campaign has no variables"
            yield CampaignFault(path, f"names {', '.join(missing)}, which no row defines", known)
            continue
        yield from _rendering_faults(campaign, path, template, longest)
    for index, edition in enumerate(campaign.editions):
        if edition.prompt is not None or longest:
            above = ("finals", str(index)) if isinstance(campaign.finals, tuple) else ("finals",)
            yield from _finals_prompt_faults(campaign, edition, (*above, "prompt"), longest)


def _rendering_faults(
    campaign: Campaign, path: KeyPath, template: PromptTemplate, longest: dict[int, str]
) -> Iterator[CampaignFault]:
    """Fill the template for every row; the first row that fails is reported for all."""
    failed: list[str] = []
    for index, row in enumerate(campaign.all_rows):
        try:
            longest[index] = max(longest.get(index, ""), template.render(row), key=len)
        except PromptFaultError as error:
            failed.append(f"row {index} ({_shown_row(row)}) {error}")
    if failed:
        others = f"; and {len(failed) - 1} more rows" if len(failed) > 1 else ""
        yield CampaignFault(path, failed[0] + others, "a text for every row")


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
            known = ", ".join(sorted(campaign.variable_names | {"prompt"}))
            yield CampaignFault(path, f"names {', '.join(missing)}, which no row defines", known)
            return
        for index, prompt in prompts.items():
            template.render({**campaign.all_rows[index], "prompt": prompt})
    except PromptFaultError as error:
        yield CampaignFault(path, str(error), "a Jinja2 template over the row and the draft's prompt")
