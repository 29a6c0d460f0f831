"""One-line makers of drafts that were already inspected, compared and scored."""

from typing import Any

from tasks.candidate import Candidate, Inspection, Standing


def a_draft(name: str = "c-a", *, phash: str | None = None, **changes: Any) -> Candidate:
    """Make a surviving draft of arm A, row 0, without a score."""
    facts: dict[str, Any] = {
        "candidate_id": name,
        "order_id": f"o-{name}",
        "stage": "draft",
        "arm": "A",
        "row": 0,
        "replicate": 0,
        "attempt": 0,
        "prompt": "a baby otter",
        "file": f"drafts/{name}.png",
        "sha256": name,
        "n_bytes": 100,
        "inspection": Inspection(width=64, height=64, format="png", phash=phash),
        "standing": Standing("survivor", name),
    }
    return Candidate(**(facts | changes))
