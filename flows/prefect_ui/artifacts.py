"""What Prefect's pages show of a run: progress while it buys, then a report, its finalists, a link.

Four artifacts a run, the progress updated once a batch. They are for looking: a server that does not take one
costs the run nothing.
"""

import base64
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
from prefect.artifacts import (
    acreate_link_artifact,
    acreate_markdown_artifact,
    acreate_progress_artifact,
    acreate_table_artifact,
    aupdate_progress_artifact,
)
from prefect.logging import get_logger

from flows.runs.outcome import Outcome
from tasks.errors import PictureError
from tasks.money import format_usd
from tasks.pictures.decoding import decode, shrink
from tasks.storage.mirror import shared_address

if TYPE_CHECKING:
    from flows.session.session import Session

MOST_FINALISTS_SHOWN = 200
MOST_THUMBNAILS = 12
THUMBNAIL_PX = 160
REPORT_FILE = "report.html"


class Progress:
    """How much of a stage is done, as a bar on Prefect's pages.

    Args:
        key: The artifact's key.
        stage: ``draft`` or ``final``.
        n_orders: How many orders the stage has; nothing is shown for none.
    """

    def __init__(self, key: str, stage: str, n_orders: int) -> None:
        self._key, self._stage, self._n_orders = key, stage, n_orders
        self._n_done = 0
        self._artifact_id: UUID | None = None

    async def begin(self) -> None:
        """Show an empty bar."""
        if self._n_orders:
            async with _unimportant():
                said = f"{self._stage}s: {self._n_orders} orders"
                made = await acreate_progress_artifact(progress=0.0, key=self._key, description=said)
                self._artifact_id = made if isinstance(made, UUID) else made.id

    async def add(self, n_orders: int) -> None:
        """Move the bar by a batch of orders."""
        self._n_done += n_orders
        if self._artifact_id is not None:
            async with _unimportant():
                percent = 100 * min(self._n_done / self._n_orders, 1)
                await aupdate_progress_artifact(self._artifact_id, progress=percent)


async def show_outcome(run: "Session", outcome: Outcome) -> None:
    """Leave a report with thumbnails, a table of finalists and a link to the whole report."""
    key = run.campaign.name
    async with _unimportant():
        await acreate_markdown_artifact(key=f"{key}-report", markdown=markdown_of(outcome))
        finalists = [_finalist_row(run, row) for row in outcome.finalists[:MOST_FINALISTS_SHOWN]]
        await acreate_table_artifact(key=f"{key}-finalists", table=finalists)
        await acreate_link_artifact(key=f"{key}-page", link=report_link(outcome.folder), link_text="Report")


def report_link(folder: str) -> str:
    """Name the report of a run's folder as an address; with a store, the one that every machine has."""
    return shared_address(Path(folder) / REPORT_FILE)


def _finalist_row(run: "Session", row: dict[str, Any]) -> dict[str, Any]:
    return row | {"file": str(run.folder / row["file"])}


def markdown_of(outcome: Outcome) -> str:
    """Write what came of a run: the verdict, the figures, the money, the finalists' thumbnails."""
    counts = ", ".join(f"{count} {state}" for state, count in sorted(outcome.orders.items()))
    lines = [
        f"# {outcome.campaign} · {outcome.run_id}",
        outcome.verdict,
        f"**{outcome.state}** — {outcome.pictures} drafts, {outcome.duplicates} copies folded, "
        f"{len(outcome.finalists)} finalists, {outcome.accepted} finals accepted.",
        f"Spent {format_usd(outcome.spent_usd)}; orders: {counts}.",
        outcome.message,
        *_thumbnails(outcome),
        f"[The whole report]({report_link(outcome.folder)})",
    ]
    return "\n\n".join(line for line in lines if line)


def _thumbnails(outcome: Outcome) -> list[str]:
    """Draw the best finalists side by side, finals where there are any; each a few kilobytes in the text."""
    pictures = []
    for row in outcome.finalists[:MOST_THUMBNAILS]:
        source = _small_picture(Path(outcome.folder) / (row["final"] or row["file"]))
        if source is not None:
            name = f"{row['rank']}: {row['arm']}, row {row['row']}"
            pictures.append(f"![{name}]({source} '{name}')")
    return [" ".join(pictures)] if pictures else []


def _small_picture(file: Path) -> str | None:
    """Make a data address of a picture; ``None`` when there is none that can be read."""
    stream = io.BytesIO()
    try:
        shrink(decode(file), THUMBNAIL_PX).convert("RGB").save(stream, "WEBP", quality=70)
    except (PictureError, OSError):
        return None
    return f"data:image/webp;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"


@asynccontextmanager
async def _unimportant() -> AsyncIterator[None]:
    """Go on without an artifact that the server did not take."""
    try:
        yield
    except httpx.HTTPError as error:
        get_logger("runoff").warning("Prefect did not take an artifact: %s", error)
