"""A fault of a campaign file, as every check yields it."""

from collections.abc import Sized
from typing import Literal, NamedTuple

from tasks.marked_yaml import KeyPath
from tasks.money import count_of


class CampaignFault(NamedTuple):
    """One fault of a campaign: where it is, what is wrong, what is accepted.

    ``kind`` is for code: a required key that is missing, a key that is unknown, a value that is not accepted,
    or anything else.
    """

    path: KeyPath
    what: str
    accepted: str = ""
    kind: Literal["missing", "unknown", "value", "other"] = "other"


def other_rows(rows: Sized) -> str:
    """Say how many rows have a fault besides the one that is named; empty for none."""
    return f"; and {count_of(len(rows) - 1, 'more row')}" if len(rows) > 1 else ""
