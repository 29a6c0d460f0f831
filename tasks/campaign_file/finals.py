"""The checks of a campaign's finals: editions, extra references, masks, proportions."""

from collections.abc import Iterator

from tasks.attachments.attachments import fill_mask
from tasks.attachments.fit import framed_size, is_same_shape
from tasks.attachments.masks import check_mask
from tasks.attachments.paths import fill_path, is_template
from tasks.attachments.references import MAX_REFERENCES, read_mask
from tasks.campaign import Campaign, Row
from tasks.campaign.finals import Finals
from tasks.campaign.mask import Mask
from tasks.campaign_file.fault import CampaignFault
from tasks.campaign_file.references import (
    ACCEPTED_MASK,
    file_faults,
    mask_fault,
    row_faults,
    unknown_names,
)
from tasks.catalogue import Catalogue
from tasks.catalogue.sizes import Size, parse_size
from tasks.errors import CatalogueError
from tasks.marked_yaml import KeyPath
from tasks.order import Reference


def edition_path(campaign: Campaign, index: int) -> KeyPath:
    """Return the key path of an edition."""
    return ("finals", str(index)) if isinstance(campaign.finals, tuple) else ("finals",)


def find_finals_faults(
    campaign: Campaign, catalogue: Catalogue, *, sends_pictures: bool = True
) -> Iterator[CampaignFault]:
    """Find the faults of editions that do not depend on what their models accept.

    Args:
        campaign: The campaign.
        catalogue: Models and prices.
        sends_pictures: Whether their references and masks must be there.
    """
    yield from _name_faults(campaign)
    for index, edition in enumerate(campaign.editions):
        path = edition_path(campaign, index)
        for fault in (
            *_method_faults(edition),
            *_kept_faults(campaign, edition),
            *(_extra_faults(campaign, edition, catalogue) if sends_pictures else ()),
            *_shape_faults(campaign, edition),
            *(_mask_faults(campaign, edition, catalogue) if sends_pictures else ()),
        ):
            yield fault._replace(path=(*path, *fault.path))


def _name_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    if not isinstance(campaign.finals, tuple):
        return
    names = [edition.name for edition in campaign.finals]
    for index, name in enumerate(names):
        path = ("finals", str(index), "name")
        if name is None:
            yield CampaignFault(path, "is missing", "a name for each of several editions")
        elif name in names[:index]:
            yield CampaignFault(path, f"{name} occurs twice", "another name for each edition")


def _method_faults(edition: Finals) -> Iterator[CampaignFault]:
    if edition.method == "edit":
        return
    is_set = {
        "references": bool(edition.references),
        "mask": edition.mask is not None,
        "fit": edition.fit != "any",
        "fallback": edition.fallback is not None,
    }
    for key, is_key_set in is_set.items():
        if is_key_set:
            yield CampaignFault((key,), "has no effect if only the prompt is sent", "method: edit")


def _kept_faults(campaign: Campaign, edition: Finals) -> Iterator[CampaignFault]:
    """Find what finals cannot keep, because nobody asks it of drafts."""
    judge, weights = campaign.score.judge, campaign.score.weights
    key = ("keep_statements",)
    if edition.keep_statements != "none" and (judge is None or "judge" not in weights):
        what = "keeps statements, but no judge is asked about drafts"
        yield CampaignFault(key, what, "none; or score.weights with judge, 0 to ask without counting it")
    elif edition.keep_statements == "must" and judge and not any(one.must for one in judge.statements):
        yield CampaignFault(key, "keeps statements with must, and there are none", "all, or none")
    if edition.keep_text and "legibility" not in weights:
        what = "keeps the text, but it is not read in drafts"
        accepted = "false; or score.weights with legibility, 0 to read without counting it"
        yield CampaignFault(("keep_text",), what, accepted)


def _extra_faults(campaign: Campaign, edition: Finals, catalogue: Catalogue) -> Iterator[CampaignFault]:
    limit = max(0, _max_references(edition, catalogue) - 1)  # a model without edits is a fault of its own
    if len(edition.references) > limit:
        what = f"{len(edition.references)} pictures in addition to the draft for {edition.model}"
        yield CampaignFault(("references",), what, f"at most {limit}")
    for index, file in enumerate(edition.references):
        path: KeyPath = ("references", str(index))
        if unknown := unknown_names(campaign, file):
            yield CampaignFault(path, *unknown)
            continue
        rows = campaign.all_rows if is_template(file) else campaign.all_rows[:1]
        yield from file_faults(path, rows, file)


def _max_references(edition: Finals, catalogue: Catalogue) -> int:
    try:
        can = catalogue.model(edition.model).capabilities
    except CatalogueError:
        return MAX_REFERENCES
    return MAX_REFERENCES if can is None else can.max_references


def _draft_sizes(campaign: Campaign) -> dict[Size, str]:
    """Map each size of drafts to the first arm that makes it; invalid sizes are reported elsewhere."""
    sizes = {}
    for arm in reversed(campaign.arms):
        size = parse_size(campaign.drafts_of(arm).size)
        if size is not None:
            sizes[size] = arm
    return sizes


def _shape_faults(campaign: Campaign, edition: Finals) -> Iterator[CampaignFault]:
    final = parse_size(edition.size)
    if edition.fit != "same" or final is None:
        return
    for size, arm in _draft_sizes(campaign).items():
        if not is_same_shape(size, final):
            what = f"drafts of arm {arm} are {size} and finals {final}: different proportions"
            yield CampaignFault(
                ("fit",), what, "a size with the drafts' proportions, or fit: pad, crop or any"
            )
            return


def _mask_faults(campaign: Campaign, edition: Finals, catalogue: Catalogue) -> Iterator[CampaignFault]:
    mask, final = edition.mask, parse_size(edition.size)
    if mask is None or final is None or edition.method != "edit":
        return
    if isinstance(mask, str) and (unknown := unknown_names(campaign, mask)):
        yield CampaignFault(("mask",), *unknown)
        return
    if fault := mask_fault(edition.model, catalogue):
        yield CampaignFault(("mask",), *fault)
        return
    if isinstance(mask, Mask) and mask.alpha_of is not None and edition.fit != "pad":
        bare = [arm for arm in campaign.arms if campaign.drafts_of(arm).background != "transparent"]
        if bare:
            what = f"drafts of arm {bare[0]} have no transparent background"
            yield CampaignFault(("mask",), what, "background: transparent for drafts, or a box")
            return
    texts = (mask.box or mask.keep_box or ()) if isinstance(mask, Mask) else (mask,)
    varies = any(map(is_template, texts))
    for size in _draft_sizes(campaign):
        sent = framed_size(size, final, edition.fit)
        first = Reference("the draft", "", sent.width, sent.height, "image/png")

        def look(row: Row, first: Reference = first) -> None:
            if isinstance(mask, Mask):
                check_mask(fill_mask(mask, row), first, has_alpha=True)
            else:
                read_mask(fill_path(mask, row), first)

        rows = campaign.all_rows if varies else campaign.all_rows[:1]
        faults = list(row_faults(("mask",), rows, ACCEPTED_MASK, look))
        yield from faults
        if faults:
            return
