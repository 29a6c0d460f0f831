"""The values of variables: what a row of a campaign may hold."""

import math
from datetime import date
from typing import Annotated

from pydantic import BeforeValidator

_EMPTY = ("NAType", "NaTType")
"""What pandas has in the empty cells of columns that are not of floats."""
Scalar = str | int | float | bool


def _plain(value: object) -> object:
    """Take NumPy's numbers as Python's own and days as text, and refuse what a table has in an empty cell."""
    if type(value).__module__ == "numpy" and hasattr(value, "item"):
        value = value.item()  # else 3 would be 3.0
    is_empty = value is None or type(value).__name__ in _EMPTY
    if is_empty or (isinstance(value, float) and not math.isfinite(value)):
        message = "text, a finite number, true or false; an empty text for an empty cell"
        raise ValueError(message)
    return value.isoformat() if isinstance(value, date) else value


Value = Annotated[Scalar, BeforeValidator(_plain)]
"""A variable's value in one row."""
