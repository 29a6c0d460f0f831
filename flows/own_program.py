"""Programs of Runoff's own: the words that start one in another process."""

import sys
from pathlib import Path

_PACKAGES = Path(__file__).parents[1]


def program_words(statements: str, *words: str) -> list[str]:
    """Return the command that does something of Runoff's in a process of its own.

    Not `-m`: it would put the working folder first on the path; with `-P` a folder `flows` in it is not
    imported. `import runoff` finds Runoff's packages even if PYTHONPATH leads to another `flows`.

    Args:
        statements: Python, after ``import runoff, sys``; ``sys.argv[1:]`` are the words.
        words: What the program is told.
    """
    program = f"import sys; sys.path.append(sys.argv.pop(1)); import runoff; {statements}"
    return [sys.executable, "-P", "-c", program, str(_PACKAGES), *words]
