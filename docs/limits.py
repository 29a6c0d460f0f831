"""The table of limits, from the constants of ``tasks.limits`` and the text below each."""

import ast
from collections.abc import Iterator
from inspect import cleandoc, getsource

from tasks import limits


def limits_table() -> Iterator[str]:
    """Write one row for each limit: its name, its value, and what it bounds.

    Raises:
        ValueError: A limit has no text below it.
    """
    yield "| limit | value | meaning |"
    yield "|---|---|---|"
    body = ast.parse(getsource(limits)).body
    for statement, following in zip(body, [*body[1:], None], strict=True):
        if not isinstance(statement, ast.Assign) or not isinstance(name := statement.targets[0], ast.Name):
            continue
        below = following.value if isinstance(following, ast.Expr) else None
        text = str(below.value) if isinstance(below, ast.Constant) else ""
        if not text:
            message = f"tasks/limits.py has no text below {name.id}"
            raise ValueError(message)
        meaning = " ".join(cleandoc(text).split()).replace("|", "\\|")
        yield f"| `{name.id}` | {_shown(getattr(limits, name.id))} | {meaning} |"


def _shown(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
