"""A fault of a campaign file, as every check yields it."""

from typing import Literal, NamedTuple

from tasks.marked_yaml import KeyPath


class CampaignFault(NamedTuple):
    """One fault of a campaign: where it is, what is wrong, what is accepted.

    ``kind`` is for code: a required key that is missing, a key that is unknown, a value that is not accepted,
    or anything else.
    """

    path: KeyPath
    what: str
    accepted: str = ""
    kind: Literal["missing", "unknown", "value", "other"] = "other"
