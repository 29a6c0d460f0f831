"""Mirrors of an object store, used when the home is an address such as ``s3://…``.

Every machine works in a mirror on its own disk: a folder named after the address, so that a file has the same
path in every mirror. A file written there is uploaded to the store before anything refers to it. Files
written by other machines are fetched when a run is opened. Any store that fsspec supports can be used.
"""

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.errors import SettingError
from tasks.extras import install_command
from tasks.storage.given_path import expand_home, resolve_path
from tasks.storage.parts import part_of

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

HOME_VARIABLE = "RUNOFF_HOME"
MIRRORS_VARIABLE = "RUNOFF_MIRRORS"
ADDRESS_FILE = ".store"
"""The file in a mirror that contains the store's address."""

_ADDRESS = re.compile(r"(?P<protocol>[a-z][a-z0-9+.-]+):/+(?P<path>.+)")
_OF_FOLDERS = ("file", "local")
_MD5 = re.compile(r"[0-9a-f]{32}")  # S3's tag of an object uploaded in one part
_UNCHANGING = frozenset({".png", ".jpg", ".webp"})
_AT_ONCE = 100
_CLOCK_S = 2.0  # S3 reports whole seconds
_KEPT = (
    "What was bought is whole in this machine's mirror; it goes to the store with: runoff run --resume latest"
)
_mirrors: dict[str, Path] = {}
"""The mirrors used by this process, by folder name, which is the same on every machine."""

_OWN = re.compile(r"\..*")  # locks, temporary files, the engine's folder: local to a machine


def address_of(text: str) -> str | None:
    """Read an address such as ``s3://bucket/prefix``; ``None`` for a folder. A lost slash is restored."""
    found = _ADDRESS.fullmatch(text)
    if found is None:
        return None
    protocol, path = found["protocol"], found["path"].rstrip("/")
    # Else a folder's path would begin at the working folder.
    return f"{protocol}://{'/' if protocol in _OF_FOLDERS else ''}{path}"


def mirror_of(address: str, environ: Mapping[str, str]) -> Path:
    """Return the folder on this machine's disk that mirrors a store, created if missing.

    It is below ``RUNOFF_MIRRORS``, else below the user's cache folder.

    Raises:
        SettingError: It cannot be created.
    """
    mirrors = environ.get(MIRRORS_VARIABLE) or Path(environ.get("XDG_CACHE_HOME") or "~/.cache") / "runoff"
    mirror = resolve_path(expand_home(str(mirrors))) / _mirror_name(address)
    try:
        mirror.mkdir(parents=True, exist_ok=True)
        (mirror / ADDRESS_FILE).write_text(address, encoding="utf-8")
    except OSError as fault:
        raise SettingError(
            where=f"mirror {mirror}",
            what=f"cannot be written: {fault.strerror}",
            accepted="a folder on this machine's disk",
            next_step=f"Name another one in {MIRRORS_VARIABLE}.",
        ) from fault
    _mirrors[mirror.name] = mirror
    return mirror


def _mirror_name(address: str) -> str:
    return "store-" + hashlib.sha256(address.encode()).hexdigest()[:16]


def store_of(path: Path) -> "Store | None":
    """Find the store that a file or folder belongs to; ``None`` for a local one."""
    for folder in (path, *path.parents):
        if (folder / ADDRESS_FILE).is_file():
            return _store(folder)
    return None


@cache
def _store(mirror: Path) -> "Store":
    return Store(mirror, (mirror / ADDRESS_FILE).read_text(encoding="utf-8"))


def home_address(home: Path) -> str:
    """Return a home in a form that every machine understands: its store's address, else its folder."""
    store = store_of(home)
    return str(home.absolute()) if store is None else store.address


def shared_address(file: Path) -> str:
    """Return a file's address in the store, else its path on this disk."""
    store = store_of(file.parent)
    if store is None:
        return file.absolute().as_uri()
    return f"{store.address}/{file.relative_to(store.mirror).as_posix()}"


