"""What the whole ledger may spend in a calendar month, whatever campaigns there are.

A campaign's budget stands in its file; this one stands above all files, where the ledger is kept: in the
environment, or in ``limits.yaml`` of the home.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from tasks.errors import SettingError
from tasks.money import read_usd

LIMIT_VARIABLE = "RUNOFF_LEDGER_PER_MONTH_USD"
LIMITS_FILE = "limits.yaml"
KEY = "per_month_usd"


def ledger_per_month_usd(home: Path, environ: Mapping[str, str]) -> Decimal | None:
    """Read the limit, dollars in a calendar month (UTC).

    Args:
        home: Runoff's home; ``limits.yaml`` in it may hold ``per_month_usd: "200"``.
        environ: ``RUNOFF_LEDGER_PER_MONTH_USD`` in it comes before the file.

    Returns:
        The limit; ``None`` when nobody set one. 0 lets nothing be bought.

    Raises:
        SettingError: It is no amount of dollars, or the file holds something else.
    """
    if said := environ.get(LIMIT_VARIABLE):
        return _dollars(said, LIMIT_VARIABLE)
    file = home / LIMITS_FILE
    if not file.exists():
        return None
    facts = _read(file)
    if not isinstance(facts, dict) or set(facts) != {KEY}:
        raise _refused(str(file), f"holds {facts!r}", f'one line: {KEY}: "200"')
    return _dollars(facts[KEY], f"{file}: {KEY}")


def _read(file: Path) -> Any:  # noqa: ANN401 - whatever a person wrote
    import yaml

    try:
        # Every value stays the text that was written: no binary float comes between.
        return yaml.load(file.read_bytes(), yaml.BaseLoader)
    except (OSError, yaml.YAMLError) as error:
        reason = str(error).partition("\n")[0]
        raise _refused(str(file), f"cannot be read: {reason}", f'one line: {KEY}: "200"') from error


def _dollars(said: object, where: str) -> Decimal:
    try:
        return read_usd(str(said))
    except ValueError as error:
        raise _refused(where, str(error), "an amount as 200 or 49.90") from error


def _refused(where: str, what: str, accepted: str) -> SettingError:
    return SettingError(where=where, what=what, accepted=accepted, next_step="Correct it, or take it away.")
