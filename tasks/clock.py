"""Today's date (UTC), which an environment variable can replace to rehearse a model's retirement."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from tasks.errors import SettingError

TODAY_VARIABLE = "RUNOFF_TODAY"


def today(environ: Mapping[str, str]) -> date:
    """Return today's date, or the date in ``RUNOFF_TODAY``.

    Raises:
        SettingError: ``RUNOFF_TODAY`` is set to something that is not a date.
    """
    text = environ.get(TODAY_VARIABLE, "").strip()
    if not text:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SettingError(
            where=TODAY_VARIABLE, what=f"is {text!r}", accepted="a day such as 2026-12-01, or nothing"
        ) from error
