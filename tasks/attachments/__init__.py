"""What is sent along with an order: references, masks, and drafts brought to a final's shape."""

__all__ = [
    "attachments",
    "drawings",
    "fit",
    "masks",
    "previews",
    "references",
]
