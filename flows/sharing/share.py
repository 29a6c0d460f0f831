"""Handing a run on as one folder, one zip, or in a store: complete, or not there at all."""

import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from flows.run_report import gather_report
from flows.runs.run import StoredRun
from flows.sharing.contents import Contents, write_pictures
from flows.sharing.manifest import MANIFEST, write_manifest
from tasks.errors import SettingError
from tasks.report import write_formats, write_report
from tasks.report_page.lineage import write_lineage
from tasks.report_page.verdict import state_verdict
from tasks.storage.atomic import publish, publish_folder, write_atomically
from tasks.storage.given_path import expand_home
from tasks.storage.mirror import address_of, put_into_store

DRAFT_PX = 1024
"""The longest edge of a draft that is handed on, px."""
_ZIP = ".zip"
FIXED_DATE = (1980, 1, 1, 0, 0, 0)
_STORED = (".png", ".jpg", ".jpeg", ".webp", ".zip", ".pdf")
"""What would not become smaller."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What was handed on.

    Args:
        run_id: The run.
        place: The folder, the zip, or the address in a store.
        n_files: How many files it has.
        n_bytes: Their size, bytes.
        n_untouched: How many pictures are the provider's bytes.
        left_out: Why a finalist or final is not there, by its candidate id.
    """

    run_id: str
    place: str
    n_files: int
    n_bytes: int
    n_untouched: int
    left_out: dict[str, str]


def share(
    run: StoredRun, place: str | None = None, *, draft_px: int = DRAFT_PX, replaces: bool = False
) -> Shared:
    """Hand a run on. Spends nothing, and changes nothing of the run but its report's derived files.

    Args:
        run: The run.
        place: A folder, a file ending in ``.zip``, or an address such as ``s3://bucket/name.zip``; by default
            a zip in the working folder, named after the campaign and the run.
        draft_px: The longest edge of unique images that are no finalists, px; 0 leaves them out.
        replaces: Whether a zip that is there is replaced.

    Raises:
        RunError: The run's campaign file is missing.
        SettingError: The place is taken, or cannot be written. Nothing was left there.
    """
    name = f"{run.record.campaign}-{run.run_id}"
    place = place or f"{name}{_ZIP}"
    address = address_of(place)
    target = Path(expand_home(place)).absolute()
    if address is None:
        _require_free(target, replaces=replaces)
    with _staging(None if address else target.parent) as staging:
        folder = staging / name
        contents = _written(run, folder, draft_px)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        shared = Shared(
            run.run_id,
            address or str(target),
            len(files),
            sum(path.stat().st_size for path in files),
            sum(1 for row in contents.rows if row["file"] and not row["file"].startswith("pictures/")),
            contents.left_out,
        )
        if place.endswith(_ZIP):
            packed = _packed(files, folder, staging / f"{name}{_ZIP}")
            if address is not None:
                put_into_store(address, [("", packed)])
            else:
                _handed(lambda: publish(packed, target), target)
        elif address is None:
            _handed(lambda: publish_folder(folder, target), target)
        else:  # the manifest last: where it is, all is
            named = [(path.relative_to(folder).as_posix(), path) for path in files]
            put_into_store(address, sorted(named, key=lambda each: each[0] == MANIFEST))
    return shared


def _written(run: StoredRun, folder: Path, draft_px: int) -> Contents:
    """Write everything that is handed on into a folder."""
    gathered = gather_report(run)
    contents = write_pictures(run, gathered, folder, draft_px)
    write_lineage(contents.rows, folder)
    write_report(contents.rows, contents.facts, folder)
    write_formats(contents.rows, contents.facts, folder, ("pdf",))
    verdict = state_verdict(contents.rows, contents.facts)
    write_atomically(folder / MANIFEST, write_manifest(run, contents, verdict))
    return contents


def _packed(files: Sequence[Path], folder: Path, zipped: Path) -> Path:
    """Pack the files below a folder of their own name; equal files make equal archives."""
    with zipfile.ZipFile(zipped, "x", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            entry = zipfile.ZipInfo(f"{folder.name}/{file.relative_to(folder).as_posix()}", FIXED_DATE)
            entry.compress_type = zipfile.ZIP_STORED if file.suffix in _STORED else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, file.read_bytes())
    return zipped


def _require_free(target: Path, *, replaces: bool) -> None:
    is_zip = target.suffix == _ZIP
    if not target.exists() or (replaces and is_zip and target.is_file()):
        return
    raise SettingError(
        where=str(target),
        what="is there already",
        accepted="a new folder, or a zip that --replace allows to be replaced",
        money="Nothing was spent or changed.",
        next_step="Name another place with --to.",
    )


@contextmanager
def _staging(beside: Path | None) -> Iterator[Path]:
    """Make a hidden folder on the target's disk, where everything is completed first; deleted in the end.

    What could not be written there could not be written to the target: nobody knows the hidden folder, which
    is gone by then. Folders that were made for it are gone too where nothing came.
    """
    made = [folder for folder in (beside, *beside.parents) if not folder.exists()] if beside else []
    staging = None
    try:
        if beside is not None:
            beside.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=".runoff-share-", dir=beside, ignore_cleanup_errors=True
        ) as name:
            staging = Path(name)
            yield staging
    except OSError as fault:
        raise _unwritable(beside, fault.strerror or str(fault)) from fault
    except SettingError as fault:
        if staging is None or not Path(fault.where).is_relative_to(staging):
            raise  # of the home, or of a store
        reason = fault.__cause__.strerror if isinstance(fault.__cause__, OSError) else None
        raise _unwritable(beside, reason or fault.what) from fault
    finally:
        for folder in made:
            with suppress(OSError):  # what holds something stays
                folder.rmdir()


def _handed(hand: Callable[[], None], target: Path) -> None:
    try:
        hand()
    except OSError as fault:
        raise _unwritable(target, fault.strerror or str(fault)) from fault


def _unwritable(place: Path | None, reason: str) -> SettingError:
    return SettingError(
        where=str(place or "the folder for temporary files"),
        what=f"cannot be written: {reason}",
        money="Nothing was spent, and nothing was left there.",
        next_step="Make room there, or name another place with --to.",
    )
