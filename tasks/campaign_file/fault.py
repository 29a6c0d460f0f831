"""A fault of a campaign file: what every check yields."""

from typing import Literal, NamedTuple

from tasks.marked_yaml import KeyPath


class CampaignFault(NamedTuple):
    """One fault of a campaign: where, what, what is accepted.

    ``kind`` is for code: a required key that is missing, a value that cannot be taken, or anything else.
    """

    path: KeyPath
    what: str
    accepted: str = ""
    kind: Literal["missing", "value", "other"] = "other"
