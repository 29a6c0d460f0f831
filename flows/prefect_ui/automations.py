"""Automations on Prefect's server, created from a file as ``prefect automation create`` reads it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from flows.engine.prefect_server import PrefectServer

_MOST = 200


def create_automations(file: Path, server: "PrefectServer") -> Iterator[tuple[str, bool]]:
    """Create the automations of a file, or replace those of the same name.

    Args:
        file: YAML with a list ``automations``.
        server: Prefect's server.

    Yields:
        Each one's name, and whether it is new.

    Raises:
        EngineError: The server does not answer, or refuses one. Those before it are created.
    """
    for wanted in yaml.safe_load(file.read_text(encoding="utf-8"))["automations"]:
        known = _find(server, wanted["name"])
        if known is None:
            server.ask("/automations/", wanted)
        else:
            server.ask(f"/automations/{known['id']}", wanted, method="PUT")
        yield wanted["name"], known is None


def _find(server: "PrefectServer", name: str) -> Mapping[str, Any] | None:
    body = {"automations": {"name": {"any_": [name]}}, "limit": _MOST}
    found: Any = server.ask("/automations/filter", body)
    return next((one for one in found or () if one["name"] == name), None)
