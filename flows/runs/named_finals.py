"""The accepted finals under the campaign's own names, in the run's folder ``accepted``.

They are copies, written with the report: the originals keep the names by which the ledger knows them.
"""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from flows.runs.run import StoredRun
from tasks.campaign import Campaign
from tasks.campaign.file_names import FileNames, is_safe
from tasks.campaign.prompts import PromptFaultError
from tasks.candidate import Candidate
from tasks.errors import PictureError
from tasks.pictures.bought import read_bought
from tasks.storage.atomic import delete, write_atomically

ACCEPTED = "accepted"


def name_finals(campaign: Campaign, candidates: Sequence[Candidate]) -> dict[str, str]:
    """Name the accepted finals, by candidate id, with their endings; empty without ``files``.

    A final whose name cannot be made, is not safe, or is another one's has none.
    """
    if campaign.files is None:
        return {}
    names, found = FileNames(campaign), {}
    used: set[str] = set()
    for final in candidates:
        if not (final.is_final and final.is_accepted):
            continue
        try:
            name = names.name_of(final.arm, final.row, final.replicate, final.edition)
        except PromptFaultError:
            continue
        if is_safe(name) and name.lower() not in used:
            used.add(name.lower())
            found[final.candidate_id] = name + PurePosixPath(final.file).suffix
    return found


def write_named_finals(run: StoredRun, candidates: Sequence[Candidate]) -> dict[str, str]:
    """Write the named copies, and delete those of finals that are no longer accepted.

    Returns:
        The copies' paths relative to the run's folder, by candidate id; without pictures that are gone.

    Raises:
        SettingError: The folder cannot be written or the disk is full.
    """
    names, folder = name_finals(run.campaign, candidates), run.folder / ACCEPTED
    written = {}
    for final in candidates:
        name = names.get(final.candidate_id)
        if name is not None and _is_there(run.folder, final, folder / name):
            written[final.candidate_id] = f"{ACCEPTED}/{name}"
    if run.campaign.files is not None and folder.is_dir():
        others = [path for path in folder.iterdir() if path.name not in names.values()]
        delete(path for path in others if not path.name.startswith("."))
    return written


def find_named_finals(run: StoredRun, candidates: Sequence[Candidate]) -> dict[str, str]:
    """Find the named copies that are there, as ``write_named_finals`` returns them. Writes nothing."""
    named = {one: f"{ACCEPTED}/{name}" for one, name in name_finals(run.campaign, candidates).items()}
    return {one: path for one, path in named.items() if (run.folder / path).is_file()}


def _is_there(folder: Path, final: Candidate, copy: Path) -> bool:
    """Write one copy unless it is there; returns whether it is, which takes the picture that was bought."""
    try:
        data = read_bought(folder / final.file, final.sha256)
    except PictureError:
        return False
    if not copy.is_file() or copy.read_bytes() != data:
        write_atomically(copy, data, is_durable=False)
    return True
