"""The lineage file beside each final: which draft and requests it was made from.

``finals/<name>.json`` is for a final that is used outside of the run's folder: its draft, both orders, their
cost, and its fidelity to the draft. It is derived from the report rows alone, so it can be written again,
byte for byte, while the ledger does not change.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any

from tasks.report_page.rows import Row, ancestors, is_draft, is_final
from tasks.storage.atomic import write_atomically

_RUN = ("run_id", "campaign", "provider")
_PICTURE = (
    "candidate_id", "file", "sha256", "bytes", "width", "height", "format", "c2pa", "c2pa_issuer",
    "c2pa_state", "downgraded",
)  # fmt: skip
_ORDER = (
    "order_id", "vendor_request_id", "model", "quality", "size", "prompt", "sent_at", "latency_s", "cost_usd",
)  # fmt: skip
_MADE = ("edition", "endpoint")
_PLACE = ("arm", "row", "replicate")
_CHOICE = ("score", "rank", "chosen_by", "selection_reason")
_FIDELITY = (
    "fidelity", "fidelity_ssim", "fidelity_hash_bits", "fidelity_palette", "fidelity_zoom", "fidelity_shift",
    "fidelity_tone", "fidelity_mirrored",
)  # fmt: skip


def write_lineage(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Write the lineage of every final that was compared with its draft; each file is replaced atomically.

    Args:
        rows: The run's report rows, drafts and finals.
        folder: The run's folder.

    Returns:
        The files, in the rows' order.

    Raises:
        SettingError: The folder cannot be written; files written before stay.
    """
    drafts = {row["candidate_id"]: row for row in rows if is_draft(row) and row["candidate_id"]}
    written = []
    for row in rows:
        if is_final(row) and row["accepted"] is not None and row["draft_id"] in drafts:
            file = folder / lineage_file(row["file"])
            draft = drafts[row["draft_id"]]
            lineage = describe_lineage(row, draft, ancestors(draft, drafts))
            text = json.dumps(lineage, indent=2, ensure_ascii=False, default=_plain)
            write_atomically(file, f"{text}\n".encode())
            written.append(file)
    return written


def lineage_file(final: str) -> str:
    """Return the lineage file of a final's file, both relative to the run's folder."""
    return str(PurePosixPath(final).with_suffix(".json"))


def describe_lineage(final: Row, draft: Row, grown_from: Sequence[Row] = ()) -> dict[str, Any]:
    """Describe a final and its draft.

    Args:
        final: The final's report row.
        draft: The report row of the draft that it was made from.
        grown_from: Those of the drafts that it grew from in turn, the nearest first.

    Returns:
        ``run``, ``final`` and ``draft``, with the report's column names; unknown values are ``None``. A draft
        of a further round has ``grown_from`` too.
    """
    origins = [_take(row, (*_PICTURE, *_PLACE, *_ORDER, "further_round")) for row in grown_from]
    described = {
        "run": _take(final, _RUN),
        "final": _take(final, (*_PICTURE, *_MADE, *_ORDER, *_FIDELITY, "accepted", "selection_reason")),
        "draft": _take(draft, (*_PICTURE, *_PLACE, *_ORDER, *_CHOICE)),
    }
    return described | {"grown_from": origins} if origins else described


def _take(row: Row, names: Sequence[str]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _plain(value: object) -> object:
    """Write times as ISO 8601 in UTC, and money as text, because it is exact."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    message = f"{value!r} cannot be written to a lineage"
    raise TypeError(message)
