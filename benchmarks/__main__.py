"""Runs benchmarks one after the other, each in a process of its own: all of them, or those that are named.

python -m benchmarks [whole_run ledger_speed ...]
"""

import ast
import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """List the files that say how to run them; the others are what they share."""
    return [file.stem for file in sorted(FOLDER.glob("*.py")) if _says_how(file)]


def _says_how(file: Path) -> bool:
    """Whether a file's first lines have a command for it that needs no further word."""
    said = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    command = rf"python (-m benchmarks\.{file.stem}|benchmarks/{file.stem}\.py)( +\[.*)?$"
    return re.search(command, said, re.MULTILINE) is not None


def main() -> int:
    """Run them; returns 1 if one failed, 2 if there is none of a name."""
    known = names()
    wanted = sys.argv[1:] or known
    if unknown := [name for name in wanted if name not in known]:
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    has_failed = False
    for name in wanted:
        print(f"\n== {name}", flush=True)
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=FOLDER.parent, check=False)
        has_failed |= done.returncode != 0
    return int(has_failed)


if __name__ == "__main__":
    sys.exit(main())
