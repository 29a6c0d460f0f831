"""Writes a benchmark's figures into ``benchmarks/README.md``, between its two marker lines."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

README = Path(__file__).parent / "README.md"


def write_figures(module: str, text: str) -> None:
    """Replace a benchmark's figures, and say when and on what machine they were measured.

    Args:
        module: The benchmark, as ``benchmarks.planted_errors``.
        text: Markdown.

    Raises:
        ValueError: The page has no place for them.
    """
    begin, end = f"<!-- figures: written by `python -m {module}`. -->", f"<!-- figures: end of {module}. -->"
    page = README.read_text(encoding="utf-8")
    if begin not in page or end not in page:
        message = f"{README} has no lines {begin} and {end}"
        raise ValueError(message)
    head, _, rest = page.partition(begin)
    measured = f"Measured on {datetime.now(UTC):%Y-%m-%d}, {describe_machine()}."
    README.write_text(
        f"{head}{begin}\n\n{measured}\n\n{text.strip()}\n\n{end}{rest.partition(end)[2]}", encoding="utf-8"
    )


def describe_machine() -> str:
    """Describe the machine: its cores, memory, Python and system, and how busy it was in the last minutes."""
    memory_gb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    last_minute, _, quarter = os.getloadavg()
    python, system = platform.python_version(), platform.system()
    machine = f"{os.cpu_count()} cores, {memory_gb:.0f} GB, Python {python}, {system}"
    load = f"load average {last_minute:.1f} (one minute) and {quarter:.1f} (a quarter of an hour)"
    return f"{machine}; {load}"