def found_here(file: Path) -> Path:
    """Map a path in another machine's mirror to this machine's; other paths stay as they are."""
    name = next((part for part in file.parts if part in _mirrors), None)
    if name is None or file.exists():
        return file
    return _mirrors[name].joinpath(*file.parts[file.parts.index(name) + 1 :])


class Store:
    """A store and this machine's mirror of it.

    Args:
        mirror: The folder on this machine's disk.
        address: Where the store is. Keys and endpoints come from the environment, as its library reads them.
    """

    def __init__(self, mirror: Path, address: str) -> None:
        self.mirror = mirror
        self.address = address

    def keep(self, files: Iterable[Path]) -> None:
        """Upload files of the mirror to the store, one by one, replacing older ones.

        Raises:
            SettingError: The store cannot be written. The files in the mirror are complete.
        """
        with _Explained(self.address, "cannot be written", _KEPT):
            for file in files:
                self._files.put_file(str(file), self._key(file))

    def fetch(self, folder: Path, wanted: Collection[Path] | None = None) -> int:
        """Download the files of a folder that are missing or different in the mirror.

        Args:
            folder: A folder of the mirror.
            wanted: Only these of its files; by default all.

        Returns:
            The number of files downloaded.

        Raises:
            SettingError: The store cannot be read. Files downloaded so far are complete.
        """
        with _Explained(self.address, "cannot be read"):
            missing = [
                (file, facts)
                for file, facts in self._facts(folder).items()
                if (wanted is None or file in wanted) and _is_behind(file, facts)
            ]
            for first in range(0, len(missing), _AT_ONCE):
                self._bring(dict(missing[first : first + _AT_ONCE]))
        return len(missing)

    def fetch_file(self, file: Path) -> None:
        """Download one file; a file that is not in the store is left unchanged.

        Raises:
            SettingError: The store cannot be read.
        """
        with _Explained(self.address, "cannot be read"):
            try:
                if _is_behind(file, facts := self._files.info(self._key(file))):
                    self._bring({file: facts})
            except FileNotFoundError:
                return

    def push(self, folder: Path) -> int:
        """Upload the files of a folder that are missing or older in the store; return their number.

        A process killed between disk and store leaves such files; so does editing a campaign.

        Raises:
            SettingError: The store cannot be read or written.
        """
        with _Explained(self.address, "cannot be read"):
            known = self._facts(folder)
        new = [
            file
            for file in sorted(folder.rglob("*"))
            if file.is_file()
            and not any(_OWN.fullmatch(part) for part in file.relative_to(folder).parts)
            and not (file in known and (_is_same(file, known[file]) or _is_behind(file, known[file])))
        ]
        self.keep(new)
        return len(new)

    def drop(self, folder: Path, files: Iterable[Path]) -> None:
        """Delete files of a folder from the store, many per call; the mirror is left unchanged.

        Raises:
            SettingError: The store cannot be read, or some of the files were not deleted.
        """
        wanted = set(files)
        if held := wanted & self.sizes(folder).keys():
            with _Explained(self.address, "does not let files be deleted"):
                self._files.rm([self._key(file) for file in sorted(held)])
        # A store may fail to delete single files of a call without an error, so check what is left.
        if held and (left := wanted & self.sizes(folder).keys()):
            raise SettingError(
                where=f"store {self.address}",
                what=f"{len(left)} of {len(held)} files were not deleted",
                next_step="Give the right to delete, then do it again.",
            )

    def sizes(self, folder: Path) -> dict[Path, int]:
        """Return the size, bytes, of every file of a folder in the store, by its path in the mirror.

        Raises:
            SettingError: The store cannot be read.
        """
        with _Explained(self.address, "cannot be read"):
            return {file: int(facts["size"]) for file, facts in self._facts(folder).items()}

    def _facts(self, folder: Path) -> dict[Path, Mapping[str, Any]]:
        return {
            self._file(key): facts for key, facts in self._files.find(self._key(folder), detail=True).items()
        }

    def _bring(self, files: Mapping[Path, Mapping[str, Any]]) -> None:
        """Download files concurrently; each is renamed when complete, and gets the store's timestamp."""
        parts = [part_of(file) for file in files]
        for folder in {file.parent for file in files}:
            folder.mkdir(parents=True, exist_ok=True)
        try:
            self._files.get([self._key(file) for file in files], [str(part) for part in parts])
            for part, (file, facts) in zip(parts, files.items(), strict=True):
                if (changed_s := _changed_s(facts)) is not None:
                    os.utime(part, (changed_s, changed_s))
                part.replace(file)
        finally:
            for part in parts:
                part.unlink(missing_ok=True)

    @property
    def _files(self) -> "AbstractFileSystem":
        return _open_store(self.address, os.getpid())[0]

    @property
    def _root(self) -> str:
        return _open_store(self.address, os.getpid())[1]

    def _key(self, file: Path) -> str:
        return "/".join((self._root, *file.relative_to(self.mirror).parts))

    def _file(self, key: str) -> Path:
        return self.mirror / key.removeprefix(f"{self._root}/")


