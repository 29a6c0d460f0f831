"""Prefect artifacts of a run: progress while it buys, then one with all: verdict, money, finalists, link.

Progress is updated once per batch. If the server does not accept an artifact in time, the run continues
without it: asking again would hold up a purchase.
"""

import asyncio
import base64
import io
import re
import time
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
from prefect.artifacts import (
    acreate_markdown_artifact,
    acreate_progress_artifact,
    aupdate_progress_artifact,
)
from prefect.exceptions import PrefectException
from prefect.logging import get_logger

from flows.prefect_ui.flow_names import tag_flow_run
from flows.runs.outcome import Outcome
from tasks.errors import PictureError
from tasks.money import count_of, format_usd
from tasks.pictures.decoding import decode, shrink
from tasks.settings import PUBLIC_URL_VARIABLE, Settings
from tasks.storage.home import REPORT_PAGE
from tasks.storage.mirror import shared_address

if TYPE_CHECKING:
    from flows.session.session import Session

MOST_FINALISTS_SHOWN = 200
MOST_THUMBNAILS = 12
THUMBNAIL_PX = 160
MOST_CELL_CHARACTERS = 80
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#!|&])")
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
        self._n_in_batches, self._n_wanted, self._n_shown = 0, 0, 0
        self._moving = asyncio.Lock()
        self._not_before_s = 0.0
        self._artifact_id: UUID | None = None

    async def begin(self) -> None:
        """Show an empty bar."""
        if self._n_orders:
            description = f"{self._stage}s: {count_of(self._n_orders, 'request')}"
            await self._show(self._create(description))

    async def add(self, n_orders: int) -> None:
        """Move the bar by a batch of orders."""
        self._n_in_batches += n_orders
        await self.reach(self._n_in_batches)

    async def reach(self, n_done: int) -> None:
        """Move the bar to a number of orders, never backwards.

        The server is asked one after another: what is asked at once arrives in any order. Of those that wait,
        the last counts.

        Args:
            n_done: The orders of the stage that have ended, in whole batches or not.
        """
        n_done = min(n_done, self._n_orders)
        if self._artifact_id is None or n_done <= self._n_shown:
            return
        self._n_wanted = max(self._n_wanted, n_done)
        async with self._moving:
            is_last = self._n_shown < n_done == self._n_wanted
            if is_last and time.monotonic() >= self._not_before_s:
                self._n_shown = n_done
                await self._show(
                    aupdate_progress_artifact(self._artifact_id, progress=100 * n_done / self._n_orders)
                )

    async def _create(self, description: str) -> None:
        made = await acreate_progress_artifact(progress=0.0, key=self._key, description=description)
        self._artifact_id = made if isinstance(made, UUID) else made.id

    async def _show(self, request: Awaitable[object]) -> None:
        if not await _is_accepted(request):
            self._not_before_s = time.monotonic() + REST_S


async def show_outcome(run: "Session", outcome: Outcome) -> None:
    """Create the run's artifact, and tag its flow run with what became of it."""
    link = report_link(outcome.folder, run.prepared.settings)
    markdown = await asyncio.to_thread(markdown_of, outcome, run.campaign.all_rows, link)

    async def create() -> None:  # one after the other: a server on SQLite may lock both out for a minute
        await acreate_markdown_artifact(
            key=f"{run.campaign.name}-report", markdown=markdown, description=description_of(outcome)
        )
        await tag_flow_run(outcome.campaign, outcome.state)

    await _is_accepted(create())


def report_link(folder: str, settings: Settings | None = None) -> str:
    """Return an address of a run: on the review page where ``RUNOFF_PUBLIC_URL`` is set, else of its report.

    Args:
        folder: The run's folder.
        settings: The environment.
    """
    public = (settings.environ.get(PUBLIC_URL_VARIABLE) or "").rstrip("/") if settings else ""
    if public.startswith(("https://", "http://")):
        return f"{public}/runs/{Path(folder).name}"
    return shared_address(Path(folder) / REPORT_PAGE)


def description_of(outcome: Outcome) -> str:
    """Describe a run in one line, for the card that leads to its artifact."""
    finals = f", {outcome.accepted} accepted" if outcome.finals else ""
    return (
        f"{outcome.state} · {format_usd(outcome.spent_usd)} · "
        f"{count_of(len(outcome.finalists), 'finalist')}{finals}"
    )


def markdown_of(outcome: Outcome, rows: Sequence[Mapping[str, Any]], link: str) -> str:
    """Describe a run's outcome: verdict, figures, money, and the finalists with thumbnails and labels.

    Args:
        outcome: What became of the run.
        rows: The campaign's rows of variables.
        link: Where more is seen.
    """
    counts = ", ".join(f"{count} {state}" for state, count in sorted(outcome.orders.items()))
    lines = [
        f"# {outcome.campaign} · {outcome.run_id}",
        outcome.verdict,
        f"**{outcome.state}** — {outcome.pictures} drafts, {outcome.duplicates} duplicates, "
        f"{len(outcome.finalists)} finalists, {outcome.accepted} finals accepted.",
        f"Spent {format_usd(outcome.spent_usd)}; requests: {counts}.",
        outcome.decide,
        outcome.message,
        _finalists_table(outcome, rows),
        f"[Look, vote and choose]({link})"
        if outcome.state == "awaiting review"
        else f"[See all of it]({link})",
    ]
    return "\n\n".join(line for line in lines if line)


def _finalists_table(outcome: Outcome, rows: Sequence[Mapping[str, Any]]) -> str:
    """List the finalists, the best first, each with a small picture of a few kilobytes; finals if bought."""
    if not outcome.finalists:
        return ""
    lines = ["| # | picture | arm | row | variables | score | final |", "|---|---|---|---|---|---|---|"]
    for place, one in enumerate(outcome.finalists[:MOST_FINALISTS_SHOWN]):
        source = None
        if place < MOST_THUMBNAILS:
            source = small_picture(Path(outcome.folder) / (one["final"] or one["file"]))
        label = f"{one['arm']}, row {one['row'] + 1}"
        values = rows[one["row"]] if one["row"] < len(rows) else {}
        cells = (
            one["rank"] or place + 1,
            f"![{_cell(label)}]({source})" if source else "–",
            _cell(one["arm"]),
            one["row"] + 1,
            _cell(", ".join(map(str, values.values()))),
            "–" if one["score"] is None else f"{one['score']:.2f}",
            "accepted" if one["final"] else "–",
        )
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Make a text one that stays in its cell, and is no markup."""
    plain = " ".join(text.split())[:MOST_CELL_CHARACTERS]
    return _MARKUP.sub(r"\\\1", plain)


def small_picture(file: Path) -> str | None:
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
