"""Pictures and reports in a store that speaks S3: written at once, fetched elsewhere, and faults told."""

import os
import time
from pathlib import Path

import pytest

from tasks.errors import SettingError
from tasks.storage.atomic import write_atomically
from tasks.storage.home import home_folder
from tasks.storage.mirror import (
    MIRRORS_VARIABLE,
    Store,
    address_of,
    found_here,
    home_address,
    mirror_of,
    shared_address,
    store_of,
)
from tests.support.object_store import elsewhere

ADDRESS = "s3://pictures/team"


def test_a_file_that_is_written_is_in_the_store(address: str, tmp_path: Path) -> None:
    """Another machine that opens the folder finds it, byte for byte, and needs no second look."""
    home = home_folder(address, os.environ)
    write_atomically(home / "otters" / "run" / "drafts" / "a.png", b"picture")
    there = elsewhere(address, tmp_path)
    assert there.fetch(there.mirror / "otters" / "run") == 1
    assert (there.mirror / "otters" / "run" / "drafts" / "a.png").read_bytes() == b"picture"
    assert there.fetch(there.mirror / "otters" / "run") == 0


def test_a_file_that_never_reached_the_store_goes_there_on_resume(address: str, tmp_path: Path) -> None:
    """As after a kill between the disk and the store; locks and parts stay where they are."""
    run = home_folder(address, os.environ) / "otters" / "run"
    (run / "drafts").mkdir(parents=True)
    (run / "drafts" / "a.png").write_bytes(b"picture")
    (run / "drafts" / ".b.png.1.part").write_bytes(b"half a pic")
    (run / ".lock").touch()
    store = store_of(run)
    assert store is not None
    assert (store.push(run), store.push(run)) == (1, 0)
    there = elsewhere(address, tmp_path)
    assert there.fetch(there.mirror) == 1


def test_a_newer_file_replaces_the_older_one(address: str, tmp_path: Path) -> None:
    """A report written again is the one that others get, even where it is as long as the older one."""
    report = home_folder(address, os.environ) / "otters" / "run" / "report.html"
    there = elsewhere(address, tmp_path)
    for text in (b"first", b"the second", b"equal size"):
        write_atomically(report, text)
        there.fetch(there.mirror)
        assert (there.mirror / "otters" / "run" / "report.html").read_bytes() == text


def test_a_campaign_that_a_person_changed_here_goes_to_the_store(address: str, tmp_path: Path) -> None:
    """As a budget is raised before a run is resumed; what came from there and is as it was does not."""
    write_atomically(
        home_folder(address, os.environ) / "otters" / "run" / "campaign.yaml", b"per_run_usd: 3.00"
    )
    there = elsewhere(address, tmp_path)
    run = there.mirror / "otters" / "run"
    there.fetch(run)
    (run / "campaign.yaml").write_bytes(b"per_run_usd: 4.00")
    os.utime(run / "campaign.yaml", times=(time.time() + 60, time.time() + 60))  # a minute later
    assert (there.fetch(run), there.push(run), there.push(run)) == (0, 1, 0)
    here = store_of(home_folder(address, os.environ))
    assert here is not None
    assert here.fetch(here.mirror) == 1
    assert (here.mirror / "otters" / "run" / "campaign.yaml").read_bytes() == b"per_run_usd: 4.00"


@pytest.mark.slow  # every day: a picture of another machine, below
def test_single_files_are_brought_where_one_looks(address: str, tmp_path: Path) -> None:
    """One of many, and many that are named; what the store has not is no fault, and hides nothing here."""
    run = home_folder(address, os.environ) / "otters" / "run"
    for number in range(130):
        write_atomically(run / "drafts" / f"{number}.png", b"%d" % number, is_durable=False)
    there = elsewhere(address, tmp_path)
    drafts = there.mirror / "otters" / "run" / "drafts"
    there.fetch_file(drafts / "7.png")
    there.fetch_file(drafts / "none.png")
    assert [file.name for file in drafts.iterdir()] == ["7.png"]
    assert there.fetch(drafts.parent, {drafts / "7.png", drafts / "8.png"}) == 1
    assert there.fetch(drafts.parent) == 128
    assert {file.name: file.read_bytes() for file in drafts.iterdir()} == {
        f"{number}.png": b"%d" % number for number in range(130)
    }


def test_a_store_that_keeps_what_should_go_is_told(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 answers well to a call of which it refused single files; what counts is what is left."""
    run = home_folder(address, os.environ) / "otters" / "run"
    files = [run / "drafts" / f"{name}.png" for name in "ab"]
    for file in files:
        write_atomically(file, b"picture")
    store = store_of(run)
    assert store is not None
    monkeypatch.setattr(type(store._files), "_bulk_delete", _refuse)
    with pytest.raises(SettingError, match=r"2 of 2 files were not deleted.*Give the right"):
        store.drop(run, files)
    monkeypatch.undo()


async def _refuse(*_words: object, **_facts: object) -> list[str]:
    return []


def test_a_store_that_is_away_is_told_and_the_picture_is_kept(address: str) -> None:
    """One message with the way on; the bytes are whole in the mirror."""
    picture = home_folder(f"s3://no-such-bucket/{address[-8:]}", os.environ) / "a.png"
    with pytest.raises(SettingError, match=r"store s3://no-such-bucket.* cannot be written") as told:
        write_atomically(picture, b"picture")
    assert "whole in this machine's mirror" in str(told.value)
    assert picture.read_bytes() == b"picture"
    with pytest.raises(SettingError, match="cannot be read"):
        Store(picture.parent, "s3://no-such-bucket/x").push(picture.parent)


def test_an_unknown_kind_of_store_is_refused() -> None:
    """With what is accepted."""
    with pytest.raises(SettingError, match=r"Accepted: s3:// after .* install s3fs"):
        Store(Path("/mirror"), "tape://deck").keep([Path("/mirror/a")])


def test_a_picture_of_another_machine_is_found_in_this_mirror(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger names files by path; a machine that resumes has its own mirror."""
    monkeypatch.setenv("RUNOFF_HOME", address)
    here = home_folder(None, os.environ) / "otters" / "a.png"
    theirs = Path("/srv/mirrors") / here.relative_to(tmp_path / "here")
    assert found_here(theirs) == here
    assert found_here(Path("/elsewhere/logo.png")) == Path("/elsewhere/logo.png")
    assert home_address(here.parent) == address
    assert home_address(tmp_path) == str(tmp_path)
    assert shared_address(here) == f"{address}/otters/a.png"
    assert shared_address(tmp_path / "a b.png") == f"file://{tmp_path}/a%20b.png"


def test_addresses_are_told_from_folders() -> None:
    """A path library's lost slash is put back."""
    assert address_of("s3:/bucket/prefix/") == address_of("s3://bucket/prefix") == "s3://bucket/prefix"
    assert address_of("file:/srv/runs") == address_of("file:///srv/runs") == "file:///srv/runs"
    assert address_of("runs") is None
    assert address_of("/srv/runs") is None
    assert address_of("C:\\runs") is None


def test_a_mirror_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "taken").touch()
    with pytest.raises(SettingError, match=MIRRORS_VARIABLE):
        mirror_of(ADDRESS, {MIRRORS_VARIABLE: str(tmp_path / "taken")})
