"""The accepted finals as a zip with a manifest, streamed while it is made.

The pictures are the provider's bytes, unchanged: Content Credentials stay valid.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from flows.review.page_context import RunView
from flows.runs.lock import fetch_files
from tasks.candidate import Candidate

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
    """Make the archive in pieces: at most one chunk is in memory."""
    outbox = _Outbox()
    finals = [final for final in run.finals if final.is_accepted]
    fetch_files(run.folder, [final.file for final in finals])
    names = _names(finals)
    with zipfile.ZipFile(outbox, "w", zipfile.ZIP_STORED) as archive:
        for final in finals:
            path = _inside(run.folder, final.file)
            if path is None:
                continue
            entry = zipfile.ZipInfo(names[final.candidate_id], FIXED_DATE)
            with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as target:
                while chunk := source.read(CHUNK_BYTES):
                    target.write(chunk)
                    yield outbox.take()
        archive.writestr(zipfile.ZipInfo(MANIFEST, FIXED_DATE), _manifest(run, finals, names))
    yield outbox.take()


def _names(finals: list[Candidate]) -> dict[str, str]:
    """Name each picture inside the archive: its file name, with its id in front if needed to be unique."""
    names: dict[str, str] = {}
    for final in finals:
        name = PurePosixPath(final.file.replace("\\", "/")).name
        is_used = name in names.values() or name in ("", "..", MANIFEST)
        names[final.candidate_id] = f"{final.candidate_id}-{name.strip('.')}" if is_used else name
    return names


def _inside(folder: Path, file: str) -> Path | None:
    path = (folder / file).resolve()
    return path if path.is_relative_to(folder.resolve()) and path.is_file() else None


def _manifest(run: RunView, finals: list[Candidate], names: dict[str, str]) -> bytes:
    drafts = {draft.candidate_id: draft for draft in run.drafts}
    accepted_by = {one.candidate_id: one.decided_by for one in run.ledger.acceptances.of_run(run.run_id)}
    pictures = [
        {
            "file": names[final.candidate_id],
            "arm": final.arm,
            "row": final.row,
            "prompt": final.prompt,
            "draft": drafts[final.draft_id].name if final.draft_id in drafts else None,
            "sha256": final.sha256,
            "bytes": final.n_bytes,
            "fidelity": final.fidelity and final.fidelity.value,
            "accepted_by": accepted_by.get(final.candidate_id, "rule"),
        }
        for final in finals
    ]
    facts = {"campaign": run.record.campaign, "run_id": run.run_id, "pictures": pictures}
    return json.dumps(facts, indent=2, ensure_ascii=False).encode()
