"""The packages ``flows`` and ``tasks``, kept within reach beside somebody else's modules of these names.

Runoff is made of two packages with common names. A script or notebook looks for modules in its own folder
first, and a ``tasks.py`` there would hide Runoff's ``tasks``. So ``import runoff`` puts both packages in
place itself, found beside this one and not by ``sys.path``. The other module stays usable under its own
name, whether it was imported before or is imported later; see ``SharedPackage``.
"""

import sys
import threading
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

_FOLDER = Path(__file__).resolve().parents[1]
_READING = threading.RLock()
_TO_READ: set[str] = set()
"""The packages beside which another module may lie that was not read yet."""


def share_packages() -> None:
    """Put both packages in place. What was imported before stays as it is, and goes on working.

    Raises:
        ImportError: Another project's package of the same name has brought modules that Runoff has too.
    """
    for name in ("flows", "tasks"):
        _share(name)


class SharedPackage(ModuleType):
    """``flows`` or ``tasks``, where somebody else's module may have the same name.

    Its submodules are Runoff's: Python looks for them in ``__path__``. Its attributes are those of the other
    module, read from the path when the first of them is asked for; a submodule of Runoff's is an attribute
    only where the other module has none of that name, so that neither takes the other's place.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (isinstance(value, ModuleType) and _is_runoffs(value)):
            super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        if name == "__all__" or not name.startswith("__"):
            _read_other(self)
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
    """Find the module that hides Runoff's package from ``import``, if one does."""
    spec = PathFinder.find_spec(name)
    if spec is None or (spec.origin and Path(spec.origin).resolve().parent == _FOLDER / name):
        return None
    return spec


def _read_other(package: ModuleType) -> None:
    """Run the other module's code in the package's place, once."""
    name = package.__name__
    with _READING:
        spec = _other_spec(name) if name in _TO_READ else None
        _TO_READ.discard(name)
        if spec is None or spec.loader is None or spec.origin is None:
            return
        vars(package).update(__file__=spec.origin, __spec__=spec, __loader__=spec.loader)
        try:
            spec.loader.exec_module(package)
        except BaseException:
            _TO_READ.add(name)
            raise


def _share(name: str) -> None:
    """See that ``name.x`` is Runoff's, whatever else is called ``name``, imported or not."""
    package, folder = sys.modules.get(name), _FOLDER / name
    others = list(getattr(package, "__path__", ()))
    if any(Path(other).resolve() == folder for other in others):
        return
    if package is None:
        package, others = _make_package(name)
        _TO_READ.add(name)
    _refuse_clashes(package)
    package.__class__ = SharedPackage
    vars(package)["__path__"] = [str(folder), *others]
    sys.modules[name] = package


def _make_package(name: str) -> tuple[ModuleType, list[str]]:
    """Make Runoff's package without running its code, which holds only words; returns other paths too."""
    folder, other = _FOLDER / name, _other_spec(name)
    spec = spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=[str(folder)])
    assert spec is not None
    return module_from_spec(spec), list((other and other.submodule_search_locations) or ())


def _refuse_clashes(package: ModuleType) -> None:
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
