"""Reads the references and the mask that are sent with the draft orders of an arm and row.

A reference or a mask may be a template over the row, ``products/{{ file }}``, so that a folder of pictures is
combined with every arm's prompt. Every file is read once.
"""

from pathlib import Path

from tasks.attachments.masks import check_mask, plan_mask
from tasks.attachments.paths import fill_path, fill_template, is_template
from tasks.attachments.references import (
    ReferenceFaultError,
    check_turnable,
    look_at,
    read_mask,
    read_reference,
)
from tasks.attachments.sent_before import NOTHING_BEFORE, Sent, SentBefore
from tasks.campaign import Campaign, Row
from tasks.campaign.mask import Mask
from tasks.errors import CampaignError


def fill_mask(mask: Mask, row: Row) -> Mask:
    """Fill the templates of a mask's box.

    Raises:
        ReferenceFaultError: A template cannot be filled.
    """
    edges = mask.box or mask.keep_box
    if edges is None or not any(map(is_template, edges)):
        return mask
    filled = tuple(fill_template(edge, row) for edge in edges)
    return mask.model_copy(update={"box" if mask.box else "keep_box": filled})


def depends_on_row(campaign: Campaign, arm: str) -> bool:
    """Return whether an arm's pictures depend on the row."""
    mask = campaign.mask_of(arm)
    texts = [*campaign.references_of(arm)]
    if isinstance(mask, Mask):
        texts += mask.box or mask.keep_box or ()
    elif mask is not None:
        texts.append(mask)
    return any(map(is_template, texts))


NOTHING = Sent((), None)


class SentPictures:
    """The pictures sent along with a campaign's draft orders.

    Args:
        campaign: The campaign.
        drawn: Folder for the masks that Runoff draws; nothing is written there now.
        before: What the run sent before, for pictures that cannot be read any more.
    """

    def __init__(self, campaign: Campaign, drawn: Path, before: SentBefore = NOTHING_BEFORE) -> None:
        self._campaign = campaign
        self._drawn = drawn
        self._before = before
        self._varies = {arm: depends_on_row(campaign, arm) for arm in campaign.arms}
        self._known: dict[tuple[str, int], Sent] = {}

    def of(self, arm: str, row: int) -> Sent:
        """Read the references of one arm and row, and draw their mask; or recall what was sent before.

        Raises:
            CampaignError: A file cannot be sent, or a mask cannot be drawn, and nothing was sent before.
        """
        key = (arm, row if self._varies[arm] else 0)
        if key not in self._known:
            try:
                self._known[key] = self._look(arm, self._campaign.all_rows[key[1]])
            except ReferenceFaultError as error:
                if (sent := self._before.drafts.get((arm, row))) is not None:
                    return sent
                raise CampaignError(
                    self._campaign.name, [f"arms.{arm}, row {key[1] + 1}: {error}"]
                ) from error
        return self._known[key]

    def _look(self, arm: str, row: Row) -> Sent:
        files = self._campaign.references_of(arm)
        references = tuple(read_reference(fill_path(file, row)) for file in files)
        if not references:
            return NOTHING
        mask = self._campaign.mask_of(arm)
        if mask is None:
            return Sent(references, None)
        check_turnable(references[0].file)
        if isinstance(mask, Mask):
            return Sent(references, plan_mask(fill_mask(mask, row), references[0], self._drawn))
        return Sent(references, read_mask(fill_path(mask, row), references[0]))


def check_pictures(campaign: Campaign, arm: str, row: Row) -> None:
    """Check an arm's mask for one row without drawing it; its references must be valid already.

    Args:
        campaign: The campaign.
        arm: The arm's name.
        row: The row's variables.

    Raises:
        ReferenceFaultError: The mask does not fit.
    """
    mask, files = campaign.mask_of(arm), campaign.references_of(arm)
    if mask is None or not files:
        return
    first = look_at(fill_path(files[0], row))
    check_turnable(first.reference.file)
    if isinstance(mask, Mask):
        check_mask(fill_mask(mask, row), first.reference, has_alpha=first.has_alpha)
    else:
        read_mask(fill_path(mask, row), first.reference)
