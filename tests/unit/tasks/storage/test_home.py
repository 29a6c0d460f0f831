"""Where things are kept."""

from pathlib import Path

import pytest

from tasks.errors import RunError, SettingError
from tasks.storage.home import home_folder, prepare_home, run_folder, run_lock


def test_the_home_is_the_option_then_the_variable_then_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And always absolute, because the working folder changes."""
    monkeypatch.chdir(tmp_path)
    assert home_folder("here", {"RUNOFF_HOME": "/there"}) == tmp_path / "here"
    assert home_folder(None, {"RUNOFF_HOME": "/there"}) == Path("/there")
    assert home_folder(None, {}) == tmp_path / "runs"


def test_a_home_is_made_and_left_clean(tmp_path: Path) -> None:
    """Seeing whether it can be written leaves nothing behind."""
    prepare_home(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """With the way out."""
    (tmp_path / "home").write_text("")
    with pytest.raises(SettingError, match=r"cannot be written.*--home or RUNOFF_HOME"):
        prepare_home(tmp_path / "home")


def test_one_process_works_on_a_run(tmp_path: Path) -> None:
    """The second process gets an error; once the first releases the lock, it can have it."""
    folder = run_folder(tmp_path, "otters", "20261122-120000-test")
    with (
        run_lock(folder),
        pytest.raises(RunError, match="another process is working on it"),
        run_lock(folder),
    ):
        pass
    with run_lock(folder):
        pass
