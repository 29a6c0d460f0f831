"""The command that installs an extra works from a clone and without one."""

import shlex
import sys
from contextlib import chdir
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tasks.extras import install_command


@pytest.mark.parametrize(
    ("extra", "packages"),
    [
        ("xlsx", {"xlsxwriter"}),
        ("ocr", {"rapidocr", "onnxruntime"}),
        ("postgres", {"psycopg"}),
        ("dask", {"distributed"}),
    ],
)
def test_the_packages_are_named_and_not_runoff_itself(extra: str, packages: set[str]) -> None:
    """Runoff is in no registry; the packages are, with the versions that it needs."""
    program, *words = shlex.split(install_command(extra))
    assert words[:3] == ["-m", "pip", "install"]
    assert {Requirement(word).name for word in words[3:]} == packages
    assert Path(program).resolve() == Path(sys.executable).resolve()


def test_the_program_is_short_where_it_can_be() -> None:
    """As people have it in a clone: .venv/bin/python."""
    with chdir(Path(sys.executable).parents[2]):
        program = shlex.split(install_command("xlsx"))[0]
    assert not Path(program).is_absolute()
    assert program.endswith(str(Path("bin") / Path(sys.executable).name))
