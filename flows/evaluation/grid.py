"""The grid of a run's drafts, for its page, its picture and its PDF."""

from dataclasses import dataclass
from pathlib import Path

from flows.evaluation.thumbnails import redraw_thumbnails
from flows.runs.lock import fetch_files
from flows.runs.run import StoredRun
from tasks.ledger.report_rows import report_rows
from tasks.report import write_grid
from tasks.report_page.facts import ArmFacts, RunFacts
from tasks.report_page.grid import Grid, build_grid
from tasks.report_page.grid_sheet import GridView


@dataclass(frozen=True, slots=True)
class RunGrid:
    """A run's grid, and what its title says."""

    grid: Grid
    facts: RunFacts


def read_grid(run: StoredRun) -> RunGrid:
    """Place a run's drafts in the grid of its factors, or of its arms and rows. Writes nothing.

    Raises:
        RunError: The run's campaign file is missing.
    """
    campaign = run.campaign
    records = [one for one in run.ledger.orders.of_run(run.run_id) if one.order.stage == "draft"]
    drafts = [one for one in run.read_candidates("draft") if one.is_campaign_draft]
    rows = report_rows(run.run_id, records, drafts, campaign.all_rows, campaign.levels_by_arm)
    arms = {name: ArmFacts(prompt=arm.prompt) for name, arm in campaign.arms.items()}
    facts = RunFacts(
        run_id=run.run_id,
        campaign=campaign.name,
        arms=arms,
        factors=campaign.levels_by_factor,
        added_from=campaign.added_from,
    )
    return RunGrid(build_grid(rows, facts), facts)


def draw_grid_of_run(run: StoredRun, found: RunGrid, view: GridView) -> dict[str, Path]:
    """Draw a run's grid into its folder, as ``grid.png`` and ``grid.pdf``; returns the files.

    Raises:
        SettingError: The folder cannot be written.
    """
    drafts = [one for one in run.read_candidates("draft") if one.is_campaign_draft and not one.is_pruned]
    fetch_files(run.folder, {one.thumbnail or one.file for one in drafts})
    redraw_thumbnails(run.folder, drafts)
    return write_grid(found.grid, view, found.facts, run.folder)
