"""The Python interface of Runoff: plan, run, promote, rescore and report.

A campaign is read from its file with ``load_campaign``, or built:

    >>> import runoff
    >>> campaign = runoff.Campaign.model_validate(
    ...     {
    ...         "name": "otters",
    ...         "provider": "emulator",
    ...         "budget": {"per_run_usd": "1.00"},
    ...         "arms": {"A": {"prompt": "An otter, watercolour"}, "B": {"prompt": "An otter, photograph"}},
    ...         "drafts": {"model": "gpt-image-2.5-flare", "quality": "low", "per_prompt": 2},
    ...         "finalists": {"count": 1, "approval": "review"},
    ...         "finals": {"model": "gpt-image-2.5-sunburst", "quality": "medium"},
    ...     }
    ... )

Planning is free. It checks the whole campaign and returns what it would buy and the range of its cost:

    >>> plan = runoff.plan(campaign)
    >>> plan.pictures, plan.low_usd <= plan.high_usd <= campaign.budget.per_run_usd
    (4, True)

``run`` and ``promote`` spend, within the campaign's budgets; the provider ``emulator`` costs nothing. If an
event loop is already running, as in a notebook, await ``run_async`` and ``promote_async``:

    outcome = runoff.run(campaign)                          # drafts, deduplicated, scored, finalists chosen
    frame = runoff.report_frame(outcome.run_id)             # a pandas DataFrame, free
    runoff.rescore(outcome.run_id, weights={"technical": 1, "votes": 3})    # decide again, free
    runoff.promote(outcome.run_id)                          # the finalists again, at high quality

Every error that a user can correct is a ``RunoffError`` or a subclass: it says where the error is, what it
is, what is accepted, what happened to the money, and what to do next.

    >>> runoff.load_campaign("nowhere.yaml")
    Traceback (most recent call last):
    tasks.errors.CampaignError: nowhere.yaml: 1 error
      nowhere.yaml: there is no such file
    Nothing was bought. Name a campaign file that exists; the examples are explained in docs/campaign-file.md.

A custom scorer takes a ``Candidate`` and returns a ``Score``: see docs/scorers.md.

Importing this package is quick: pydantic, pandas and Prefect are loaded by the first call that needs them. A
``flows.py`` or ``tasks.py`` of your own in the working folder does no harm: see ``runoff.shared_packages``.
"""

import importlib
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runoff.shared_packages import share_packages

if TYPE_CHECKING:
    import pandas as pd

    from flows.engine import Engine
    from flows.runs.outcome import Outcome
    from tasks.campaign import Campaign
    from tasks.candidate import Candidate, Score
    from tasks.errors import (
        BudgetError,
        CampaignError,
        CatalogueError,
        EngineError,
        InterruptError,
        LedgerError,
        PictureError,
        ProviderError,
        RunError,
        RunoffError,
        SettingError,
        StopRunError,
    )
    from tasks.plan import Plan
    from tasks.settings import Settings

__all__ = [
    "BudgetError",
    "Campaign",
    "CampaignError",
    "Candidate",
    "CatalogueError",
    "EngineError",
    "InterruptError",
    "LedgerError",
    "Outcome",
    "PictureError",
    "Plan",
    "ProviderError",
    "RunError",
    "RunoffError",
    "Score",
    "SettingError",
    "StopRunError",
    "load_campaign",
    "plan",
    "promote",
    "promote_async",
    "report_frame",
    "rescore",
    "run",
    "run_async",
]

share_packages()  # before other modules of Runoff are imported

_MODULE_OF = {
    "Campaign": "tasks.campaign",
    "Candidate": "tasks.candidate",
    "Outcome": "flows.runs.outcome",
    "Plan": "tasks.plan",
    "Score": "tasks.candidate",
}
"""The modules of the classes that are loaded on first use; errors are in ``tasks.errors``."""


def load_campaign(path: str | Path, home: str | Path | None = None) -> "Campaign":
    """Read and check a campaign file. Spends and writes nothing.

    Args:
        path: The campaign file; paths in it are relative to its folder.
        home: Runoff's home, whose own catalogue and providers are used; default: RUNOFF_HOME or ./runs.

    Returns:
        The campaign, with its rows read in and every path absolute.

    Raises:
        CampaignError: The file is missing or invalid; the error lists all faults.
    """
    from flows.runs.campaign import read_campaign

    return read_campaign(Path(path), _settings(home))


