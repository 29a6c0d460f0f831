"""The monthly spending limit of the whole ledger, across all campaigns, as one machine has it.

A campaign's budget is in its file; this limit is in the environment, or in ``limits.yaml`` of the home. A
team's own limit is in the ledger (``tasks.ledger.spending_limits``), and this one can only lower it.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from tasks.errors import SettingError
from tasks.limits import YAML_BYTES
from tasks.marked_yaml import YamlFaultError, read_yaml
from tasks.money import read_usd
from tasks.storage.regular_file import read_regular_text

LIMIT_VARIABLE = "RUNOFF_LEDGER_PER_MONTH_USD"
LIMITS_FILE = "limits.yaml"
KEY = "per_month_usd"


def ledger_per_month_usd(home: Path, environ: Mapping[str, str]) -> Decimal | None:
    """Read the limit, dollars in a calendar month (UTC).

    Args:
        home: Runoff's home; ``limits.yaml`` in it may hold ``per_month_usd: "200"``.
        environ: ``RUNOFF_LEDGER_PER_MONTH_USD`` in it overrides the file.

    Returns:
        The limit; ``None`` when none is set. With 0 nothing can be bought.

    Raises:
        SettingError: It is not an amount of dollars, or the file has other contents.
    """
    if amount := environ.get(LIMIT_VARIABLE):
        return _dollars(amount, LIMIT_VARIABLE)
    file = home / LIMITS_FILE
    if not file.exists():
        return None
    facts = _read(file)
    if not isinstance(facts, dict) or set(facts) != {KEY}:
        raise _refused(str(file), f"holds {str(facts)[:200]!r}", f'one line: {KEY}: "200"')
    return _dollars(facts[KEY], f"{file}: {KEY}")


def _read(file: Path) -> Any:  # noqa: ANN401 - whatever a person wrote
    try:
        return read_yaml(read_regular_text(file, YAML_BYTES)).data
    except (OSError, YamlFaultError) as error:
        reason = str(getattr(error, "strerror", None) or error).partition("\n")[0]
        raise _refused(str(file), f"cannot be read: {reason}", f'one line: {KEY}: "200"') from error


def _dollars(amount: object, where: str) -> Decimal:
    try:
        return read_usd(str(amount))
    except ValueError as error:
        raise _refused(where, str(error), "an amount such as 200 or 49.90") from error


def _refused(where: str, what: str, accepted: str) -> SettingError:
    return SettingError(where=where, what=what, accepted=accepted, next_step="Correct or remove it.")
