"""The accepted finals as a zip with a manifest, streamed while it is made.

The pictures are the provider's bytes, unchanged: Content Credentials stay valid.
"""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from flows.review.page_context import RunView
from flows.runs.lock import fetch_files
from flows.runs.named_finals import name_finals
from tasks.candidate import Candidate
from tasks.errors import PictureError
from tasks.pictures.bought import MISSING, read_bought

CHUNK_BYTES = 256 * 1024
MANIFEST = "manifest.json"
FIXED_DATE = (1980, 1, 1, 0, 0, 0)
"""Equal pictures make equal archives, whenever they are downloaded."""


class _Outbox(io.RawIOBase):
    """An append-only file whose content is taken out to be sent."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        """Return that it can be written."""
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        """Append bytes to send."""
        self._parts.append(bytes(data))
        return len(self._parts[-1])

    def take(self) -> bytes:
        """Return what was written since the last call."""
        data = b"".join(self._parts)
        self._parts.clear()
        return data


def stream_accepted(run: RunView) -> Iterator[bytes]:
    """Make the archive in pieces; one picture is in memory at a time.

    A picture whose file is gone or is not what was bought is left out, and the manifest says so.
    """
    outbox = _Outbox()
    finals = [final for final in run.finals if final.is_accepted]
    fetch_files(run.folder, [final.file for final in finals])
    names, left_out = _names(finals, name_finals(run.campaign, finals)), {}
    with zipfile.ZipFile(outbox, "w", zipfile.ZIP_STORED) as archive:
        for final in finals:
            try:
                data = read_bought(_inside(run.folder, final.file), final.sha256)
            except PictureError as fault:
                left_out[final.candidate_id] = fault.what
                continue
            entry = zipfile.ZipInfo(names[final.candidate_id], FIXED_DATE)
            with archive.open(entry, "w", force_zip64=True) as target:
                for start in range(0, len(data), CHUNK_BYTES):
                    target.write(data[start : start + CHUNK_BYTES])
                    yield outbox.take()
        archive.writestr(zipfile.ZipInfo(MANIFEST, FIXED_DATE), _manifest(run, finals, names, left_out))
    yield outbox.take()


def _names(finals: list[Candidate], own: Mapping[str, str]) -> dict[str, str]:
    """Name each picture inside the archive: by the campaign's ``files``, else by its file.

    Its id is put in front if needed to be unique.
    """
    names: dict[str, str] = {}
    for final in finals:
        name = own.get(final.candidate_id) or PurePosixPath(final.file.replace("\\", "/")).name
        is_used = name in names.values() or name in ("", "..", MANIFEST)
        names[final.candidate_id] = f"{final.candidate_id}-{name.strip('.')}" if is_used else name
    return names


def _inside(folder: Path, file: str) -> Path:
    """Return a file's path within the run's folder.

    Raises:
        PictureError: It is elsewhere.
    """
    path = (folder / file).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise PictureError(where=file, what=MISSING, money="")
    return path


def _manifest(
    run: RunView, finals: list[Candidate], names: dict[str, str], left_out: Mapping[str, str]
) -> bytes:
    drafts = {draft.candidate_id: draft for draft in run.drafts}
    rows = run.campaign.all_rows
    accepted_by = {one.candidate_id: one.decided_by for one in run.ledger.acceptances.of_run(run.run_id)}
    pictures = [
        {
            "file": names[final.candidate_id],
            "arm": final.arm,
            "row": final.row + 1,
            "row_index": final.row,
            "replicate": final.replicate + 1,
            "variables": dict(rows[final.row]) if final.row < len(rows) else {},
            "prompt": final.prompt,
            "draft": drafts[final.draft_id].name if final.draft_id in drafts else None,
            "sha256": final.sha256,
            "bytes": final.n_bytes,
            "fidelity": final.fidelity and final.fidelity.value,
            "accepted_by": accepted_by.get(final.candidate_id, "rule"),
        }
        for final in finals
        if final.candidate_id not in left_out
    ]
    missing = [
        {
            "file": names[final.candidate_id],
            "sha256": final.sha256,
            "why": f"its file {left_out[final.candidate_id]}",
        }
        for final in finals
        if final.candidate_id in left_out
    ]
    facts = {"campaign": run.record.campaign, "run_id": run.run_id, "pictures": pictures, "left_out": missing}
    return json.dumps(facts, indent=2, ensure_ascii=False).encode()
