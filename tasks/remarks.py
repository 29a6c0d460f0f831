"""Remarks: what a person says about one picture: a label of the campaign's, stars, or a comment.

Every remark is stored with its author and time. Of labels and stars a person's last word counts; a comment
stands until its author takes it back.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from statistics import fmean
from typing import Any, Literal

RemarkKind = Literal["label", "stars", "comment"]
MOST_STARS = 5


@dataclass(frozen=True, slots=True)
class Remark:
    """What a person says about one picture.

    Args:
        run_id: The run.
        candidate_id: The picture.
        kind: What kind of remark it is.
        text: The label, or the comment; ``None`` with stars.
        stars: 1 to 5; ``None`` with anything else, and with stars that were taken back.
        is_set: Whether it stands; ``False`` takes the label, stars or comment back.
        said_by: The person's name.
        said_at: Aware UTC time.
        remark_id: Its number in the ledger; ``None`` before it is stored.
    """

    run_id: str
    candidate_id: str
    kind: RemarkKind
    text: str | None
    stars: int | None
    is_set: bool
    said_by: str
    said_at: datetime
    remark_id: int | None = None


@dataclass(slots=True)
class SaidOfPicture:
    """What stands of all that was said about one picture.

    Args:
        labels: Each label, and who says it.
        stars: Each person's stars.
        comments: In the order in which they were made.
    """

    labels: dict[str, list[str]] = field(default_factory=dict)
    stars: dict[str, int] = field(default_factory=dict)
    comments: list[Remark] = field(default_factory=list)

    @property
    def mean_stars(self) -> float | None:
        """The mean of people's stars; ``None`` if nobody gave any."""
        return fmean(self.stars.values()) if self.stars else None

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands."""
        return not (self.labels or self.stars or self.comments)


def standing_remarks(remarks: Iterable[Remark]) -> list[Remark]:
    """Keep what stands: each person's last word on a label or on stars, and comments not taken back.

    Args:
        remarks: Oldest first.
    """
    last: dict[tuple[Any, ...], Remark] = {}
    for number, remark in enumerate(remarks):
        about = {"label": remark.text, "stars": None, "comment": number}[remark.kind]
        key = (remark.candidate_id, remark.kind, about, remark.said_by)
        last.pop(key, None)
        last[key] = remark
    return [remark for remark in last.values() if remark.is_set]


def gather_remarks(remarks: Iterable[Remark]) -> dict[str, SaidOfPicture]:
    """Gather what stands, by the picture's candidate id; pictures of which nothing stands are left out.

    Args:
        remarks: Oldest first.
    """
    found: dict[str, SaidOfPicture] = defaultdict(SaidOfPicture)
    for remark in standing_remarks(remarks):
        _add(found[remark.candidate_id], remark)
    return dict(found)


def _add(said: SaidOfPicture, remark: Remark) -> None:
    if remark.kind == "label" and remark.text is not None:
        said.labels.setdefault(remark.text, []).append(remark.said_by)
    elif remark.kind == "stars" and remark.stars is not None:
        said.stars[remark.said_by] = remark.stars
    elif remark.kind == "comment":
        said.comments.append(remark)


def remark_columns(said: SaidOfPicture | None) -> dict[str, Any]:
    """Return the report's columns of what people say about a picture; null where nobody said anything."""
    if said is None:
        return {"labels": None, "stars": None, "comments": None}
    most_first = sorted(said.labels, key=lambda label: (-len(said.labels[label]), label))
    return {
        "labels": ", ".join(most_first) or None,
        "stars": said.mean_stars,
        "comments": " | ".join(f"{one.said_by}: {one.text}" for one in said.comments) or None,
    }
