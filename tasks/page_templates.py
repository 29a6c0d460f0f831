"""Templates of pages: every text is escaped, a missing value is an error, and each is compiled once for all.

Compiling those of the report takes a quarter of a second, reading them compiled a hundredth. They are kept in
``__pycache__`` beside the templates, as Python keeps the modules there: whoever may write into it may change
the modules too. Where nobody may, or Python is to write no bytecode, each process compiles them.
"""

import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any, TypedDict

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket


class _Options(TypedDict):
    autoescape: bool
    trim_blocks: bool
    lstrip_blocks: bool


_OPTIONS: _Options = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}


def open_templates(folder: Path, filters: Mapping[str, Any]) -> Environment:
    """Open the templates of a package.

    Args:
        folder: A folder of the package, with the templates in it and below it.
        filters: What they show values with, by name.
    """
    environment = Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        bytecode_cache=_Compiled(folder),
        **_OPTIONS,
    )
    environment.filters.update(filters)
    return environment


class _Compiled(FileSystemBytecodeCache):
    """Compiled templates, each valid for its source, its options and this version of Jinja and Python."""

    def __init__(self, folder: Path) -> None:
        beside = Path(cache_from_source(str(folder / "name.py")))
        super().__init__(str(beside.parent), f"%s{beside.suffixes[0]}.jinja")
        self._made_by = f"{version('jinja2')} {sorted(_OPTIONS.items())}"

    def get_cache_key(self, name: str, filename: str | None = None) -> str:  # noqa: ARG002
        """Name the file after the template."""
        return name.replace("/", "-")

    def get_source_checksum(self, source: str) -> str:
        """Tell sources apart, and by what they are compiled."""
        return super().get_source_checksum(f"{self._made_by} {source}")

    def load_bytecode(self, bucket: Bucket) -> None:
        """Read a compiled template, if that is possible."""
        with suppress(OSError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a compiled template, if that is possible."""
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                Path(self.directory).mkdir(parents=True, exist_ok=True)
                super().dump_bytecode(bucket)
