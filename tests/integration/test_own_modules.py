"""A session in a folder that holds a ``tasks.py`` and a ``flows.py`` of the user's own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tasks.catalogue import configs_folder

DEMO = configs_folder() / "campaigns" / "demo.yaml"
TASKS = '''
"""The user's own; some of its names are those of Runoff's steps, one is that of a library."""
import inspect
from dataclasses import dataclass
from pathlib import Path

print("tasks.py of", Path(__file__).parent.name)

@dataclass
class Job:
    name: str

def plan(job: Job) -> str:
    return f"my plan for {job.name}, {inspect.getmodule(plan).__name__}"

def score() -> str:
    return "my score"
'''
FLOWS = """
import tasks

def prototype() -> str:
    return "my prototype: " + tasks.plan(tasks.Job("otters"))
"""
RUNOFF_IS_THERE = """
import runoff
from tasks.money import format_usd
from tasks.campaign import Campaign
from flows.commands import plan_tables
"""
RUNOFF_WORKS = f"""
import runoff
assert runoff.plan({str(DEMO)!r}, home="home").pictures == 24
import flows.command_line, tasks.score, tasks.inspect
"""
OWN_WORK = """
import tasks, flows
from tasks import Job, score
assert flows.prototype() == "my prototype: my plan for otters, tasks", flows.prototype()
assert score() == tasks.score() == "my score"
assert tasks.plan(Job("a")) == "my plan for a, tasks"
import pickle
assert pickle.loads(pickle.dumps(Job("b"))) == Job("b")
"""
SESSIONS = {
    "imported after": RUNOFF_WORKS + "print('so far unread')\n" + OWN_WORK + RUNOFF_WORKS,
    "imported before": OWN_WORK + RUNOFF_WORKS + OWN_WORK + RUNOFF_WORKS,
    "one before, one after": "import tasks\n" + RUNOFF_WORKS + OWN_WORK,
    "all of it": RUNOFF_IS_THERE + "from tasks import *\nassert plan(Job('c')).startswith('my plan')\n",
    "again": "import importlib, tasks\n" + RUNOFF_IS_THERE + "importlib.reload(tasks)\n" + OWN_WORK,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder with modules of the user's own."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "tasks.py").write_text(TASKS)
    (tmp_path / "own" / "flows.py").write_text(FLOWS)
    return tmp_path / "own"


def python(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run Python there, as a notebook's kernel does: the working folder comes first on the path."""
    variables: Mapping[str, str] = os.environ | environ
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder, env=variables, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "order",
    [
        order if order == "imported after" else pytest.param(order, marks=pytest.mark.slow)
        for order in SESSIONS
    ],
)
def test_both_work_in_one_session(folder: Path, order: str) -> None:
    """Runoff reaches its own packages, the user his own modules, whoever comes first."""
    done = python(folder, "-W", "error", "-c", SESSIONS[order])
    assert done.returncode == 0, done.stderr
    read = ["tasks.py of own"] * (2 if order == "again" else 1)
    assert done.stdout.splitlines() == (["so far unread", *read] if order == "imported after" else read)
    assert not (folder / "home").exists()


@pytest.mark.slow  # every day: both in one session, above
def test_what_is_not_there_is_missed_as_ever(folder: Path) -> None:
    """A name of neither, a submodule of neither, and a mistake in the user's own file."""
    session = (
        RUNOFF_IS_THERE + "import tasks\ntry:\n    tasks.nothing\nexcept AttributeError as e:\n    print(e)\n"
    )
    session += "try:\n    import tasks.nothing\nexcept ModuleNotFoundError as e:\n    print(e)\n"
    done = python(folder, "-c", session)
    assert done.stdout.splitlines()[1:] == [
        "module 'tasks' has no attribute 'nothing'",
        "No module named 'tasks.nothing'",
    ]
    (folder / "tasks.py").write_text("1 / 0")
    done = python(folder, "-c", RUNOFF_IS_THERE + "from tasks import Job")
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.slow  # every day: both in one session, above
def test_a_package_of_the_users_own_keeps_its_other_modules(folder: Path) -> None:
    """Modules that Runoff has too are Runoff's; where that comes too late, one sentence says so."""
    (folder / "tasks.py").unlink()
    (folder / "tasks").mkdir()
    (folder / "tasks" / "__init__.py").write_text("from tasks.mine import answer")
    (folder / "tasks" / "mine.py").write_text("answer = 42")
    use = "import tasks\nfrom tasks.mine import answer\nassert tasks.answer == answer == 42\n"
    for session in (use + RUNOFF_IS_THERE + use, RUNOFF_IS_THERE + use):
        assert (done := python(folder, "-c", session)).returncode == 0, done.stderr
    (folder / "tasks" / "plan.py").write_text("")
    done = python(folder, "-c", "import tasks.plan\nimport runoff")
    said = done.stderr.splitlines()[-1]
    assert said.startswith(f"ImportError: tasks ({folder / 'tasks' / '__init__.py'}) is a package of another")
    assert "same names as Runoff's: plan. Rename it" in said


@pytest.mark.parametrize(
    "words",
    [
        ["-m", "runoff"],
        pytest.param(["-P", "-c", "import runoff; runoff.main()"], marks=pytest.mark.slow),
    ],
)
def test_the_command_starts_there(folder: Path, words: list[str]) -> None:
    """By ``python -m``, which puts the working folder first, and where PYTHONPATH leads there."""
    done = python(folder, *words, "plan", str(DEMO), "--json", PYTHONPATH=str(folder))
    assert done.returncode == 0, done.stderr
    assert '"pictures": 24' in done.stdout


BOUGHT = f"""
import runoff
first = runoff.run({str(DEMO)!r}, home="home")
import tasks, flows
assert flows.prototype() == "my prototype: my plan for otters, tasks"
again = runoff.promote(first.run_id, home="home")
print(first.state, again.state, len(runoff.report_frame(first.run_id, home="home")))
"""


@pytest.mark.long  # every day: both in one session, above
def test_a_run_is_bought_there(folder: Path) -> None:
    """With Prefect's server and all that a run starts, and PYTHONPATH leading to the user's modules too."""
    done = python(folder, "-W", "error", "-c", BOUGHT, PYTHONPATH=str(folder))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("done done ")
