"""The built wheel in an environment with nothing else, as a stranger installs it."""

import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

import pydantic
import pytest

from tests.support.network_watch import strangers, watch_environ

ROOT = Path(__file__).parents[2]
SHIPPED = ("runoff", "flows", "tasks", "configs")
NOT_SOURCES = shutil.ignore_patterns(".git", ".venv*", "dist", "*.egg-info", "__pycache__", ".*_cache")
NOT_SOURCES_AT_THE_TOP = {"build", "runs"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the sources so that no earlier build gets in."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "sources", ignore=not_sources)
    words = ["pip", "wheel", "-q", "--no-deps", "--wheel-dir", str(folder), str(folder / "sources")]
    subprocess.run([sys.executable, "-m", *words], check=True, cwd=folder)
    (built,) = folder.glob("runoff-*.whl")
    return built


def not_sources(folder: str, names: list[str]) -> set[str]:
    """Name what is no source in a folder; ``runs`` is a home at the top, and a package further down."""
    at_the_top = NOT_SOURCES_AT_THE_TOP if Path(folder) == ROOT else set()
    return NOT_SOURCES(folder, names) | at_the_top & set(names)


@pytest.mark.slow  # every day: pyproject.toml is what an editable installation is made from
def test_the_wheel_holds_code_data_and_nothing_else(wheel: Path) -> None:
    """Runoff's face, flows, tasks and configs with every data file; no tests, no docs."""
    names = ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == set(SHIPPED)
    assert {"runoff/__init__.py", "runoff/py.typed"} <= set(names)
    shipped = {str(path.relative_to(ROOT)) for path in data_files()}
    assert shipped <= set(names)


def data_files() -> list[Path]:
    """Every tracked file below the shipped folders that is required at run time."""
    listed = subprocess.run(
        ["git", "ls-files", *SHIPPED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    files = listed.stdout.split() or [
        str(path.relative_to(ROOT)) for top in SHIPPED for path in (ROOT / top).rglob("*.*")
    ]
    return [ROOT / file for file in files if "__pycache__" not in file]


def lend_libraries(env: Path) -> list[str]:
    """Let an environment see the libraries of this one, and nothing of its code; returns pip's own words."""
    (place,) = env.glob("lib/python*/site-packages")
    (place / "lent.pth").write_text(str(Path(pydantic.__file__).parents[1]))
    return ["--no-deps"]


def fetch_libraries(_: Path) -> list[str]:
    """Let pip install what the wheel asks for; returns pip's own words."""
    return ["-c", str(ROOT / "constraints.txt")]


@pytest.mark.long  # every day: whole runs, in test_the_main_job.py
@pytest.mark.parametrize("libraries_of", [lend_libraries, fetch_libraries])
def test_the_installed_wheel_runs_the_demo_from_the_root_folder(
    wheel: Path, tmp_path: Path, libraries_of: Callable[[Path], list[str]]
) -> None:
    """With no code of ours but the wheel's, no key or setting, and no word to anybody outside the machine."""
    venv.create(tmp_path / "env")
    programs = tmp_path / "env" / "bin"
    words = ["--python", str(programs / "python"), "install", "-q", "--disable-pip-version-check"]
    words += [*libraries_of(tmp_path / "env"), str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True)
    bare = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        [programs / "runoff", "demo", "--home", str(tmp_path / "home")],
        cwd="/",
        env=bare | watch_environ(tmp_path / "watch"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    (report,) = re.findall(r"Report  (\S+)", done.stdout)
    assert Path(report).stat().st_size > 100_000
    assert strangers(tmp_path / "watch") == set()
    (tmp_path / "tasks.py").write_text("")
    session = "import runoff, sys; runoff.load_campaign(sys.argv[1])"
    demo = next((tmp_path / "env").glob("lib/python*/site-packages/configs/campaigns/demo.yaml"))
    subprocess.run([programs / "python", "-c", session, demo], cwd=tmp_path, env=bare, check=True)


def test_the_names_flows_and_tasks_are_ours_alone() -> None:
    """Other distributions of these names exist; one beside ours would overwrite it."""
    owners = packages_distributions()
    assert set(owners.get("flows", ["runoff"])) == set(owners.get("tasks", ["runoff"])) == {"runoff"}


def test_no_module_of_flows_hides_another() -> None:
    """Prefect may put the flows folder on the path: no file in it may bear a library's name."""
    own = {path.stem for path in (ROOT / "flows").iterdir() if path.suffix != ".typed"}
    installed = set(packages_distributions()) - set(SHIPPED)
    assert not own & (set(sys.stdlib_module_names) | installed)


def test_the_constraints_pin_every_dependency_and_name_no_host() -> None:
    """Whatever a clean install resolves is pinned, and no registry or machine is named."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+_-]+", pin) for pin in pins)
    assert not any("://" in line or "@" in line for line in lines)
