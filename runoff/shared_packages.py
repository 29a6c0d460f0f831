"""Sharing the package names ``flows`` and ``tasks`` with other modules of these names.

Runoff consists of two packages with common names. A script or notebook imports from its own folder first,
and a ``tasks.py`` there would hide Runoff's ``tasks``. So ``import runoff`` puts both packages into
``sys.modules`` itself, found next to this one and not by ``sys.path``. The other module stays usable under
its name, whether it was imported before or is imported later; see ``SharedPackage``.
"""

import sys
import threading
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

_FOLDER = Path(__file__).resolve().parents[1]
_LOADING = threading.RLock()
_TO_LOAD: set[str] = set()
"""The names for which another module may exist that is not loaded yet."""


def share_packages() -> None:
    """Put both packages into ``sys.modules``. Modules that were imported before still work.

    Raises:
        ImportError: Another project's package of the same name has loaded modules that Runoff has too.
    """
    for name in ("flows", "tasks"):
        _share(name)


class SharedPackage(ModuleType):
    """``flows`` or ``tasks``, shared with another module of the same name.

    Its submodules are Runoff's: Python finds them by ``__path__``. Its attributes are those of the other
    module, which is loaded when one of them is first needed; a submodule of Runoff is an attribute only if
    the other module has none of that name, so that neither replaces the other.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (isinstance(value, ModuleType) and _is_runoffs(value)):
            super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        if name == "__all__" or not name.startswith("__"):
            _load_other(self)
            if name in vars(self):
                return vars(self)[name]
            if f"{self.__name__}.{name}" in sys.modules:
                return sys.modules[f"{self.__name__}.{name}"]
        message = f"module {self.__name__!r} has no attribute {name!r}"
        raise AttributeError(message)


def _is_runoffs(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).is_relative_to(_FOLDER / module.__name__.partition(".")[0])


def _other_spec(name: str) -> ModuleSpec | None:
    """Find the other module that ``import`` would find under this name, if there is one."""
    spec = PathFinder.find_spec(name)
    if spec is None or (spec.origin and Path(spec.origin).resolve().parent == _FOLDER / name):
        return None
    return spec


def _load_other(package: ModuleType) -> None:
    """Execute the other module's code in this package's namespace, once."""
    name = package.__name__
    with _LOADING:
        spec = _other_spec(name) if name in _TO_LOAD else None
        _TO_LOAD.discard(name)
        if spec is None or spec.loader is None or spec.origin is None:
            return
        vars(package).update(__file__=spec.origin, __spec__=spec, __loader__=spec.loader)
        try:
            spec.loader.exec_module(package)
        except BaseException:
            _TO_LOAD.add(name)
            raise


def _share(name: str) -> None:
    """Make ``name.x`` find Runoff's submodules, whether or not another ``name`` is imported."""
    package, folder = sys.modules.get(name), _FOLDER / name
    others = list(getattr(package, "__path__", ()))
    if any(Path(other).resolve() == folder for other in others):
        return
    if package is None:
        package, others = _make_package(name)
        _TO_LOAD.add(name)
    _check_clashes(package)
    package.__class__ = SharedPackage
    vars(package)["__path__"] = [str(folder), *others]
    sys.modules[name] = package


def _make_package(name: str) -> tuple[ModuleType, list[str]]:
    """Make Runoff's package without executing its ``__init__``; also returns the other module's paths."""
    folder, other = _FOLDER / name, _other_spec(name)
    spec = spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=[str(folder)])
    assert spec is not None
    return module_from_spec(spec), list((other and other.submodule_search_locations) or ())


def _check_clashes(package: ModuleType) -> None:
    name = package.__name__
    known = [module.split(".")[1] for module in sys.modules if module.startswith(f"{name}.")]
    own = {file.stem for file in (_FOLDER / name).iterdir()}
    if clashes := sorted(own & set(known)):
        message = (
            f"{name} ({getattr(package, '__file__', None)}) is a package of another project and has modules"
            f" of the same names as Runoff's: {', '.join(clashes)}. Rename it, or use Runoff in a process"
            " that does not import it. Nothing was bought."
        )
        raise ImportError(message)
