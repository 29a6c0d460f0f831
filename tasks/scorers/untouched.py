"""The scorer ``untouched``: how much of an edit changed outside its mask; null without a mask."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from tasks.candidate import Candidate, Score
from tasks.errors import PictureError
from tasks.limits import PICTURE_BYTES
from tasks.order import Reference
from tasks.pictures.decoding import decode, flatten
from tasks.pictures.sendable import decode_as_sent
from tasks.pictures.untouched import compare_outside
from tasks.scorers import Assignment, Masked
from tasks.storage.regular_file import read_regular

VERSION = "1"
MOST_STRETCH = 1.02
"""How much proportions may differ, by rounding to pixels; the answer to an edit may have others."""


class UntouchedScorer:
    """Scores edits by what changed outside the mask that was sent with them.

    Args:
        masked: Candidate id to the reference and the mask that its order sent.
    """

    name = "untouched"
    version = VERSION

    def __init__(self, masked: Mapping[str, Masked] | None = None) -> None:
        self._masked = masked or {}

    @classmethod
    def for_run(cls, assignment: Assignment) -> "UntouchedScorer":
        """Take what was sent along."""
        return cls(assignment.masked)

    def score(self, candidate: Candidate, run_folder: Path) -> Score:
        """Score a picture by what changed outside its mask.

        Raises:
            PictureError: The picture is missing or not a picture.
        """
        sent = self._masked.get(candidate.candidate_id)
        if sent is None:
            return Score(None, "untouched: no mask was sent", version=VERSION)
        try:
            before, mask = (_as_it_was_sent(one) for one in sent)
        except PictureError as error:
            return Score(None, f"untouched: {error.where} {error.what}", version=VERSION)
        after = flatten(decode(run_folder / candidate.file))
        stretch = (before.width / before.height) / (after.width / after.height)
        if not 1 / MOST_STRETCH <= stretch <= MOST_STRETCH:
            return Score(None, "untouched: it has other proportions than its reference", version=VERSION)
        found = compare_outside(flatten(before), after, mask)
        if found is None:
            return Score(None, "untouched: the mask keeps next to nothing", version=VERSION)
        measured = {
            "untouched_delta_e": found.delta_e,
            "untouched_changed_share": found.changed_share,
            "untouched_shift_share": found.shift_share,
        }
        reason = f"outside the mask {found.changed_share:.0%} changed, colours {found.delta_e:.1f} off"
        return Score(found.value, reason, measured, VERSION)


def _as_it_was_sent(sent: Reference) -> Image.Image:
    """Read a picture that was sent along, as people see it.

    Raises:
        PictureError: It is gone, or another picture by now.
    """
    try:
        data = read_regular(Path(sent.file), PICTURE_BYTES)
    except OSError as error:
        raise PictureError(where=sent.file, what="cannot be read any more") from error
    if hashlib.sha256(data).hexdigest() != sent.sha256:
        raise PictureError(where=sent.file, what="has changed since it was sent")
    return decode_as_sent(data, sent.file)
