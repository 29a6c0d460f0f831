"""Optional packages: the command that installs one, wherever Runoff itself was installed from.

Runoff is in no registry, so ``pip install 'runoff[xlsx]'`` finds nothing; what the extra consists of can be
installed by its own name, into the Python that runs.
"""

import re
import shlex
import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path


def install_command(extra: str) -> str:
    """Return the command that installs the packages of an extra.

    Args:
        extra: Its name in ``pyproject.toml``, such as ``xlsx``.
    """
    try:
        stated = requires("runoff") or []
    except PackageNotFoundError:
        stated = []
    marked = re.compile(rf"extra\s*==\s*['\"]{re.escape(extra)}['\"]")
    packages = [line.partition(";")[0].strip() for line in stated if marked.search(line)]
    wanted = packages or [f"runoff[{extra}]"]
    return " ".join([_python(), "-m", "pip", "install", *map(shlex.quote, wanted)])


def _python() -> str:
    """Return this Python as it can be typed here: relative to the working folder, if it is below it."""
    program = Path(sys.executable)
    here = Path.cwd()
    return shlex.quote(str(program.relative_to(here) if program.is_relative_to(here) else program))
