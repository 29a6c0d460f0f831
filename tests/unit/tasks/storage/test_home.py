"""Where things are kept."""

from pathlib import Path

import pytest

from tasks.errors import RunError, SettingError
from tasks.ledger import open_ledger
from tasks.storage.home import home_folder, paid_runs, prepare_home, run_folder, run_lock


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


def test_a_run_whose_folder_cannot_be_written_is_not_locked(tmp_path: Path) -> None:
    """One sentence, whatever keeps the folder or its lock from being made."""
    (tmp_path / "otters").write_text("")
    with (
        pytest.raises(SettingError, match=r"run folder .*cannot be written.*--home or"),
        run_lock(run_folder(tmp_path, "otters", "20261122-120000-test")),
    ):
        pass
    (tmp_path / "cats" / "20261122-120000-test" / ".lock").mkdir(parents=True)
    with (
        pytest.raises(SettingError, match="cannot be written"),
        run_lock(run_folder(tmp_path, "cats", "20261122-120000-test")),
    ):
        pass


def test_run_folders_with_something_paid_are_found(tmp_path: Path) -> None:
    """Not those that hold only a campaign or half files, nor known ones, nor other folders."""
    paid = tmp_path / "otters" / "1"
    files = ["otters/1/answers/o-1.json", "otters/2/campaign.yaml", "otters/3/drafts/.x.part"]
    files += ["otters/4/finals/A.png", ".prefect/x/answers/y", "drawn/mask.png", "limits.yaml"]
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("")
    assert list(paid_runs(tmp_path)) == [paid, tmp_path / "otters" / "4"]
    assert list(paid_runs(tmp_path, known={"4"})) == [paid]
    assert list(paid_runs(tmp_path / "nowhere")) == []


@pytest.mark.parametrize("place", ["a\nb", "a\x1b[2J", "caf\udce9", "a\x00b"])
def test_a_home_that_cannot_be_printed_is_refused(place: str) -> None:
    """In one line, with its escapes; every message and report would break at its name."""
    with pytest.raises(SettingError, match="control character in its path, or is not UTF-8") as caught:
        home_folder(place, {})
    assert str(caught.value).isascii()
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["a?b", "a#b", "a%20b", "a é'\"q b", "x" * 200])
def test_a_home_may_have_any_other_name(tmp_path: Path, name: str) -> None:
    """Its ledger lies in it, and nothing lies beside it."""
    home = home_folder(tmp_path / name, {})
    prepare_home(home)
    with open_ledger(home, {}) as ledger:
        assert ledger.runs.all() == []
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (home / "ledger.db").is_file()
