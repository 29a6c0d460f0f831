"""The checks of a campaign's references and masks: whether every row's files exist and can be sent."""

from collections.abc import Callable, Iterator
from functools import partial

from tasks.attachments.attachments import check_pictures, depends_on_row
from tasks.attachments.paths import fill_path, is_template
from tasks.attachments.references import MAX_REFERENCES, ReferenceFaultError, read_reference
from tasks.campaign import Campaign, Row
from tasks.campaign.prompts import PromptFaultError, PromptTemplate
from tasks.campaign_file.fault import CampaignFault, other_rows
from tasks.campaign_file.prompts import undefined
from tasks.catalogue import Catalogue
from tasks.errors import CatalogueError
from tasks.marked_yaml import KeyPath
from tasks.order import Reference

ACCEPTED_FILE = "a whole png, jpeg or webp file under 50 MB"
ACCEPTED_MASK = "a png with transparency of the first reference's size, under 4 MB"
ROWS_DECODED = 10
"""For this many rows the pixels of each reference are decoded; for the others only the container is checked.

Damage in transit shows in the container, and what a broken encoder writes shows in the first rows. Decoding
10,000 references would take minutes.
"""


def find_reference_faults(campaign: Campaign, catalogue: Catalogue) -> Iterator[CampaignFault]:
    """Find the faults of the references and masks of every arm and row; each file is read once."""
    seen: set[tuple[object, ...]] = set()
    for arm in campaign.arms:
        references, mask = campaign.references_of(arm), campaign.mask_of(arm)
        yield from _number_faults(campaign, arm, catalogue)
        if (references, mask) in seen:  # another arm sends the same
            continue
        seen.add((references, mask))
        rows = campaign.all_rows if depends_on_row(campaign, arm) else campaign.all_rows[:1]
        faults = [*_file_faults(campaign, arm, rows)]
        yield from faults
        if not faults and mask is not None:
            yield from _mask_faults(campaign, arm, rows, catalogue)


def references_path(campaign: Campaign, arm: str) -> KeyPath:
    """Return the key path of an arm's references."""
    return ("references",) if campaign.arms[arm].references is None else ("arms", arm, "references")


def _number_faults(campaign: Campaign, arm: str, catalogue: Catalogue) -> Iterator[CampaignFault]:
    references, model_id = campaign.references_of(arm), campaign.drafts_of(arm).model
    try:
        can = catalogue.model(model_id).capabilities
    except CatalogueError:
        can = None
    limit = MAX_REFERENCES if can is None else can.max_references
    if len(references) > limit:
        what = f"{len(references)} pictures for {model_id}"
        yield CampaignFault(references_path(campaign, arm), what, f"at most {limit}")


def _file_faults(campaign: Campaign, arm: str, rows: tuple[Row, ...]) -> Iterator[CampaignFault]:
    for index, file in enumerate(campaign.references_of(arm)):
        path: KeyPath = (*references_path(campaign, arm), str(index))
        if unknown := unknown_names(campaign, file):
            yield CampaignFault(path, *unknown)
            continue
        yield from file_faults(path, rows if is_template(file) else rows[:1], file)


def file_faults(path: KeyPath, rows: tuple[Row, ...], file: str) -> Iterator[CampaignFault]:
    """Check the file that a path, or a template of one, names for each row; decode those of the first rows.

    Args:
        path: The key that names the file.
        rows: The rows to check.
        file: The path or template.
    """
    first_rows = rows[:ROWS_DECODED]

    def look(row: Row) -> Reference:
        return read_reference(fill_path(file, row), decodes=any(row is one for one in first_rows))

    return row_faults(path, rows, ACCEPTED_FILE, look)


def unknown_names(campaign: Campaign, text: str) -> tuple[str, str] | None:
    """Return which names in a path's template no row defines, and which are defined; ``None`` without any."""
    if not is_template(text):
        return None
    try:
        missing = sorted(PromptTemplate(text).names - campaign.variable_names)
    except PromptFaultError as error:
        return str(error), "a path, or a Jinja2 template of one"
    if not missing:
        return None
    return undefined(missing, campaign.variable_names)


def mask_fault(model_id: str, catalogue: Catalogue) -> tuple[str, str] | None:
    """Return why a model does not accept a mask, and what it accepts; ``None`` if it does or is unknown."""
    try:
        can = catalogue.model(model_id).capabilities
    except CatalogueError:
        return None
    if can is None or can.mask:
        return None
    return f"{model_id} does not accept a mask", "no mask, or a model that accepts one"


def _mask_faults(
    campaign: Campaign, arm: str, rows: tuple[Row, ...], catalogue: Catalogue
) -> Iterator[CampaignFault]:
    own = campaign.arms[arm].mask is not None
    path: KeyPath = ("arms", arm, "mask") if own else ("mask",)
    mask = campaign.mask_of(arm)
    if not campaign.references_of(arm):
        bare = [name for name in campaign.arms if campaign.mask_of(name) and not campaign.references_of(name)]
        noun = "arm" if len(bare) == 1 else "arms"
        what = f"no references are sent by {noun} {', '.join(bare)}"
        yield CampaignFault(path, what, "a mask with references")
        return
    if isinstance(mask, str) and (unknown := unknown_names(campaign, mask)):
        yield CampaignFault(path, *unknown)
        return
    if fault := mask_fault(campaign.drafts_of(arm).model, catalogue):
        yield CampaignFault(path, *fault)
        return
    yield from row_faults(path, rows, ACCEPTED_MASK, partial(check_pictures, campaign, arm))


def row_faults(
    path: KeyPath, rows: tuple[Row, ...], accepted: str, look: Callable[[Row], object]
) -> Iterator[CampaignFault]:
    """Check every row; the first row that fails is reported for all.

    Args:
        path: The key that the fault is reported at.
        rows: The rows to check.
        accepted: What the fault says is accepted.
        look: Checks one row; raises ``ReferenceFaultError`` if it has a fault.
    """
    failed: list[str] = []
    for index, row in enumerate(rows):
        try:
            look(row)
        except ReferenceFaultError as error:
            failed.append(f"row {index + 1}: {error}" if len(rows) > 1 else str(error))
    if failed:
        yield CampaignFault(path, failed[0] + other_rows(failed), accepted)
