"""The store: where pictures and reports are kept for good when the home is an address, such as ``s3://…``.

Every machine works in a mirror on its own disk: a folder named after the address, so that the same file has
the same place in every mirror. Whatever is written there is in the store before anything else is said of it.
What another machine wrote is fetched when a run is opened. Any store that fsspec knows will do.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.errors import SettingError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

HOME_VARIABLE = "RUNOFF_HOME"
MIRRORS_VARIABLE = "RUNOFF_MIRRORS"
ADDRESS_FILE = ".store"
"""Stands in a mirror and holds the store's address."""

_ADDRESS = re.compile(r"(?P<protocol>[a-z][a-z0-9+.-]+):/+(?P<path>.+)")
_OWN = re.compile(r"\..*")  # locks, parts, the engine's folder: a machine's own affairs


def address_of(said: str) -> str | None:
    """Read an address such as ``s3://bucket/prefix``; ``None`` for a folder. A lost slash is put back."""
    found = _ADDRESS.fullmatch(said)
    return found and f"{found['protocol']}://{found['path'].rstrip('/')}"


def mirror_of(address: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Name the folder on this machine's disk that mirrors a store, made if missing.

    It lies below ``RUNOFF_MIRRORS``, else below the user's cache folder.

    Raises:
        SettingError: It cannot be made.
    """
    mirrors = environ.get(MIRRORS_VARIABLE) or Path(environ.get("XDG_CACHE_HOME") or "~/.cache") / "runoff"
    mirror = Path(mirrors).expanduser().resolve() / _mirror_name(address)
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
    return mirror


def _mirror_name(address: str) -> str:
    return "store-" + hashlib.sha256(address.encode()).hexdigest()[:16]


def store_of(path: Path) -> "Store | None":
    """Find the store that a file or folder belongs to; ``None`` for what is kept on this disk alone."""
    for folder in (path, *path.parents):
        if (folder / ADDRESS_FILE).is_file():
            return _store(folder)
    return None


@cache
def _store(mirror: Path) -> "Store":
    return Store(mirror, (mirror / ADDRESS_FILE).read_text(encoding="utf-8"))


def home_address(home: Path) -> str:
    """Say where a home is so that every machine finds it: its store's address, else its folder."""
    store = store_of(home)
    return str(home.absolute()) if store is None else store.address


def found_here(file: Path) -> Path:
    """Find in this machine's mirror what another machine's path names; any other path stays as it is."""
    address = address_of(os.environ.get(HOME_VARIABLE, ""))
    if file.exists() or address is None or (name := _mirror_name(address)) not in file.parts:
        return file
    return mirror_of(address).joinpath(*file.parts[file.parts.index(name) + 1 :])


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
        """Put files of the mirror into the store, replacing older ones.

        Raises:
            SettingError: The store cannot be written. The files in the mirror are whole.
        """
        with _Explained(self.address, "cannot be written"):
            for file in files:
                self._files.put_file(str(file), self._key(file))

    def fetch(self, folder: Path) -> int:
        """Bring what the store holds of a folder and the mirror does not; returns how many files.

        Raises:
            SettingError: The store cannot be read. Files that came are whole.
        """
        with _Explained(self.address, "cannot be read"):
            missing = {
                key: file
                for key, size in self._sizes(folder).items()
                if not (file := self._file(key)).exists() or file.stat().st_size != size
            }
            for key, file in missing.items():
                self._get(key, file)
        return len(missing)

    def bring(self, files: Iterable[Path]) -> None:
        """Bring files that are not in the mirror and that the store holds; others are left out.

        Raises:
            SettingError: The store cannot be read. Files that came are whole.
        """
        with _Explained(self.address, "cannot be read"):
            for file in files:
                if not file.exists() and self._files.exists(self._key(file)):
                    self._get(self._key(file), file)

    def _get(self, key: str, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f".{file.name}.{secrets.token_hex(6)}.part")
        self._files.get_file(key, str(part))
        part.replace(file)

    def push(self, folder: Path) -> int:
        """Put what the mirror holds of a folder and the store does not; returns how many files.

        A process killed between the disk and the store leaves such files.

        Raises:
            SettingError: The store cannot be read or written.
        """
        with _Explained(self.address, "cannot be read"):
            known = self._sizes(folder)
        new = [
            file
            for file in sorted(folder.rglob("*"))
            if file.is_file()
            and not any(_OWN.fullmatch(part) for part in file.relative_to(folder).parts)
            and known.get(self._key(file)) != file.stat().st_size
        ]
        self.keep(new)
        return len(new)

    @property
    def _files(self) -> "AbstractFileSystem":
        return _file_system(self.address.partition("://")[0], os.getpid())

    @property
    def _root(self) -> str:
        return str(self._files._strip_protocol(self.address))

    def _key(self, file: Path) -> str:
        return "/".join((self._root, *file.relative_to(self.mirror).parts))

    def _file(self, key: str) -> Path:
        return self.mirror / key.removeprefix(f"{self._root}/")

    def _sizes(self, folder: Path) -> dict[str, int]:
        found = self._files.find(self._key(folder), detail=True)
        return {key: facts["size"] for key, facts in found.items()}


@cache
def _file_system(protocol: str, _pid: int) -> "AbstractFileSystem":
    """Open a kind of store, anew in each process: a forked one cannot go on with its parent's connections."""
    import fsspec

    try:
        return fsspec.filesystem(protocol, use_listings_cache=False, skip_instance_cache=True)
    except (ImportError, ValueError) as fault:
        raise SettingError(
            where=f"store {protocol}://",
            what=f"cannot be opened: {fault}",
            accepted="s3:// with runoff[s3], or another kind with its fsspec package installed",
        ) from fault


class _Explained:
    """Tells any fault of a store in Runoff's words; stores raise errors of many libraries."""

    def __init__(self, address: str, what: str) -> None:
        self._address, self._what = address, what

    def __enter__(self) -> None:
        """Watch."""

    def __exit__(self, _kind: object, fault: BaseException | None, _trace: object) -> None:
        if fault is None or isinstance(fault, SettingError) or not isinstance(fault, Exception):
            return
        words = " ".join(str(fault).split())[:200] or type(fault).__name__
        raise SettingError(
            where=f"store {self._address}",
            what=f"{self._what}: {words}",
            money="What was bought is whole in this machine's mirror and goes to the store on resume.",
            next_step="Bring the store back or give the right to use it, then: runoff run --resume latest",
        ) from fault
