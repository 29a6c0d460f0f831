"""The catalogue of models: their capabilities, prices and lifecycle dates.

The figures are data (``configs/catalogue.yaml``) with a source and a date. They answer three questions about
a request before anything is spent: can the model do it, what will it cost, and is the model still available.
A user's own file adds models or overrides figures.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from tasks.catalogue.capabilities import Capabilities, UnsupportedParameter
from tasks.catalogue.model import Estimate, Lifecycle, LifecycleFacts, Model, OutputTokens
from tasks.errors import CatalogueError
from tasks.limits import YAML_BYTES
from tasks.marked_yaml import YamlFaultError, read_yaml
from tasks.storage.regular_file import read_regular_text
from tasks.text import escape_unprintable

__all__ = [
    "Capabilities",
    "Catalogue",
    "Estimate",
    "Lifecycle",
    "LifecycleFacts",
    "Model",
    "OutputTokens",
    "UnsupportedParameter",
    "configs_folder",
    "load_catalogue",
    "merged",
    "read_mapping",
]  # fmt: skip

CATALOGUE_VARIABLE = "RUNOFF_CATALOGUE"
NO_ENVIRONMENT: Mapping[str, str] = MappingProxyType({})


def configs_folder() -> Path:
    """Return the folder of data files that is installed with the code."""
    return Path(__file__).resolve().parents[2] / "configs"


@dataclass(frozen=True)
class Catalogue:
    """Every known model, by id.

    Args:
        models: Models by id, in file order.
        files: The files they were read from; later ones override earlier ones.
    """

    models: Mapping[str, Model]
    files: tuple[Path, ...]

    @cached_property
    def _ids(self) -> dict[str, str]:
        names = {alias: name for name, model in self.models.items() for alias in model.aliases}
        return names | {name: name for name in self.models}

    def model(self, model_id: str) -> Model:
        """Find a model by its id or by a dated snapshot's id.

        Raises:
            CatalogueError: The catalogue has no such model; the message names the nearest ones.
        """
        name = self._ids.get(model_id)
        if name is not None:
            return self.models[name]
        near = difflib.get_close_matches(model_id, self._ids, n=3, cutoff=0.5)
        raise CatalogueError(
            where=str(self.files[-1]),
            what=f"there is no model {model_id!r} in the catalogue"
            + (f"; near: {', '.join(near)}" if near else ""),
            accepted=", ".join(self.models),
            next_step=f"Describe a new one in RUNOFF_HOME/catalogue.yaml, or set {CATALOGUE_VARIABLE}.",
        )

    def with_shutdowns(self, days: Mapping[str, date]) -> "Catalogue":
        """Return a copy of the catalogue with other shutdown dates.

        Args:
            days: Shutdown date by model or snapshot id; a snapshot's date applies to its whole model.
        """
        models = dict(self.models)
        for model_id, day in days.items():
            model = self.model(model_id)
            facts = model.lifecycle_facts.model_copy(update={"shutdown_on": day})
            models[model.id] = model.model_copy(update={"lifecycle_facts": facts})
        return Catalogue(models, self.files)

    def knows(self, model_id: str) -> bool:
        """Return whether a model or snapshot with this id is in the catalogue."""
        return model_id in self._ids


def load_catalogue(home: Path | None = None, environ: Mapping[str, str] = NO_ENVIRONMENT) -> Catalogue:
    """Read the installed catalogue, overridden by the user's own.

    Args:
        home: RUNOFF_HOME; its ``catalogue.yaml``, if any, is merged over the installed one.
        environ: Where ``RUNOFF_CATALOGUE`` may name another file, merged last.

    Raises:
        CatalogueError: A file is missing, is not YAML, or has contents that a catalogue cannot have.
    """
    installed = configs_folder() / "catalogue.yaml"
    files = [installed]
    if home is not None and (home / "catalogue.yaml").exists():
        files.append(home / "catalogue.yaml")
    if environ.get(CATALOGUE_VARIABLE):
        files.append(Path(environ[CATALOGUE_VARIABLE]))
    entries: dict[str, Any] = {}
    for file in files:
        entries = merged(entries, read_mapping(file, "models"))
    models = {str(name): _model(str(name), facts, files[-1]) for name, facts in entries.items()}
    return Catalogue(models, tuple(files))


def read_mapping(file: Path, key: str) -> dict[str, Any]:
    """Read the mapping under ``key`` of a YAML file; other keys, which may hold anchors, are ignored.

    Raises:
        CatalogueError: The file cannot be read, is not YAML, or has no such mapping.
    """
    try:
        document = read_yaml(read_regular_text(file, YAML_BYTES)).data
    except OSError as error:
        raise CatalogueError(where=str(file), what=f"cannot be read ({error.strerror or error})") from error
    except YamlFaultError as error:
        where = f"{file}, line {error.line}" if error.line else str(file)
        raise CatalogueError(where=where, what=escape_unprintable(error.what)) from error
    entries = document.get(key) if isinstance(document, dict) else None
    if not isinstance(entries, dict):
        raise CatalogueError(
            where=str(file), what=f"is missing the mapping {key!r}", accepted=f"{key}: {{name: {{…}}}}"
        )
    return entries


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Merge one mapping over another, recursively where both values are mappings.

    Example:
        >>> merged({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}})
        {'a': {'x': 1, 'y': 3}}
    """
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result


def _model(name: str, facts: object, file: Path) -> Model:
    try:
        return Model.model_validate({**facts, "id": name} if isinstance(facts, dict) else facts)
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()
        ]
        raise CatalogueError(where=f"{file}: models.{name}", what="; ".join(faults)) from error
