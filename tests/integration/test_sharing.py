"""A run handed on: whole or not at all, as bought where it must be, and readable anywhere."""

import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from playwright.sync_api import Browser

from flows.runs.run import StoredRun
from flows.sharing import share as sharing
from flows.sharing.share import share
from tasks.errors import SettingError
from tasks.settings import Settings
from tasks.storage import atomic
from tests.support.browser import needs_browser
from tests.support.builders import RUN_ID
from tests.support.ledgers import open_ledger
from tests.support.review_browser import DESKTOP, PHONE, watched
from tests.support.review_home import fill_run


@pytest.fixture
def run(tmp_path: Path) -> Iterator[StoredRun]:
    """A run with finalists."""
    home = tmp_path / "home"
    home.mkdir()
    with open_ledger(home) as ledger:
        fill_run(home, ledger)
        yield StoredRun.find(Settings(home, os.environ), ledger, RUN_ID)


def test_a_zip_has_what_was_bought_and_names_no_place_of_this_machine(run: StoredRun, tmp_path: Path) -> None:
    """Finalists byte by byte, other drafts in the size asked for, and each picture's variables."""
    target = tmp_path / "out" / "otters.zip"
    shared = share(run, str(target), draft_px=200)
    assert shared.place == str(target)
    assert [path.name for path in target.parent.iterdir()] == ["otters.zip"]
    with zipfile.ZipFile(target) as archive:
        files = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files["manifest.json"])
    assert {"report.html", "report.csv", "report.pdf", "contact_sheet.png", "summary.json"} <= files.keys()
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for one in manifest["pictures"]:
        by_kind.setdefault(one["kind"], []).append(one)
        assert one["variables"]["action"] in ("swimming", "asleep in kelp")
    finalists = [one for one in run.read_candidates("draft") if one.is_finalist]
    assert {one["sha256"] for one in by_kind["finalist"]} == {one.sha256 for one in finalists}
    for one in by_kind["finalist"]:
        assert files[one["file"]] == (run.folder / one["file"]).read_bytes()
    assert all(one["file"].startswith("pictures/") and not one["is_untouched"] for one in by_kind["draft"])
    texts = b"".join(data for name, data in files.items() if name.endswith((".html", ".csv", ".json")))
    for place in (run.home, run.folder, tmp_path, Path.home()):
        assert str(place).encode() not in texts


def test_it_is_there_whole_or_not_at_all(
    run: StoredRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place that is taken stays as it is; a disk that fills up leaves nothing; a store gets it too."""
    folder = tmp_path / "handed-on"
    share(run, str(folder), draft_px=0)
    assert not (folder / "pictures").exists()
    before = (folder / "manifest.json").read_bytes()
    with pytest.raises(SettingError, match="is there already"):
        share(run, str(folder))
    fsspec.filesystem("memory").mkdirs("/shared", exist_ok=True)
    share(run, "memory://shared/otters.zip")
    share(run, "memory://shared/otters")
    there = fsspec.filesystem("memory").find("/shared")
    assert {"/shared/otters.zip", "/shared/otters/manifest.json"} <= set(there)

    def fail(*_: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sharing, "write_manifest", fail)
    with pytest.raises(SettingError, match="No space left"):
        share(run, str(tmp_path / "other.zip"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["handed-on", "home"]
    assert (folder / "manifest.json").read_bytes() == before


def test_a_disk_that_refuses_a_picture_is_named_by_the_place_that_was_asked_for(
    run: StoredRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by a hidden folder that is gone; and no folder is left that was made for it."""
    monkeypatch.setattr(atomic, "_write", refuse)
    for place in ("new/deep/otters.zip", "new/deep/otters"):
        with pytest.raises(SettingError) as caught:
            share(run, str(tmp_path / place))
        assert str(caught.value) == (
            f"{tmp_path / 'new/deep'}: cannot be written: No space left on device. Nothing was spent, and"
            " nothing was left there. Make room there, or name another place with --to."
        )
        assert not (tmp_path / "new").exists()


def refuse(*_: object, **__: object) -> None:
    """Do as a full disk does."""
    raise OSError(28, "No space left on device")


@needs_browser
@pytest.mark.parametrize(
    "size", [pytest.param(DESKTOP, marks=pytest.mark.slow), pytest.param(PHONE, marks=pytest.mark.long)]
)
def test_it_opens_in_another_folder_without_a_network(
    run: StoredRun, tmp_path: Path, browser: Browser, size: tuple[int, int]
) -> None:
    """Every picture loads and every link leads to a file, once the home is gone."""
    finalist = next(one for one in run.read_candidates("draft") if one.is_finalist)
    share(run, str(tmp_path / "otters.zip"))
    run.folder.rename(run.folder.with_name("gone"))
    with zipfile.ZipFile(tmp_path / "otters.zip") as archive:
        archive.extractall(tmp_path / "elsewhere")
    (page_file,) = (tmp_path / "elsewhere").glob("*/report.html")
    with watched(browser, tmp_path, size=size) as (page, complaints):
        page.goto(page_file.as_uri())
        images = page.locator("img").evaluate_all("all => all.map(one => [one.src, one.naturalWidth])")
        assert images
        assert all(width > 0 for _, width in images)
        links = page.locator("a[href]").evaluate_all("all => all.map(one => one.getAttribute('href'))")
        files = [link for link in links if not link.startswith("#")]
        assert f"drafts/{finalist.name}.png" in files
        assert all((page_file.parent / link).is_file() for link in files)
    assert complaints == []
