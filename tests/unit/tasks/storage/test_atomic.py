"""Files that are there whole or not at all."""

import os
from pathlib import Path

import pytest

from tasks.errors import SettingError
from tasks.storage.atomic import write_atomically, write_together


def test_written_file_is_whole_and_alone(tmp_path: Path) -> None:
    """Folders are made, an old file is replaced, and no temporary file is left."""
    path = tmp_path / "new" / "picture.png"
    write_atomically(path, b"old")
    write_atomically(path, b"bytes")
    assert path.read_bytes() == b"bytes"
    assert [one.name for one in path.parent.iterdir()] == ["picture.png"]


def test_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the bytes cannot be written the old file stays, and the error says why."""
    path = tmp_path / "picture.png"
    path.write_bytes(b"old")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(SettingError, match="No space left on device"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["picture.png"]


def test_folder_that_is_a_file_is_a_setting_error(tmp_path: Path) -> None:
    """A home that cannot hold files is an error with a message, not a traceback."""
    (tmp_path / "home").write_text("a file")
    with pytest.raises(SettingError, match="cannot be written"):
        write_atomically(tmp_path / "home" / "picture.png", b"")


def test_interrupted_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle leaves no half file under any name."""

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "picture.png", b"new")
    assert not list(tmp_path.iterdir())


def test_files_that_belong_together_get_their_names_only_when_all_bytes_are_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one does not fit on the disk, so the first one is not there either."""
    n_synced = 0

    def second_fails(_: int) -> None:
        nonlocal n_synced
        n_synced += 1
        if n_synced == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", second_fails)
    with pytest.raises(
        SettingError, match=r"b\.json: cannot be written: No space left.* then repeat the command"
    ):
        write_together([(tmp_path / "a.png", b"a"), (tmp_path / "b.json", b"b")])
    assert not list(tmp_path.iterdir())


def test_a_machine_without_folder_handles_writes_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a folder cannot be opened it needs no sync."""
    monkeypatch.delattr(os, "O_DIRECTORY")
    write_atomically(tmp_path / "a.png", b"a")
    assert (tmp_path / "a.png").read_bytes() == b"a"
