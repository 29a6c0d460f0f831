"""Pictures sent along with orders: references, masks, and drafts fitted to a final's proportions."""

__all__ = [
    "attachments",
    "conversions",
    "drawings",
    "fit",
    "masks",
    "near_files",
    "paths",
    "previews",
    "references",
    "sent_before",
]