def _is_behind(file: Path, facts: Mapping[str, Any]) -> bool:
    """Whether to download a file: missing here, or different and not changed here since."""
    if not file.exists():
        return True
    changed_s = _changed_s(facts)
    is_newer_here = changed_s is not None and file.stat().st_mtime > changed_s + _CLOCK_S
    return not is_newer_here and not _is_same(file, facts)


def _changed_s(facts: Mapping[str, Any]) -> float | None:
    """Return when a file was stored, seconds since 1970; ``None`` where the store does not say."""
    changed_at = facts.get("LastModified")
    return changed_at.timestamp() if isinstance(changed_at, datetime) else None


def _is_same(file: Path, facts: Mapping[str, Any]) -> bool:
    """Whether a file here equals the store's; pictures never change under a name, other files may."""
    if file.stat().st_size != facts["size"]:
        return False
    etag = str(facts.get("ETag", "")).strip('"')
    if file.suffix in _UNCHANGING or not _MD5.fullmatch(etag):
        return True
    return hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest() == etag


@cache
def _open_store(address: str, _pid: int) -> "tuple[AbstractFileSystem, str]":
    """Open a store, once per process: a forked process cannot use its parent's connections.

    Returns:
        The store, and the address's path within it.
    """
    from fsspec.core import url_to_fs

    try:
        files, path = url_to_fs(address, use_listings_cache=False, skip_instance_cache=True)
    except (ImportError, ValueError) as fault:
        raise SettingError(
            where=f"store {address.partition('://')[0]}://",
            what=f"cannot be opened: {fault}",
            accepted=f"s3:// after {install_command('s3')}, or another kind with its fsspec package",
        ) from fault
    return files, str(path)


def put_into_store(address: str, files: Iterable[tuple[str, Path]]) -> None:
    """Put files into a store, one after the other; each is there whole or not at all.

    Args:
        address: Where: a folder in the store, or the object itself.
        files: Name below the address (empty for the object itself), and the file here.

    Raises:
        SettingError: The store cannot be opened or written; those before stay.
    """
    with _Explained(address, "cannot be written"):
        store, root = _open_store(address, os.getpid())
        for name, file in files:
            store.put_file(str(file), f"{root.rstrip('/')}/{name}" if name else root)


class _Explained:
    """Turns any error of a store, from whatever library, into a ``SettingError``."""

    def __init__(self, address: str, what: str, money: str = "") -> None:
        self._address, self._what, self._money = address, what, money

    def __enter__(self) -> None:
        """Watch."""

    def __exit__(self, _kind: object, fault: BaseException | None, _trace: object) -> None:
        if fault is None or isinstance(fault, SettingError) or not isinstance(fault, Exception):
            return
        words = " ".join(str(fault).split())[:200] or type(fault).__name__
        raise SettingError(
            where=f"store {self._address}",
            what=f"{self._what}: {words}",
            money=self._money,
            next_step="Bring the store back or give the right to use it, then do it again.",
        ) from fault
