"""Where the preview of a campaign's masks is kept."""

from flows.session.prepare import Prepared


def preview_masks(prepared: Prepared) -> str | None:
    """Draw what a campaign's masks will change; returns the file, or ``None`` when it has no mask.

    Raises:
        SettingError: The home cannot be written.
    """
    from tasks.attachments.previews import masked_pictures, write_preview

    masked = masked_pictures(prepared.plan.orders)
    if not masked:
        return None
    name = prepared.campaign.name
    return str(write_preview(name, masked, prepared.home / "previews" / f"{name}-masks.png"))