def plan(campaign: "Campaign | str | Path", home: str | Path | None = None) -> "Plan":
    """Return what a campaign would order, its cost and its duration. Spends and writes nothing.

    Args:
        campaign: A campaign, its paths relative to the working folder; or a campaign file.
        home: Runoff's home; default: RUNOFF_HOME or ./runs.

    Raises:
        CampaignError: It is invalid; the error lists all faults.
        CatalogueError: A model is retired and has no successor, or has no price.
        BudgetError: The budget is below the least that it can cost.
    """
    from flows.session.prepare import prepare

    return prepare(_as_path(campaign), _settings(home), "plan").plan


def run(
    campaign: "Campaign | str | Path", home: str | Path | None = None, run_id: str | None = None
) -> "Outcome":
    """Run a campaign: ``run_async`` for code without an event loop. This spends money, within its budgets.

    Args:
        campaign: A campaign, its paths relative to the working folder; or a campaign file.
        home: Runoff's home; default: RUNOFF_HOME or ./runs.
        run_id: The run to resume; default: a new run.

    Raises:
        SettingError: An event loop is running; await ``run_async``. Nothing was bought.
    """
    return _wait_for(run_async(campaign, home, run_id), "await runoff.run_async(campaign)")


async def run_async(
    campaign: "Campaign | str | Path", home: str | Path | None = None, run_id: str | None = None
) -> "Outcome":
    """Run a campaign: drafts, deduplicated, scored, finalists chosen and, if the campaign says so, finals.

    This spends money, within the campaign's budgets. An invalid campaign raises before anything is started.
    The home's Prefect server is started, or used if it runs, and released at the end. Progress goes to
    standard error. Ctrl-C stops cleanly: requests in flight are awaited and their pictures kept.

    Args:
        campaign: A campaign, its paths relative to the working folder; or a campaign file.
        home: Runoff's home; default: RUNOFF_HOME or ./runs.
        run_id: The run to resume, which buys nothing twice; default: a new run.

    Returns:
        How the run ended: ``state`` is ``done``, ``awaiting review``, ``waiting`` (for a batch) or
        ``stopped`` (``message`` says why); ``exit_code`` is the exit code of the command.

    Raises:
        CampaignError, CatalogueError: The campaign cannot be run. Nothing was bought.
        SettingError: A key or a folder is missing or unusable. Nothing was bought.
        ProviderError: The provider is not there, or sells nothing to this key. Nothing was bought.
        BudgetError: The budget is below the least that the run can cost. Nothing was bought.
        EngineError: Prefect's server did not start. Nothing was bought.
        InterruptError: It was interrupted; what was bought is kept, and ``run_id`` resumes it.
        StopRunError: The provider accepts no further orders; what was bought is reported.
    """
    from flows.session.asking import ask_provider, has_orders_left
    from flows.session.prepare import prepare
    from tasks.storage.home import prepare_home

    wanted, settings = _as_path(campaign), _settings(home)
    # What is wrong is reported before a server is started; the flow reads the campaign and asks again.
    prepared = prepare(wanted, settings, run_id or "plan")
    prepared.terms.check()
    ask_provider(prepared, is_needed=has_orders_left(prepared))
    folder = settings.home
    prepare_home(folder)
    with _start_prefect(folder) as engine:
        from flows.engine.recorded_run import run_recorded
        from flows.prototype import prototype  # Prefect loads while its server comes up

        await engine.ready()
        file = str(wanted) if isinstance(wanted, Path) else wanted
        result = await run_recorded(engine, prototype, file, str(folder), run_id)
    return _outcome(result)


def promote(run: str, home: str | Path | None = None) -> "Outcome":
    """Buy a run's finalists again: ``promote_async`` for code without an event loop. This spends money.

    Raises:
        SettingError: An event loop is running; await ``promote_async``. Nothing was bought.
    """
    return _wait_for(promote_async(run, home), "await runoff.promote_async(run)")


