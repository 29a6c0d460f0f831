"""Each package's ``__init__`` names in ``__all__`` what other packages import from it, and nothing else."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
TOPS = ("runoff", "flows", "tasks", "docs", "benchmarks")


def module_of(file: Path) -> str:
    """Name a file's module, or its package if it is an ``__init__``."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_of(file): file for top in TOPS for file in sorted((ROOT / top).rglob("*.py"))}
PACKAGES = sorted(name for name, file in FILES.items() if file.name == "__init__.py")


class Use(NamedTuple):
    """One name that one module imports, and through which package: ``importer`` says ``package.name``."""

    importer: str
    package: str
    name: str


@cache
def nodes(module: str) -> tuple[ast.AST, ...]:
    """Read a module's statements and all that is inside them."""
    return tuple(ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))))


def imported(module: str) -> Iterator[str]:
    """List the dotted names that a module imports, those inside functions too."""
    for node in nodes(module):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


@cache
def uses() -> tuple[Use, ...]:
    """List what the product's modules import of packages that they are no part of."""
    found = []
    for importer in FILES:
        for name in imported(importer):
            parts = name.split(".")
            around = [".".join(parts[:end]) for end in range(1, len(parts))]
            found += [
                Use(importer, package, parts[package.count(".") + 1])
                for package in around
                if package in PACKAGES and not f"{importer}.".startswith(f"{package}.")
            ]
    return tuple(found)


@cache
def listed(package: str) -> list[str]:
    """Read a package's ``__all__``."""
    for node in nodes(package):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            assert isinstance(node, ast.Assign | ast.AnnAssign)
            assert node.value is not None
            return list(ast.literal_eval(node.value))
    pytest.fail(
        f"{FILES[package].relative_to(ROOT)} has no __all__: add one, `__all__: list[str] = []` if empty"
    )


def init_of(package: str) -> str:
    """Name the file to edit."""
    return FILES[package].relative_to(ROOT).as_posix()


def test_what_is_imported_from_another_package_is_listed_there() -> None:
    """Or the importer takes something that its owner keeps to itself."""
    faults = [
        f'{use.importer} imports {use.package}.{use.name}: add "{use.name}" to {init_of(use.package)} __all__'
        for use in uses()
        if use.name not in listed(use.package)
    ]
    assert faults == []


def test_what_is_listed_is_used_or_written_about() -> None:
    """By another package of the product, or on a page; what only its own package uses is not listed."""
    pages = [
        ROOT / "README.md",
        ROOT / "pyproject.toml",
        ROOT / "prefect.yaml",
        *(ROOT / "docs").glob("*.md"),
    ]
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    used = {(use.package, use.name) for use in uses()}
    faults = [
        f"{package}.{name} is neither imported elsewhere nor on a page: take it out of {init_of(package)}"
        for package in PACKAGES
        for name in listed(package)
        if (package, name) not in used and not re.search(rf"\b{re.escape(package)}[.:]{name}\b", text)
    ]
    assert faults == []


@pytest.mark.parametrize("package", PACKAGES)
def test_what_is_listed_is_there(package: str) -> None:
    """Each name is a module of the package, or stands in its ``__init__``."""
    missing = [name for name in listed(package) if f"{package}.{name}" not in FILES]
    module = import_module(package) if missing else None
    assert [name for name in missing if not hasattr(module, name)] == [], init_of(package)


def test_no_private_name_leaves_its_module() -> None:
    """Neither imported by name, nor taken from an imported module."""
    faults = []
    for importer in FILES:
        names = [name for name in imported(importer) if name.split(".")[0] in TOPS]
        bound = {name.rpartition(".")[2] for name in names if name in FILES}
        faults += [f"{importer}: {name}" for name in names if re.search(r"\._[a-z]", name, re.IGNORECASE)]
        faults += [
            f"{importer}: {node.value.id}.{node.attr}"
            for node in nodes(importer)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            if node.value.id in bound and re.match(r"_[a-z]", node.attr, re.IGNORECASE)
        ]
    assert faults == []


@pytest.mark.parametrize("top", ["flows", "tasks"])
def test_the_two_packages_hold_only_words(top: str) -> None:
    """``import runoff`` does not run their ``__init__``, and what is theirs is imported by its full name."""
    kinds = [type(node) for node in ast.parse(FILES[top].read_text(encoding="utf-8")).body]
    assert kinds == [ast.Expr, ast.Assign]
    bare = [
        f"{importer}: import {top}.{name}, by its full name"
        for importer in FILES
        if importer.split(".")[0] in ("runoff", "flows", "tasks")
        for node in nodes(importer)
        for name in _taken_bare(node, top)
    ]
    assert bare == []


def _taken_bare(node: ast.AST, top: str) -> Iterator[str]:
    """List what a statement takes as an attribute of ``flows`` or ``tasks``: a user's module may have it."""
    if isinstance(node, ast.ImportFrom) and node.module == top:
        yield from (name.name for name in node.names)
    if isinstance(node, ast.Import):
        yield from (name.name for name in node.names if f"{name.name}.".startswith(f"{top}."))
