"""Tables of the packages and modules of the code base, and of what each may import.

The first line of a module's docstring describes it; ``.importlinter`` has the rules for imports. The tables
of ``docs/architecture.md`` are generated from both, so that the page cannot disagree with the code.
"""

import ast
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOPS = ("flows", "tasks")
CONTRACTS = ROOT / ".importlinter"


def rooms() -> Iterator[str]:
    """Write one table for each top folder: its modules and packages, each with its first line."""
    for top in TOPS:
        yield f"| `{top}/` | {first_line(ROOT / top / '__init__.py')} |"
        yield "|---|---|"
        for name, file in sorted(parts_of(ROOT / top), key=lambda part: (part[0].endswith("/"), part[0])):
            yield f"| `{name}` | {first_line(file)} |"
        yield ""


def parts_of(folder: Path) -> Iterator[tuple[str, Path]]:
    """Walk the modules of a folder, and its packages as their ``__init__``."""
    for path in folder.iterdir():
        if path.suffix == ".py" and not path.name.startswith("__"):
            yield path.name, path
        elif (init := path / "__init__.py").is_file():
            yield f"{path.name}/", init


def first_line(file: Path) -> str:
    """Return the first sentence line of a module's docstring.

    Raises:
        ValueError: The module has none.
    """
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    if not text:
        message = f"{file} has no docstring"
        raise ValueError(message)
    return text.splitlines()[0].replace("``", "`").replace("|", "\\|")


def layers() -> Iterator[str]:
    """Write the layer contracts, highest first, and the other rules by name."""
    contracts = ConfigParser()
    contracts.read(CONTRACTS, encoding="utf-8")
    sections = [contracts[name] for name in contracts.sections() if name.startswith("importlinter:contract:")]
    for section in sections:
        if section["type"] == "layers":
            yield f"**{section['name'][0].upper()}{section['name'][1:]}**\n"
            yield "```text"
            yield from (line.strip() for line in section["layers"].strip().splitlines())
            yield "```\n"
    yield "Besides:\n"
    yield from (f"- {section['name']}" for section in sections if section["type"] != "layers")