async def promote_async(run: str, home: str | Path | None = None) -> "Outcome":
    """Buy a run's finalists again at high quality. This spends money, within the campaign's budgets.

    What was bought before is not bought again. Prefect's server is started as by ``run_async``.

    Args:
        run: The run: its id, a unique beginning of it, or ``latest``.
        home: Runoff's home; default: RUNOFF_HOME or ./runs.

    Returns:
        The state of the run now.

    Raises:
        RunError: There is no such run, or another process works on it. Nothing was bought.
        EngineError: Prefect's server did not start. Nothing was bought.
        InterruptError: It was interrupted; what was bought is kept, and a second call resumes it.
        StopRunError: The provider accepts no further orders; what was bought is reported.
    """
    from tasks.ledger import open_existing_ledger

    settings = _settings(home)
    folder = settings.home
    with open_existing_ledger(settings.home, settings.environ) as ledger:
        run_id = ledger.runs.find(run).run_id
    with _start_prefect(folder) as engine:
        from flows.engine.recorded_run import run_recorded
        from flows.promote import promote as flow

        await engine.ready()
        result = await run_recorded(engine, flow, run_id, str(folder))
    return _outcome(result)


def rescore(
    run: str,
    home: str | Path | None = None,
    weights: Mapping[str, float] | None = None,
    rules_file: str | Path | None = None,
) -> "Outcome":
    """Decide about a run again: scores, duplicates, finalists; its report is written again. Spends nothing.

    Args:
        run: The run: its id, a unique beginning of it, or ``latest``.
        home: Runoff's home; default: RUNOFF_HOME or ./runs.
        weights: Scorer's name to weight, instead of those of the run or the file.
        rules_file: A campaign file whose ``deduplicate``, ``score`` and ``finalists`` replace the run's.

    Returns:
        The state of the run now.

    Raises:
        RunError: There is no such run, its pictures were deleted, or another process works on it.
        CampaignError: A file or a weight is invalid. Nothing was changed.
    """
    from flows.rescore import rescore as decide_again
    from tasks.ledger import open_existing_ledger

    settings, file = _settings(home), None if rules_file is None else Path(rules_file)
    with open_existing_ledger(settings.home, settings.environ) as ledger:
        return decide_again(settings, ledger, run, file, weights)


def report_frame(run: str = "latest", home: str | Path | None = None) -> "pd.DataFrame":
    """Read a run's report as a table: one row for each order and picture. Spends and writes nothing.

    Args:
        run: The run: its id, a unique beginning of it, or ``latest``.
        home: Runoff's home; default: RUNOFF_HOME or ./runs.

    Returns:
        The columns of docs/report.md in their order, typed; null where nothing was measured.

    Raises:
        RunError: There is no such run.
        LedgerError: The ledger cannot be read.
    """
    from flows.run_report import report_frame as read

    return read(run, home)


def main() -> None:
    """Run the command ``runoff``, which ends the process with its exit code."""
    import sys

    try:
        from tasks.own_process import use_few_threads_and_one_heap

        use_few_threads_and_one_heap()
        from flows.command_line import INTERRUPTED
        from flows.command_line import main as command

        command()
    except KeyboardInterrupt:  # before or after what the command handles by itself
        sys.stderr.write("Interrupted. The ledger is consistent; see: runoff runs\n")
        _leave_at_once(130)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            _leave_at_once(INTERRUPTED)
        raise


def _leave_at_once(code: int) -> None:
    """End the process without waiting for threads that load or reckon; all that counts is written."""
    import os
    import sys

    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    os._exit(code)


def _as_path(campaign: "Campaign | str | Path") -> "Campaign | Path":
    return Path(campaign) if isinstance(campaign, str) else campaign


def _settings(home: str | Path | None) -> "Settings":
    """Read the settings from the environment."""
    import os

    from tasks.settings import Settings

    return Settings.of(home, os.environ)


def _start_prefect(home: Path) -> "Engine":
    """Begin to start Prefect's server for a home, or use one that runs."""
    from flows.engine import start_engine
    from flows.runs.progress import current_display

    return start_engine(home, current_display().say)


def _outcome(result: Mapping[str, Any]) -> "Outcome":
    """Convert the result of a flow to an ``Outcome``."""
    from flows.runs.outcome import Outcome

    return Outcome(**result)


def _wait_for(work: "Coroutine[Any, Any, Outcome]", alternative: str) -> "Outcome":
    """Run a coroutine to its end, in a new event loop."""
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    work.close()
    from tasks.errors import SettingError

    raise SettingError(
        where="this thread",
        what="an event loop is already running, as in a notebook, and a blocking call would stop it",
        next_step=f"Use instead: {alternative}",
    )


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Load one of Runoff's classes on first use."""
    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    found = getattr(importlib.import_module(_MODULE_OF.get(name, "tasks.errors")), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """List the public names, including those not loaded yet."""
    return sorted(__all__)
