"""Runoff from Python: the page's session runs as it stands."""

import doctest
import json
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from pydantic import ValidationError

import runoff
from flows.command_line import runoff as command
from flows.run_report import report_frame
from flows.session.built_campaign import written_campaign
from tasks.campaign import Campaign
from tasks.candidate import Inspection
from tasks.errors import CampaignError, RunError
from tasks.settings import Settings
from tests.support.draft_builders import a_draft

ROOT = Path(__file__).parents[2]
CAMPAIGN = {
    "name": "otters",
    "provider": "emulator",
    "budget": {"per_run_usd": "1.00"},
    "arms": {"A": {"prompt": "An otter"}},
    "drafts": {"model": "gpt-image-2.5-flare", "per_prompt": 1},
    "finals": {"model": "gpt-image-2.5-sunburst"},
}


def cells(page: str = "library.md") -> list[str]:
    """Read a page's pieces of Python, in their order."""
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)


NOTEBOOK = """
import ast, asyncio, inspect, json, sys
cells, names = json.load(sys.stdin), {"__name__": "__main__"}
async def run_all():
    for cell in cells:
        done = eval(compile(cell, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
        if inspect.isawaitable(done):
            await done
asyncio.run(run_all())
"""


def session_cells() -> list[str]:
    """Read the pieces of the first session; the page's two last pieces are about a table of one's own."""
    *session, shop, join = cells()
    assert '"rows": "products.csv"' in shop
    assert 'read_csv("products.csv"' in join
    return session


