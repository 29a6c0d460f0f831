"""The campaign's own names for accepted finals: a template over the row and the picture's place."""

import re
from collections.abc import Mapping
from typing import Any

from tasks.campaign.campaign import Campaign
from tasks.campaign.prompts import PromptTemplate

PLACE_NAMES = ("campaign", "arm", "row", "replicate", "edition")
"""What the template may use besides the row's variables; rows and replicates count from 1."""
MOST_CHARACTERS = 150
SAFE = re.compile(r"[^\W_][\w .,()+@=-]*(?<![ .])")
"""A name that every file system takes: letters and digits of any script, no separators, no dot at an end."""
PORTS = [f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)]
RESERVED = frozenset(["con", "prn", "aux", "nul", *PORTS])
"""Names that Windows keeps for devices."""


class FileNames:
    """Names the accepted finals of a campaign.

    Args:
        campaign: A campaign with ``files``.

    Raises:
        PromptFaultError: The template is not valid.
    """

    def __init__(self, campaign: Campaign) -> None:
        assert campaign.files is not None
        self._campaign = campaign
        self._template = PromptTemplate(campaign.files)
        self.names = self._template.names

    def name_of(self, arm: str, row: int, replicate: int, edition: str | None = None) -> str:
        """Name one final, without an ending.

        Args:
            arm: Its arm.
            row: Its row, from 0.
            replicate: Its draft's replicate, from 0.
            edition: Its edition; ``None`` where there is only one.

        Raises:
            PromptFaultError: The template cannot be filled with this row.
        """
        rows = self._campaign.all_rows
        values: Mapping[str, Any] = rows[row] if row < len(rows) else {}
        place = {
            "campaign": self._campaign.name,
            "arm": arm,
            "row": row + 1,
            "replicate": replicate + 1,
            "edition": edition or "",
        }
        return self._template.render({**values, **place}).strip()


def is_safe(name: str) -> bool:
    """Return whether every file system takes a name."""
    return len(name) <= MOST_CHARACTERS and bool(SAFE.fullmatch(name)) and name.lower() not in RESERVED
