"""Files stored by the emulator: uploads on disk, and batch results, generated while they are read."""

import shutil
import tempfile
import weakref
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tasks.emulator import refusals

PIECE_BYTES = 65_536


class Content(Protocol):
    """What a file holds."""

    @property
    def count(self) -> int:
        """Number of pieces it is read in."""

    async def size_bytes(self) -> int:
        """Number of bytes."""

    def pieces(self) -> AsyncGenerator[bytes, None]:
        """The bytes, a piece at a time."""


class DiskContent:
    """The content of an upload.

    Args:
        path: Where it is stored.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def count(self) -> int:
        """Number of pieces it is read in."""
        return -(-self.path.stat().st_size // PIECE_BYTES)

    async def size_bytes(self) -> int:
        """Number of bytes."""
        return self.path.stat().st_size

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The bytes, a piece at a time."""
        with self.path.open("rb") as stream:
            while piece := stream.read(PIECE_BYTES):
                yield piece


@dataclass(slots=True)
class StoredFile:
    """One file.

    Args:
        id: Its id.
        content: What it holds.
        filename: The name it was uploaded with.
        purpose: ``batch``, ``batch_output``, ``vision`` or ``user_data``.
        created_at: Seconds since 1970.
        expires_at: Seconds since 1970; ``None`` for never.
        is_deleted: Whether it was deleted; a batch created before can still read it.
    """

    id: str
    content: Content
    filename: str
    purpose: str
    created_at: int
    expires_at: int | None = None
    is_deleted: bool = False

    async def as_wire(self) -> dict[str, Any]:
        """The file as JSON of the files endpoint."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": await self.content.size_bytes(),
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
            "status_details": None,
        }


class FileStore:
    """All files, in a temporary folder that is deleted with the store.

    Args:
        now_s: The clock, seconds since 1970.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._files: dict[str, StoredFile] = {}
        self._folder: Path | None = None
        self._paths = 0

    def new_path(self) -> Path:
        """A new path on disk for an upload."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="emulator-files-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._paths += 1
        return self._folder / str(self._paths)

    def add(self, content: Content, filename: str, purpose: str, lifetime_s: int | None = None) -> StoredFile:
        """Keep a file.

        Args:
            content: What it holds.
            filename: Its name.
            purpose: What it is for.
            lifetime_s: Seconds until it expires; ``None`` for never.
        """
        now = int(self._now_s())
        expires_at = None if lifetime_s is None else now + lifetime_s
        id = f"file-emu{len(self._files) + 1:08d}"
        file = self._files[id] = StoredFile(id, content, filename, purpose, now, expires_at)
        return file

    def listed(self) -> list[StoredFile]:
        """All files not deleted or expired, oldest first."""
        return [file for file in self._files.values() if self._is_there(file)]

    def get(self, file_id: str, param: str | None = "id") -> StoredFile:
        """Find a file.

        Raises:
            Refusal: 404: it does not exist, or no longer.
        """
        file = self._files.get(file_id)
        if file is None or not self._is_there(file):
            raise refusals.no_such_file(file_id, param)
        return file

    def picture(self, file_id: str) -> bytes | None:
        """The bytes of an upload, or ``None``."""
        file = self._files.get(file_id)
        return self.kept_picture(file_id) if file and self._is_there(file) else None

    def kept_picture(self, file_id: str) -> bytes | None:
        """The bytes of an upload, even a deleted one, or ``None``."""
        file = self._files.get(file_id)
        return file.content.path.read_bytes() if file and isinstance(file.content, DiskContent) else None

    def _is_there(self, file: StoredFile) -> bool:
        return not file.is_deleted and (file.expires_at is None or self._now_s() < file.expires_at)