@pytest.mark.slow
def test_it_runs_in_a_notebook_too(tmp_path: Path) -> None:
    """Cell by cell in an event loop that runs already, with the lines that the page says differ there."""
    told = [
        re.sub(r"^# in a notebook: (.*)\n.*$", r"\1", cell, flags=re.MULTILINE) for cell in session_cells()
    ]
    assert sum("await" in cell for cell in told) == 2
    done = subprocess.run(
        [sys.executable, "-c", NOTEBOOK],
        input=json.dumps(told), cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "2 of 2 accepted" in done.stdout
    assert report_frame(home=tmp_path / "runs")["accepted"].sum() == 2


@pytest.mark.slow  # every day: the tour below, and the same calls by the command
def test_the_session_of_the_page_runs(tmp_path: Path, prefect_server: str) -> None:
    """Its code, joined, in a folder of its own and a fresh process, with warnings as they come."""
    session = "\n".join(session_cells())
    session += "\nassert len(drafts) == 8 and list(frame['run_id'].unique()) == [outcome.run_id]\n"
    session += "assert __import__('os').path.exists(outcome.folder + '/campaign.yaml')\n"
    done = subprocess.run(
        [sys.executable, "-c", session],
        env=os.environ | {"PREFECT_API_URL": prefect_server},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "awaiting review 8 0." in done.stdout
    assert "2 of 2 accepted" in done.stdout
    home = ["--home", str(tmp_path / "runs")]
    told = CliRunner().invoke(command, ["runs", "--prune", "--older-than", "0d", "--yes", "--json", *home])
    assert json.loads(told.stdout)["runs"][0]["n_pictures"] == 6
    for words in (["report"], ["ledger", "verify"]):
        assert CliRunner().invoke(command, [*words, *home]).exit_code == 0, words
    frame = report_frame(home=tmp_path / "runs")
    assert frame["file"].isna().sum() == 6
    assert frame["sha256"].notna().all()
    refused = CliRunner().invoke(command, ["rescore", *home])
    assert isinstance(refused.exception, RunError)
    assert "were deleted" in str(refused.exception)


@pytest.mark.slow  # every day: columns and names of files, in test_first_contact.py
def test_a_table_goes_in_and_the_pictures_join_back_to_it(tmp_path: Path, prefect_server: str) -> None:
    """The page's CSV and code in a folder of their own: by the frame, by the workbook, and as named files."""
    (table,) = re.findall(r"```csv\n(.*?)```", (ROOT / "docs" / "library.md").read_text(), re.DOTALL)
    (tmp_path / "products.csv").write_text(table)
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(["import runoff", *cells()[-2:]])],
        env=os.environ | {"PREFECT_API_URL": prefect_server},
        cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.search(r"A-100 +18.00 +accepted/A-100-studio-\d.png +0\.", done.stdout), done.stdout
    words = ["report", "latest", "--format", "xlsx", "--home", str(tmp_path / "runs")]
    assert CliRunner().invoke(command, words).exit_code == 0
    (folder,) = (tmp_path / "runs" / "shop").iterdir()
    workbook = pd.read_excel(folder / "report.xlsx", sheet_name="Rows")
    accepted = workbook[(workbook["stage"] == "final") & workbook["accepted"]]
    products = pd.read_csv(tmp_path / "products.csv")
    joined = products.merge(accepted, left_on="sku", right_on="var_sku")
    assert list(joined["sku"]) == ["A-100", "A-200"]
    assert all((folder / name).is_file() for name in joined["named_file"])


def test_the_tour_of_the_docstring_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its examples, which are free, run and leave no file."""
    monkeypatch.chdir(tmp_path)
    assert doctest.testmod(runoff, optionflags=doctest.ELLIPSIS, raise_on_error=True).attempted == 5
    assert list(tmp_path.iterdir()) == []


def test_importing_runoff_loads_nothing_slow(tmp_path: Path) -> None:
    """What is slow comes with the first call; every public name is there, and the editor is told of it."""
    program = "import sys, runoff; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert not {"prefect", "pydantic", "pandas", "numpy", "asyncio", "yaml", "click"} & set(
        done.stdout.split()
    )
    assert set(runoff.__all__) == set(dir(runoff))
    assert all(getattr(runoff, name).__name__ == name for name in runoff.__all__)
    with pytest.raises(AttributeError, match="'runoff' has no attribute 'nothing'"):
        _ = runoff.nothing


def test_a_file_is_read_and_planned_as_the_command_does(tmp_path: Path) -> None:
    """The same figures, whether the campaign comes as a file, as its path in text, or read before."""
    file = ROOT / "configs" / "campaigns" / "demo.yaml"
    planned = [
        runoff.plan(given, tmp_path) for given in (file, str(file), runoff.load_campaign(file, tmp_path))
    ]
    assert len({json.dumps(plan.as_dict()) for plan in planned}) == 1
    told = CliRunner().invoke(command, ["plan", str(file), "--home", str(tmp_path), "--json"])
    assert planned[0].as_dict().items() <= json.loads(told.stdout).items()


def test_a_wrong_campaign_is_told_before_anything_is_started(tmp_path: Path) -> None:
    """All its faults at once, by plan and by run, by its name and with Python's way out."""
    wrong: Any = CAMPAIGN | {"arms": {"A": {"prompt": "An {{ otter }}"}}, "provider": "nobody"}
    campaign = Campaign.model_validate(wrong)
    for call in (runoff.plan, runoff.run):
        with pytest.raises(runoff.CampaignError, match=r"otters: 2 errors(.|\n)*runoff\.plan\(campaign\)$"):
            call(campaign, tmp_path)
    assert list(tmp_path.iterdir()) == []
    gone = Campaign.model_validate(CAMPAIGN | {"drafts": {"model": "dall-e-3"}})
    with pytest.raises((runoff.CatalogueError, runoff.CampaignError), match="otters: "):
        runoff.plan(gone, tmp_path)


async def test_a_call_that_waits_is_refused_in_an_event_loop(tmp_path: Path) -> None:
    """It says which call to await; nothing is started, and no coroutine is left behind."""
    campaign = Campaign.model_validate(CAMPAIGN)
    with pytest.raises(runoff.SettingError, match=r"await runoff\.run_async\(campaign\)"):
        runoff.run(campaign, tmp_path)
    with pytest.raises(runoff.SettingError, match=r"await runoff\.promote_async\(run\)"):
        runoff.promote("latest", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_promoting_and_deciding_without_a_run_start_nothing(tmp_path: Path) -> None:
    """Neither a ledger nor a server is made for it."""
    for call in (runoff.promote, runoff.rescore, runoff.report_frame):
        with pytest.raises(runoff.RunError, match="no run has been made here"):
            call("latest", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_scorer_of_the_page_scores(tmp_path: Path) -> None:
    """It needs nothing of Runoff's but what runoff gives."""
    (cell,) = cells("scorers.md")
    names: dict[str, Any] = {}
    exec(cell, names)
    candidate = a_draft(inspection=Inspection(measurements={"luminance": 0.25}))
    assert names["BrightnessScorer"]().score(candidate, tmp_path).reason == "luminance 0.25"


def test_a_built_campaign_leaves_nothing_when_no_run_came_of_it(tmp_path: Path) -> None:
    """What is refused before its run began is taken away again; its rows are read where it stands."""
    campaign = Campaign.model_validate(CAMPAIGN)
    refused = CampaignError("campaign.yaml", ["no"])
    with pytest.raises(CampaignError), written_campaign(campaign, Settings(tmp_path, os.environ), "a-run"):  # noqa: PT012
        assert "An otter" in (tmp_path / "otters" / "a-run" / "campaign.yaml").read_text()
        raise refused
    assert not (tmp_path / "otters" / "a-run").exists()
    unreadable = Campaign.model_validate(CAMPAIGN | {"rows": "nowhere.csv"})
    with (
        pytest.raises(CampaignError, match=r"rows: .*nowhere\.csv"),
        written_campaign(unreadable, Settings(tmp_path, os.environ), "x"),
    ):
        pass


@pytest.mark.parametrize("empty", [float("nan"), pd.NA, pd.NaT, None, np.float64("inf")])
def test_an_empty_cell_of_a_table_is_refused(empty: object) -> None:
    """It would be bought as a picture of nan."""
    with pytest.raises(ValidationError, match="an empty text for an empty cell"):
        Campaign.model_validate(CAMPAIGN | {"rows": [{"animal": "otter"}, {"animal": empty}]})


def test_a_number_and_a_day_of_a_table_are_what_people_read(tmp_path: Path) -> None:
    """A count of NumPy's is no decimal, and a day has no midnight."""
    row = {"n": np.int64(3), "share": np.float64(0.5), "is_new": np.bool_(True), "day": date(2026, 12, 1)}
    arms = {"A": {"prompt": "{{ n }} otters, {{ share }}, {{ is_new }}, {{ day }}"}}
    campaign = Campaign.model_validate(CAMPAIGN | {"rows": [row], "arms": arms})
    (order,) = runoff.plan(campaign, home=tmp_path).orders
    assert order.prompt == "3 otters, 0.5, true, 2026-12-01"


def test_every_error_that_a_call_names_can_be_caught() -> None:
    """Under the name that its description has."""
    named = {name for call in ("run_async", "promote_async", "rescore", "plan", "report_frame")
             for name in re.findall(r"\b[A-Z]\w+Error\b", getattr(runoff, call).__doc__)}  # fmt: skip
    assert named <= set(runoff.__all__)


def test_a_report_without_a_run_is_a_clear_error(tmp_path: Path) -> None:
    """Looking makes no ledger."""
    with pytest.raises(RunError, match="no run has been made here"):
        report_frame(home=tmp_path)
    assert list(tmp_path.iterdir()) == []
