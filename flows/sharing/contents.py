"""What is handed on of a run: files with their names, and the report's rows that name these files.

Finalists and finals are the provider's bytes, untouched, so that their Content Credentials stay valid. Other
unique images are there in a chosen size. Nothing names a place on the disk that it came from.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from flows.run_report import GatheredReport
from flows.runs.lock import fetch_files
from flows.runs.run import StoredRun
from tasks.errors import PictureError
from tasks.pictures.bought import read_bought
from tasks.pictures.decoding import decode, make_thumbnail
from tasks.redaction import hide_secrets
from tasks.report_page.facts import RunFacts
from tasks.report_page.rows import is_draft, is_final, is_unique_image
from tasks.storage.atomic import write_atomically

PICTURES = "pictures"
"""The folder of drafts in the chosen size."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Contents:
    """The pictures that are handed on.

    Args:
        rows: The report's rows; ``file`` names a file that is handed on, or is ``None``.
        facts: The report's facts, without paths of this machine.
        left_out: Why a finalist or final is not there, by its candidate id.
    """

    rows: list[Row]
    facts: RunFacts
    left_out: dict[str, str] = field(default_factory=dict)


def write_pictures(run: StoredRun, gathered: GatheredReport, folder: Path, draft_px: int) -> Contents:
    """Write the pictures of a run into a folder that is handed on.

    Args:
        run: The run.
        gathered: Its report.
        folder: Where they go.
        draft_px: The longest edge of unique images that are no finalists, px; 0 leaves them out.

    Raises:
        SettingError: The folder cannot be written, or the store cannot be read.
    """
    chosen = _chosen(gathered.rows)
    wanted = [row for row in gathered.rows if row["file"] and (row["candidate_id"] in chosen or draft_px)]
    fetch_files(run.folder, [row["file"] for row in wanted])
    clean, left_out = Cleaner(run), dict[str, str]()
    used: set[str] = set()
    rows = []
    for row in gathered.rows:
        name = None
        if row["candidate_id"] in chosen:
            name = _copied(run.folder, row, folder, used, left_out)
        elif row["file"] and draft_px and is_draft(row) and is_unique_image(row):
            name = _shrunk(run.folder, row, folder, draft_px)
        thumbnail = _thumbnail(run.folder, row, folder)
        rows.append(clean.row(row) | {"file": name, "named_file": None, "thumbnail": thumbnail})
    return Contents(rows, clean.facts(gathered.facts), left_out)


def _chosen(rows: Sequence[Row]) -> set[str]:
    """Name the pictures that are handed on in full: finals, their drafts, and finalists."""
    promoted = {row["draft_id"] for row in rows if is_final(row)}
    return {
        row["candidate_id"]
        for row in rows
        if row["candidate_id"]
        and (is_final(row) or (is_draft(row) and (row["finalist"] or row["candidate_id"] in promoted)))
    }


def _copied(source: Path, row: Row, folder: Path, used: set[str], left_out: dict[str, str]) -> str | None:
    """Copy a picture as it was bought, a final under the campaign's own name for it if it has one."""
    try:
        data = read_bought(source / str(row["file"]), row["sha256"])
    except PictureError as error:
        left_out[row["candidate_id"]] = f"its file {error.what}"
        return None
    own = PurePosixPath(row["named_file"] or row["file"])
    name = f"{'finals' if is_final(row) else 'drafts'}/{own.name}"
    if name in used:
        name = str(PurePosixPath(row["file"]))
    used.add(name)
    write_atomically(folder / name, data, is_durable=False)
    return name


def _shrunk(source: Path, row: Row, folder: Path, draft_px: int) -> str | None:
    try:
        small = make_thumbnail(decode(read_bought(source / row["file"], row["sha256"])), draft_px)
    except PictureError:
        return None
    name = f"{PICTURES}/{PurePosixPath(row['file']).stem}.webp"
    write_atomically(folder / name, small, is_durable=False)
    return name


def _thumbnail(source: Path, row: Row, folder: Path) -> str | None:
    name = row["thumbnail"]
    file = source / str(name)
    if not name or not file.is_file():
        return None
    write_atomically(folder / name, file.read_bytes(), is_durable=False)
    return str(name)


class Cleaner:
    """Takes the places of this machine and secrets out of texts.

    Args:
        run: The run, whose home, folder and references are such places.
    """

    def __init__(self, run: StoredRun) -> None:
        places = {
            run.folder,
            run.home,
            Path.home(),
            Path.cwd(),
            *_places(run.campaign.model_dump(mode="json")),
        }
        named = sorted((str(one) for one in places if len(one.parts) > 1), key=len, reverse=True)
        self._places = re.compile(
            "|".join(rf"(?<![\w/.-]){re.escape(one)}/?(?![\w-])" for one in named) or "$^"
        )

    def text(self, text: str) -> str:
        """Return a text without them; what lies in such a place keeps its name."""
        return hide_secrets(re.sub(self._places, "", text))

    def row(self, row: Row) -> Row:
        """Return a report row without them."""
        return {key: self.text(value) if isinstance(value, str) else value for key, value in row.items()}

    def facts(self, facts: RunFacts) -> RunFacts:
        """Return the facts of a report without them."""
        warnings = tuple(self.text(one) for one in facts.warnings)
        return replace(facts, warnings=warnings, campaign_yaml=self.text(facts.campaign_yaml))


def _places(value: object) -> Iterator[Path]:
    """List the folders of all absolute paths in a campaign."""
    if isinstance(value, dict):
        for one in value.values():
            yield from _places(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _places(one)
    elif isinstance(value, str) and value.startswith("/") and "\n" not in value:
        yield Path(value).parent
