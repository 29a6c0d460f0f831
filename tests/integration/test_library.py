"""Runoff from Python: the page's session runs as it stands."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from flows.command_line import runoff
from flows.run_report import report_frame
from flows.session.built_campaign import written_campaign
from tasks.campaign import Campaign
from tasks.errors import CampaignError, RunError
from tasks.settings import Settings

ROOT = Path(__file__).parents[2]
CAMPAIGN = {
    "name": "otters",
    "provider": "emulator",
    "budget": {"per_run_usd": "1.00"},
    "arms": {"A": {"prompt": "An otter"}},
    "drafts": {"model": "gpt-image-2.5-flare", "per_prompt": 1},
    "finals": {"model": "gpt-image-2.5-sunburst"},
}


def cells() -> list[str]:
    """Read the page's pieces of code, in their order."""
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "library.md").read_text(), re.DOTALL)


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


@pytest.mark.slow
def test_it_runs_in_a_notebook_too(tmp_path: Path) -> None:
    """Cell by cell in an event loop that runs already, with the lines that the page says differ there."""
    told = [re.sub(r"^# in a notebook: (.*)\n.*$", r"\1", cell, flags=re.MULTILINE) for cell in cells()]
    assert sum("await" in cell for cell in told) == 2
    done = subprocess.run(
        [sys.executable, "-c", NOTEBOOK],
        input=json.dumps(told), cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "2 of 2 accepted" in done.stdout
    assert report_frame(home=tmp_path / "runs")["accepted"].sum() == 2


def test_the_session_of_the_page_runs(tmp_path: Path) -> None:
    """Its code, joined, in a folder of its own and a fresh process, with warnings as they come."""
    session = "\n".join(cells())
    session += "\nassert len(drafts) == 8 and list(frame['run_id'].unique()) == [outcome['run_id']]\n"
    session += "assert (Path(outcome['folder']) / 'campaign.yaml').exists()\n"
    done = subprocess.run(
        [sys.executable, "-c", session],
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
    told = CliRunner().invoke(runoff, ["runs", "--prune", "--older-than", "0d", "--yes", "--json", *home])
    assert json.loads(told.stdout)["runs"][0]["n_pictures"] == 6
    for words in (["report"], ["ledger", "verify"]):
        assert CliRunner().invoke(runoff, [*words, *home]).exit_code == 0, words
    frame = report_frame(home=tmp_path / "runs")
    assert frame["file"].isna().sum() == 6
    assert frame["sha256"].notna().all()
    refused = CliRunner().invoke(runoff, ["rescore", *home])
    assert isinstance(refused.exception, RunError)
    assert "were dropped" in str(refused.exception)


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


def test_a_report_without_a_run_is_a_clear_error(tmp_path: Path) -> None:
    """Looking makes no ledger."""
    with pytest.raises(RunError, match="no run has been made here"):
        report_frame(home=tmp_path)
    assert list(tmp_path.iterdir()) == []
