"""A YAML reader that remembers line numbers and rejects YAML's surprises.

Line numbers make a fault easy to find, and plain YAML hides faults: it keeps the last of two equal keys,
reads ``no`` as false and ``2026-12-01`` as a date. Here a repeated key is a fault, only ``true`` and
``false`` are booleans, and a date stays text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

KeyPath = tuple[str, ...]

_LoaderBase: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_LoaderBase):  # type: ignore[misc]
    """The safe loader without dates, and with two booleans instead of twenty-two."""


def _plain_resolvers() -> dict[str, list[tuple[str, Any]]]:
    unwanted = {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp"}
    return {
        first: [(tag, pattern) for tag, pattern in entries if tag not in unwanted]
        for first, entries in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.yaml_implicit_resolvers = _plain_resolvers()
_TRUE_OR_FALSE = re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$")
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", _TRUE_OR_FALSE, list("tTfF"))


@dataclass(frozen=True)
class MarkedYaml:
    """A YAML document's data and line numbers.

    Args:
        data: The document as plain Python values; ``None`` when the text is empty.
        lines: The line, from 1, of each key; list indices are keys too (``"0"``, ``"1"``, …).
    """

    data: Any
    lines: Mapping[KeyPath, int] = field(default_factory=dict)

    def line_of(self, path: KeyPath) -> int | None:
        """Find the line of a key, or of the nearest enclosing key that is in the text."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


class YamlFaultError(ValueError):
    """A text is not valid YAML, or repeats a key.

    Args:
        what: The fault in one line.
        line: Its line, from 1, when known.
    """

    def __init__(self, what: str, line: int | None) -> None:
        super().__init__(what)
        self.what = what
        self.line = line


def read_yaml(text: str) -> MarkedYaml:
    """Read one YAML document.

    Raises:
        YamlFaultError: The text is not valid YAML, has more than one document, or repeats a key.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return MarkedYaml(None)
        lines: dict[KeyPath, int] = {}
        _mark(node, (), lines, set())
        return MarkedYaml(loader.construct_document(node), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ", ".join(part for part in (error.context, error.problem) if part)
        raise YamlFaultError(what, mark.line + 1 if mark else None) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise YamlFaultError(str(error).splitlines()[0], None) from error


def _mark(node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int], seen: set[int]) -> None:
    if id(node) in seen:  # an alias: already marked at its anchor
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            lines[(*path, str(index))] = child.start_mark.line + 1
            _mark(child, (*path, str(index)), lines, seen)
    elif isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            here = (*path, str(key.value))
            if here in lines and key.value != "<<":
                first = lines[here]
                what = f"{'.'.join(here)} occurs twice, first on line {first}"
                raise YamlFaultError(what, key.start_mark.line + 1)
            lines[here] = key.start_mark.line + 1
            _mark(child, here, lines, seen)
