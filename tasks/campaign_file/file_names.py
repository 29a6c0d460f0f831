"""The checks of a campaign's own file names: whether they can be filled, are safe, and differ."""

from collections.abc import Iterator

from tasks.campaign import Campaign
from tasks.campaign.file_names import MOST_CHARACTERS, PLACE_NAMES, FileNames, is_safe
from tasks.campaign.prompts import PromptFaultError
from tasks.campaign_file.fault import CampaignFault
from tasks.campaign_file.prompts import undefined

PATH = ("files",)
ACCEPTED_NAME = f"letters, digits, spaces and .,()+@=_- inside, at most {MOST_CHARACTERS}, without folders"


def find_file_name_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    """Find the first fault of the campaign's ``files``, if it has any."""
    if campaign.files is None:
        return
    try:
        names = FileNames(campaign)
    except PromptFaultError as error:
        yield CampaignFault(PATH, str(error), "a Jinja2 template")
        return
    known = campaign.variable_names | set(PLACE_NAMES)
    if missing := sorted(names.names - known):
        what, _ = undefined(missing, known)
        yield CampaignFault(PATH, what, ", ".join([*PLACE_NAMES, *sorted(campaign.variable_names)]))
        return
    seen: dict[str, str] = {}
    for place, name in _names(campaign, names):
        if isinstance(name, PromptFaultError):
            yield CampaignFault(PATH, f"{place}: {name}", "a name for every final")
            return
        if not is_safe(name):
            yield CampaignFault(PATH, f"{place}: {name[:60]!r} is no file's name", ACCEPTED_NAME)
            return
        if name.lower() in seen:
            what = f"{place} and {seen[name.lower()]} have the same name, {name[:60]!r}"
            unused = [one for one in ("arm", "row", "replicate", "edition") if one not in names.names]
            yield CampaignFault(PATH, what, f"a template with {', '.join(unused)}, or another variable")
            return
        seen[name.lower()] = place


def _names(campaign: Campaign, names: FileNames) -> Iterator[tuple[str, str | PromptFaultError]]:
    """Fill the template for every arm, row and edition, and for two replicates, which stand for all."""
    replicates = range(min(2, campaign.drafts.per_prompt))
    for row in range(len(campaign.all_rows)):
        for arm in campaign.arms:
            for edition in campaign.editions:
                for replicate in replicates:
                    place = f"arm {arm}, row {row + 1}, replicate {replicate + 1}"
                    place += f", edition {edition.name}" if edition.name else ""
                    try:
                        yield place, names.name_of(arm, row, replicate, edition.name)
                    except PromptFaultError as error:
                        yield place, error
