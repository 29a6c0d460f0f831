"""A fault of a campaign file: what every check yields."""

from typing import NamedTuple

from tasks.marked_yaml import KeyPath


class CampaignFault(NamedTuple):
    """One fault of a campaign: where, what, what is accepted."""

    path: KeyPath
    what: str
    accepted: str = ""
