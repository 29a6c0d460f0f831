"""Today (UTC); a variable puts another day in its place, to rehearse a model's retirement."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from tasks.errors import SettingError

TODAY_VARIABLE = "RUNOFF_TODAY"


def today(environ: Mapping[str, str]) -> date:
    """Tell the day.

    Raises:
        SettingError: ``RUNOFF_TODAY`` is set and no day.
    """
    said = environ.get(TODAY_VARIABLE, "").strip()
    if not said:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(said)
    except ValueError as error:
        raise SettingError(
            where=TODAY_VARIABLE, what=f"is {said!r}", accepted="a day such as 2026-12-01, or nothing"
        ) from error
