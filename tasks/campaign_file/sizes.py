"""The checks of how much a campaign asks for: rows, values and orders, counted before any of them is made.

Lists multiply: six variables of a hundred values are 10^12 rows. The counts come from the lengths alone.
"""

import math
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from tasks.campaign import Campaign
from tasks.campaign.accepted import VARIABLE_WORDS, nearest_name
from tasks.campaign.campaign import VARIABLE_PATTERN
from tasks.campaign_file.fault import CampaignFault
from tasks.campaign_file.row_values import ACCEPTED_VALUE
from tasks.limits import ORDERS, ROW_VALUES, ROWS, ROWS_CHARACTERS, SETTING_VALUES
from tasks.marked_yaml import KeyPath

MAX_FAULTS = 51
"""As many as are shown, and one more."""
_VARIABLE_NAME = re.compile(VARIABLE_PATTERN)


def size_faults(data: Mapping[str, Any]) -> Iterator[CampaignFault]:
    """Find what is too large in a document, and which values of rows and variables are no values.

    Args:
        data: The document's data, with the rows read in.
    """
    for key, value in data.items():
        if key == "rows" and isinstance(value, list):
            yield from islice(_rows_faults(value), MAX_FAULTS)
        elif key == "variables" and isinstance(value, dict):
            yield from islice(_variables_faults(value), MAX_FAULTS)
        elif (count := _count(value)) > SETTING_VALUES:
            yield CampaignFault((key,), f"has {count:,} values", f"at most {SETTING_VALUES:,}")


def order_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    """Find that a campaign asks for too many orders."""
    per_prompt = math.ceil(campaign.drafts.per_prompt / campaign.drafts.images_per_request)
    orders = campaign.n_rows * len(campaign.arms) * per_prompt
    if orders > ORDERS:
        what = (
            f"makes {orders:,} orders: {campaign.n_rows:,} rows, {len(campaign.arms)} arms,"
            f" {per_prompt:,} requests of each"
        )
        yield CampaignFault(("drafts", "per_prompt"), what, f"at most {ORDERS:,} orders in a run")


def _count(value: object) -> int:
    """Count the values in lists and mappings."""
    count, waiting = 0, [value]
    while waiting:
        count += 1
        part = waiting.pop()
        waiting += part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return count


def _variables_faults(variables: Mapping[str, Any]) -> Iterator[CampaignFault]:
    lists = [values for values in variables.values() if isinstance(values, list)]
    path: KeyPath = ("variables",)
    yield from _too_many(path, math.prod(map(len, lists)), len(variables))
    for name, values in variables.items():
        yield from _name_faults((*path, name), name)
        if isinstance(values, list):
            for index, value in enumerate(values):
                yield from _value_faults((*path, name, str(index)), value)


def _rows_faults(rows: list[Any]) -> Iterator[CampaignFault]:
    widest = max((len(row) for row in rows if isinstance(row, dict)), default=0)
    too_many = list(_too_many(("rows",), len(rows), widest))
    yield from too_many
    if too_many:
        return
    characters = 0
    for index, row in enumerate(rows):
        for name, value in row.items() if isinstance(row, dict) else ():
            path = ("rows", str(index), name)
            yield from _name_faults(path, name)
            yield from _value_faults(path, value)
            characters += len(name) + (len(value) if isinstance(value, str) else 1)
    if characters > ROWS_CHARACTERS:
        what = f"have {characters:,} characters, names included"
        yield CampaignFault(("rows",), what, f"at most {ROWS_CHARACTERS:,}")


def _too_many(path: KeyPath, rows: int, width: int) -> Iterator[CampaignFault]:
    if rows > ROWS:
        yield CampaignFault(path, f"make {rows:,} rows", f"at most {ROWS:,}")
    elif rows * width > ROW_VALUES:
        what = f"make {rows * width:,} values: {rows:,} rows of {width:,} variables"
        yield CampaignFault(path, what, f"at most {ROW_VALUES:,}")


def _name_faults(path: KeyPath, name: str) -> Iterator[CampaignFault]:
    if not _VARIABLE_NAME.fullmatch(name):
        near = nearest_name(name, VARIABLE_PATTERN)
        what = f"{name[:60]!r} is no name of a variable" + (f" (did you mean {near}?)" if near else "")
        yield CampaignFault(path, what, VARIABLE_WORDS)


def _value_faults(path: KeyPath, value: object) -> Iterator[CampaignFault]:
    if not isinstance(value, str | int | float):  # a bool is an int
        if value is None:
            yield CampaignFault(path, "is null", f'{ACCEPTED_VALUE}; for the word, "null" in quotes')
        else:
            kind = "mapping" if isinstance(value, dict) else "list"
            yield CampaignFault(path, f"is a {kind}", ACCEPTED_VALUE)
