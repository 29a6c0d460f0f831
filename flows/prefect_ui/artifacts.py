"""Prefect artifacts of a run: progress while it buys, then a summary, its finalists and a link.

Progress is updated once per batch. If the server does not accept an artifact in time, the run continues
without it: asking again would hold up a purchase.
"""

import asyncio
import base64
import io
import time
from collections.abc import Awaitable
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
from prefect.exceptions import PrefectException
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
LIMIT_S = 5.0
"""How long the server may take for an artifact."""
REST_S = 30.0
"""How long no progress is shown after it took longer."""


class Progress:
    """The progress of a stage, as a bar in Prefect's UI.

    Args:
        key: The artifact's key.
        stage: ``draft`` or ``final``.
        n_orders: How many orders the stage has; with 0, nothing is shown.
    """

    def __init__(self, key: str, stage: str, n_orders: int) -> None:
        self._key, self._stage, self._n_orders = key, stage, n_orders
        self._n_done = 0
        self._not_before_s = 0.0
        self._artifact_id: UUID | None = None

    async def begin(self) -> None:
        """Show an empty bar."""
        if self._n_orders:
            description = f"{self._stage}s: {self._n_orders} orders"
            await self._show(self._create(description))

    async def add(self, n_orders: int) -> None:
        """Move the bar by a batch of orders."""
        self._n_done += n_orders
        if self._artifact_id is not None and time.monotonic() >= self._not_before_s:
            percent = 100 * min(self._n_done / self._n_orders, 1)
            await self._show(aupdate_progress_artifact(self._artifact_id, progress=percent))

    async def _create(self, description: str) -> None:
        made = await acreate_progress_artifact(progress=0.0, key=self._key, description=description)
        self._artifact_id = made if isinstance(made, UUID) else made.id

    async def _show(self, request: Awaitable[object]) -> None:
        if not await _is_accepted(request):
            self._not_before_s = time.monotonic() + REST_S


async def show_outcome(run: "Session", outcome: Outcome) -> None:
    """Create a summary with thumbnails, a table of finalists and a link to the report."""
    key, markdown = run.campaign.name, markdown_of(outcome)
    finalists = [_finalist_row(run, row) for row in outcome.finalists[:MOST_FINALISTS_SHOWN]]
    link = report_link(outcome.folder)

    async def create() -> None:
        await acreate_markdown_artifact(key=f"{key}-report", markdown=markdown)
        await acreate_table_artifact(key=f"{key}-finalists", table=finalists)
        await acreate_link_artifact(key=f"{key}-page", link=link, link_text="Report")

    await _is_accepted(create())


def report_link(folder: str) -> str:
    """Return the address of the report in a run's folder; with a store, the address in the store."""
    return shared_address(Path(folder) / REPORT_FILE)


def _finalist_row(run: "Session", row: dict[str, Any]) -> dict[str, Any]:
    rows, index = run.campaign.all_rows, row["row"]
    values = rows[index] if index < len(rows) else {}
    variables = {f"var_{name}": value for name, value in values.items()}
    return row | {"row": index + 1} | variables | {"file": str(run.folder / row["file"])}


def markdown_of(outcome: Outcome) -> str:
    """Describe a run's outcome: verdict, figures, money and thumbnails of the finalists."""
    counts = ", ".join(f"{count} {state}" for state, count in sorted(outcome.orders.items()))
    lines = [
        f"# {outcome.campaign} · {outcome.run_id}",
        outcome.verdict,
        f"**{outcome.state}** — {outcome.pictures} drafts, {outcome.duplicates} duplicates, "
        f"{len(outcome.finalists)} finalists, {outcome.accepted} finals accepted.",
        f"Spent {format_usd(outcome.spent_usd)}; orders: {counts}.",
        outcome.message,
        *_thumbnails(outcome),
        f"[The full report]({report_link(outcome.folder)})",
    ]
    return "\n\n".join(line for line in lines if line)


def _thumbnails(outcome: Outcome) -> list[str]:
    """Show the best finalists side by side, as finals if there are any; each adds a few kilobytes."""
    pictures = []
    for row in outcome.finalists[:MOST_THUMBNAILS]:
        source = _small_picture(Path(outcome.folder) / (row["final"] or row["file"]))
        if source is not None:
            name = f"{row['rank']}: {row['arm']}, row {row['row'] + 1}"
            pictures.append(f"![{name}]({source} '{name}')")
    return [" ".join(pictures)] if pictures else []


def _small_picture(file: Path) -> str | None:
    """Make a data URL of a picture; ``None`` if it cannot be read."""
    stream = io.BytesIO()
    try:
        shrink(decode(file), THUMBNAIL_PX).convert("RGB").save(stream, "WEBP", quality=70)
    except (PictureError, OSError):
        return None
    return f"data:image/webp;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"


async def _is_accepted(request: Awaitable[object]) -> bool:
    """Return whether the server accepts an artifact in time; otherwise the run continues without it."""
    try:
        await asyncio.wait_for(request, LIMIT_S)
    except (httpx.HTTPError, PrefectException, TimeoutError, ValueError) as error:
        get_logger("runoff").warning("Prefect did not accept an artifact: %r", error)
        return False
    return True
