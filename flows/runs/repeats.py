"""Whether a campaign was bought before, unchanged: by the files of runs on this machine.

Nothing is opened for writing; a ledger that other machines share is not asked.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tasks.campaign import Campaign
from tasks.storage.home import CAMPAIGN_FILE, SUMMARY_FILE, began_at

LOOKED_AT = 20
"""The newest runs of the campaign."""


@dataclass(frozen=True)
class Repeat:
    """An earlier run of the same campaign: its id, when it began, and whether some of it was not bought."""

    run_id: str
    at: datetime
    is_cut_short: bool = False

    def describe(self, now: datetime) -> str:
        """Say when it was bought, and what to do."""
        how = (
            ", but not all of it: go on with runoff run --resume"
            if self.is_cut_short
            else ": open it with runoff review"
        )
        return (
            f"bought {format_age((now - self.at).total_seconds())} ago as {self.run_id}, unchanged{how}"
            f" {self.run_id}, or buy it once more with runoff run --again."
        )


def find_repeat(home: Path, campaign: Campaign) -> Repeat | None:
    """Find the newest run with pictures of exactly this campaign.

    Args:
        home: Runoff's home.
        campaign: The campaign as it would run now.
    """
    folders = sorted((path for path in (home / campaign.name).glob("*-*-*") if path.is_dir()), reverse=True)
    text = campaign.as_yaml()
    for folder in folders[:LOOKED_AT]:
        try:
            if (folder / CAMPAIGN_FILE).read_text(encoding="utf-8") != text:
                continue
            summary = json.loads((folder / SUMMARY_FILE).read_text(encoding="utf-8"))
            if (counts := summary["counts"])["drafts"]:
                return Repeat(folder.name, began_at(folder.name), "planned" in counts["orders_by_state"])
        except (OSError, ValueError, KeyError):
            continue  # a run without a report is none that could be opened
    return None


def format_age(seconds: float) -> str:
    """Write how long ago something was.

    Example:
        >>> format_age(40), format_age(200), format_age(7300), format_age(200_000)
        ('40 s', '3 min', '2 h', '2 days')
    """
    for limit_s, unit_s, unit in ((100, 1, "s"), (100 * 60, 60, "min"), (48 * 3600, 3600, "h")):
        if seconds < limit_s:
            return f"{seconds // unit_s:.0f} {unit}"
    return f"{seconds // 86400:.0f} days"
