"""Prompts from a CSV file or a text file, for a new campaign.

A CSV's rows are the campaign's rows. In a text file each line is a row, or an arm if it has a
``{{ variable }}``.
"""

from collections.abc import Sequence
from pathlib import Path

from tasks.campaign_file.csv_rows import read_csv
from tasks.campaign_file.row_values import Row
from tasks.campaign_file.rows import decode_text
from tasks.errors import CampaignError
from tasks.limits import ROWS_BYTES
from tasks.new_campaign.collected import AGAIN, MOST_ARMS, ArmText, Collected, arm_name, variable_name
from tasks.storage.regular_file import read_regular
from tasks.text import is_blank

TEXT_COLUMNS = ("prompt", "text", "subject", "description", "title", "name", "product")
"""Columns that most likely say what is in the picture, the likeliest first."""

NO_SUBJECT = ("id", "sku", "file", "url", "date", "price", "ean", "gtin")


def collect_csv(file: Path, folder: Path) -> Collected:
    """Take the rows of a CSV file.

    Args:
        file: The file.
        folder: Where the campaign file will be; the file is named relative to it.

    Returns:
        Rows, or the file's name where every column already has a variable's name; without arms, see
        ``subject_of``.

    Raises:
        RowsFaultError: A line has too few or too many fields, or a value that cannot be sent.
        OSError: It cannot be read.
    """
    renamed: dict[str, str] = {}

    def rename(names: list[str]) -> list[str]:
        found: list[str] = []
        for name in names:
            found.append(variable_name(name, found) if name else name)
            if found[-1] != name:
                renamed[name] = found[-1]
        return found

    rows = read_csv(file, decode_text(file, read_regular(file, ROWS_BYTES)), rename).rows
    if not rows:
        raise CampaignError(
            str(file), ["has no rows, accepted: names in the first line, then a row a line"], AGAIN
        )
    if not renamed:
        inside = file.resolve().is_relative_to(folder.resolve())
        return Collected(
            about=f"Rows from {file.name}.",
            rows=tuple(rows),
            rows_file=str(file.resolve().relative_to(folder.resolve()) if inside else file.resolve()),
        )
    notes = [f"The column {old} is the variable {new}." for old, new in renamed.items()]
    return Collected(about=f"Rows from {file.name}.", rows=tuple(rows), not_taken=tuple(notes))


def subject_of(rows: Sequence[Row]) -> str:
    """Write the part of a prompt that says what is in the picture, from the columns that every row fills.

    Example:
        >>> subject_of([{"sku": "A1", "product": "mug", "colour": "green"}])
        '{{ product }}, {{ colour }}'
    """
    full = [name for name in rows[0] if not any(is_blank(str(row[name])) for row in rows)]
    names = [name for name in full if name.lower() not in NO_SUBJECT] or full or list(rows[0])
    first = [name for wished in TEXT_COLUMNS for name in names if name.lower() == wished][:1]
    if first and first[0] in ("prompt", "text"):
        return _placeholder(first[0])
    others = [name for name in names if name not in first]
    return ", ".join(_placeholder(name) for name in [*first, *others][:4])


def _placeholder(name: str) -> str:
    return "{{ " + name + " }}"


def collect_lines(file: Path) -> Collected:
    """Take the prompts of a text file, one on each line.

    Raises:
        CampaignError: There is none.
        RowsFaultError: It is no text.
        OSError: It cannot be read.
    """
    lines = decode_text(file, read_regular(file, ROWS_BYTES)).splitlines()
    prompts = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not prompts:
        raise CampaignError(str(file), ["has no prompts, accepted: one on each line"], AGAIN)
    if table := next((number for number, line in enumerate(lines, 1) if "\t" in line.strip()), None):
        fault = f"line {table} has a tab, as the rows of a table have, accepted: prompts without tabs, one on"
        raise CampaignError(str(file), [f"{fault} each line; or a table named .tsv or .csv"], AGAIN)
    templates = [prompt for prompt in prompts if "{{" in prompt or "{%" in prompt]
    rows = tuple({"text": prompt} for prompt in prompts if prompt not in templates)
    if not templates:
        return Collected(about=f"Prompts from {file.name}.", rows=rows)
    arms: list[ArmText] = []
    for prompt in templates[:MOST_ARMS]:
        arms.append(ArmText(arm_name(prompt, [arm.name for arm in arms]), prompt))
    notes = [f"Line not taken, arms have variables: {row['text']}" for row in rows]
    notes += [f"Prompt not taken, at most {MOST_ARMS} arms: {prompt}" for prompt in templates[MOST_ARMS:]]
    return Collected(about=f"Prompts from {file.name}.", arms=tuple(arms), not_taken=tuple(notes))
