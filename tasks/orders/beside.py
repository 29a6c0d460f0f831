"""What a judge sees beside a picture: the references and the mask that its draft was made with.

Those that were sent count, by their digest. Where one is gone or was changed since, nothing else takes its
place, and nothing is asked. They are shown no larger than a draft.
"""

from pathlib import Path

from tasks.attachments.attachments import NOTHING
from tasks.attachments.paths import fill_path
from tasks.attachments.references import ReferenceFaultError, read_reference
from tasks.attachments.sent_before import Sent
from tasks.campaign import Campaign
from tasks.campaign.choice import Judge
from tasks.catalogue.sizes import Size
from tasks.order import Reference
from tasks.storage.mirror import found_here

SHOWN_PX = 1536
"""The longest edge at which a reference or a mask is shown, px; what is larger is shrunk when it is sent."""


def shown_beside(judge: Judge, sent: Sent) -> Sent:
    """Return what of a draft's references and mask is shown, in the size in which it is.

    Args:
        judge: Says which of them it sees.
        sent: What was sent with the draft's order.
    """
    references = map(_bounded, sent.references) if "references" in judge.sees else ()
    mask = sent.mask if "mask" in judge.sees else None
    return Sent(tuple(references), None if mask is None else _bounded(mask))


def planned_beside(campaign: Campaign, arm: str, row: int) -> Sent:
    """Describe what will be shown beside an arm's pictures of a row, to price it; their digests are empty.

    A reference that cannot be read any more counts as the largest that is shown.

    Args:
        campaign: A campaign with ``score.judge``.
        arm: The arm.
        row: Index of the row.
    """
    judge, files = campaign.score.judge, campaign.references_of(arm)
    if judge is None or not judge.sees or not files:
        return NOTHING
    sizes = [_size_of(fill_path(file, campaign.all_rows[row])) for file in files]
    references = tuple(Reference("", "", *size, "image/png") for size in sizes)
    return shown_beside(judge, Sent(references, references[0] if campaign.mask_of(arm) else None))


def fault_of(shown: Sent) -> str:
    """Say which of these pictures is gone or was changed since it was sent; empty if all are as they were."""
    named = [("a reference", one) for one in shown.references]
    named += [] if shown.mask is None else [("the mask", shown.mask)]
    for what, picture in named:
        try:
            now = read_reference(str(found_here(Path(picture.file))), is_bought=True).sha256
        except ReferenceFaultError:
            return f"{what} that it was made with is gone: {Path(picture.file).name}"
        if now != picture.sha256:
            return f"{what} that it was made with was changed since: {Path(picture.file).name}"
    return ""


def _size_of(file: str) -> Size:
    try:
        found = read_reference(file)
    except ReferenceFaultError:
        return Size(SHOWN_PX, SHOWN_PX)
    return Size(found.width, found.height)


def _bounded(picture: Reference) -> Reference:
    scale = min(1.0, SHOWN_PX / max(picture.width, picture.height, 1))
    width, height = (max(1, round(edge * scale)) for edge in (picture.width, picture.height))
    return Reference(picture.file, picture.sha256, width, height, picture.media_type)
