"""A YAML reader that remembers line numbers, rejects YAML's surprises, and stays small whatever it reads.

Plain YAML hides faults: it keeps the last of two equal keys, and reads ``no`` as false, ``16:9`` as 969 and
``1.10`` as 1.1. Here a repeated key is a fault, and what is not in quotes is a number only if that number is
written exactly so; everything else is its text. Keys are text.

The document is built from the parser's events, one by one. Nothing recurses, and what aliases and merges
repeat is counted before it is used, so that neither brackets nor aliases can take the machine.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from tasks.limits import YAML_BYTES, YAML_DEPTH, YAML_VALUES

KeyPath = tuple[str, ...]

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "<<"
_WORDS: Mapping[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_WHOLE = re.compile(r"-?[1-9][0-9]{0,999}|0")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,21}")
_EXPONENT = re.compile(r"-?[0-9](?:\.[0-9]{1,17})?e[+-][0-9]{2,3}$")
_NUMBER_STARTS = frozenset("-0123456789")
_TOO_DEEP = f"is nested more than {YAML_DEPTH} levels deep"
_TAG = "tag:yaml.org,2002:"
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class MarkedYaml:
    """A YAML document's data and line numbers.

    Args:
        data: The document as plain Python values; ``None`` when the text is empty.
        text: What it was read from; empty for data that was never text.
    """

    data: Any
    text: str = field(default="", repr=False)

    def lines_of(self, paths: Collection[KeyPath]) -> dict[KeyPath, int | None]:
        """Find the line, from 1, of each key, or of the nearest enclosing key that is in the text.

        The text is read again for this: only a document with faults needs lines.

        Args:
            paths: Key paths; the places in a list are keys too, from 0.
        """
        builder = _Builder(paths)
        if self.text:
            builder.build(self.text)
        return {path: next(filter(None, map(builder.lines.get, _inner_first(path))), None) for path in paths}

    def line_of(self, path: KeyPath) -> int | None:
        """Find the line of one key; see ``lines_of``."""
        return self.lines_of([path])[path]


def _inner_first(path: KeyPath) -> Iterator[KeyPath]:
    return (path[:end] for end in range(len(path), 0, -1))


class YamlFaultError(ValueError):
    """A text is not valid YAML, repeats a key, or is beyond a limit.

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
        YamlFaultError: The text is not valid YAML, has more than one document, repeats a key, is nested too
            deeply, or has too many values with all aliases written out.
    """
    return MarkedYaml(_Builder().build(text), text)


def write_yaml(data: Any) -> str:  # noqa: ANN401 - plain values
    """Write plain values so that ``read_yaml`` reads the same ones, in the order of their keys."""
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return text


class _Dumper(yaml.SafeDumper):
    """The safe dumper, with floats as they are printed."""


_Dumper.add_representer(float, lambda dumper, value: dumper.represent_scalar(f"{_TAG}float", repr(value)))
_Dumper.add_implicit_resolver(f"{_TAG}float", _EXPONENT, list(_NUMBER_STARTS))


@dataclass(slots=True)
class _Open:
    """A list or mapping that has begun.

    Args:
        value: What it holds so far.
        anchor: Its anchor, if it has one.
        values_before: The count of values before it.
        characters_before: The count of characters before it.
        path: Its key path; ``None`` if no line in it is wanted.
        depth: How deep the values in it are nested.
        key: In a mapping, the key whose value comes next.
        merged: In a mapping, what is merged into it.
        is_merging: In a mapping, whether the value that comes next is merged.
        key_lines: In a mapping, the line of each key of its own.
    """

    value: Any
    anchor: str | None
    values_before: int
    characters_before: int
    path: KeyPath | None
    depth: int = 0
    key: str | None = None
    merged: list[dict[str, Any]] = field(default_factory=list)
    is_merging: bool = False
    key_lines: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Anchored:
    """A value with an anchor: how many values and characters an alias of it stands for, and its depth."""

    value: Any
    values: int
    characters: int
    depth: int


class _Builder:
    """Builds one document from events.

    Args:
        wanted: Key paths whose lines are wanted, or else those of the keys around them.
    """

    def __init__(self, wanted: Collection[KeyPath] = ()) -> None:
        self._wanted = {part for path in wanted for part in _inner_first(path)}
        self.lines: dict[KeyPath, int] = {}
        self._open: list[_Open] = []
        self._anchored: dict[str, _Anchored] = {}
        self._values = 0
        self._characters = 0
        self._root: Any = None
        self._line = 1

    def build(self, text: str) -> Any:  # noqa: ANN401 - whatever a person wrote
        """Read the text's only document; see ``read_yaml``."""
        documents = 0
        for event in _events(text):
            if self._wanted and len(self.lines) == len(self._wanted):
                break
            self._line = event.start_mark.line + 1
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.MappingStartEvent):
                self._begin({}, event)
            elif isinstance(event, yaml.SequenceStartEvent):
                self._begin([], event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end()
            elif isinstance(event, yaml.AliasEvent):
                self._alias(str(event.anchor))
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse("is a second document; a file has one")
        return self._root

    def _refuse(self, what: str) -> NoReturn:
        raise YamlFaultError(what, self._line)

    def _count(self, values: int, characters: int) -> None:
        self._values += values
        self._characters += characters
        if self._values > YAML_VALUES:
            self._refuse(f"has more than {YAML_VALUES:,} values, those of aliases and merges included")
        if self._characters > YAML_BYTES:
            self._refuse(f"has more than {YAML_BYTES:,} characters, those of aliases and merges included")

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        text: str = event.value
        if event.style == '"' and (bad := _UNPRINTABLE.search(text)):
            self._refuse(f"has the character U+{ord(bad[0]):04X}, which no text may have")
        self._characters += len(text)
        if self._awaits_key():
            if event.anchor:
                self._anchored[event.anchor] = _Anchored(text, 1, len(text), 0)
            self._key(text, is_merge=text == _MERGE and event.implicit[0])
            return
        self._count(1, 0)
        if event.tag is None:
            value = _plain_value(text) if event.implicit[0] else text
        else:
            value = text if event.tag == "!" else self._tagged(event.tag, text)
        if event.anchor:
            self._anchored[event.anchor] = _Anchored(value, 1, len(text), 0)
        self._put(value)

    def _tagged(self, tag: str, text: str) -> Any:  # noqa: ANN401 - text, a number, true or false
        if tag == f"{_TAG}str":
            return text
        value = _plain_value(text)
        names = {bool: "bool", int: "int", float: "float", type(None): "null"}
        if tag != _TAG + names.get(type(value), ""):
            self._refuse(f"{tag.replace(_TAG, '!!')} is not accepted before {text[:40]!r}")
        return value

    def _awaits_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].value, dict) and self._open[-1].key is None

    def _key(self, text: str, *, is_merge: bool) -> None:
        around = self._open[-1]
        if is_merge:
            around.is_merging = True
        elif text in around.key_lines:
            what = (
                ".".join((*self._path(), text))[:200]
                + f" occurs twice, first on line {around.key_lines[text]}"
            )
            self._refuse(what)
        else:
            around.key_lines[text] = self._line
        around.key = text
        if around.path is not None:
            self._mark((*around.path, text))

    def _path(self) -> Iterator[str]:
        """List the keys of what is open."""
        for around in self._open[:-1]:
            yield str(len(around.value)) if isinstance(around.value, list) else str(around.key)

    def _begin(self, value: Any, event: yaml.CollectionStartEvent) -> None:  # noqa: ANN401 - list or dict
        if self._awaits_key():
            self._refuse("a key is a list or a mapping; a key is text")
        if event.tag not in (None, "!", f"{_TAG}map", f"{_TAG}seq"):
            self._refuse(f"{event.tag.replace(_TAG, '!!')} is not accepted")
        if len(self._open) == YAML_DEPTH:
            self._refuse(_TOO_DEEP)
        path = self._path_of_value() if self._open else () if self._wanted else None
        self._open.append(_Open(value, event.anchor, self._values, self._characters, path))
        self._count(1, 0)

    def _mark(self, path: KeyPath) -> None:
        if path in self._wanted:
            self.lines[path] = self._line

    def _path_of_value(self) -> KeyPath | None:
        """Return the key path of the value that comes now, if it is wanted; mark the place in a list."""
        around = self._open[-1]
        if around.path is None:
            return None
        is_item = isinstance(around.value, list)
        path = (*around.path, str(len(around.value)) if is_item else str(around.key))
        if is_item:
            self._mark(path)
        return path if path in self._wanted else None

    def _end(self) -> None:
        done = self._open.pop()
        if done.merged:
            merged: dict[str, Any] = {}
            for part in reversed(done.merged):
                merged |= part
            self._count(len(merged), 0)
            done.value = merged | done.value
        if done.anchor:
            size = self._values - done.values_before, self._characters - done.characters_before
            self._anchored[done.anchor] = _Anchored(done.value, *size, done.depth + 1)
        self._put(done.value, done.depth + 1, is_marked=True)

    def _alias(self, name: str) -> None:
        if any(around.anchor == name for around in self._open):
            self._refuse(f"*{name} is inside of what it stands for")
        if name not in self._anchored:
            self._refuse(f"*{name} stands for nothing: there is no &{name} before it")
        found = self._anchored[name]
        self._count(found.values, found.characters)
        if len(self._open) + found.depth > YAML_DEPTH:
            self._refuse(_TOO_DEEP)
        if self._awaits_key():
            if isinstance(found.value, list | dict):
                self._refuse(f"*{name} is a list or a mapping; a key is text")
            self._key(str(found.value), is_merge=False)
            return
        self._put(found.value, found.depth)

    def _put(self, value: Any, depth: int = 0, *, is_marked: bool = False) -> None:  # noqa: ANN401
        """Put a value into what is open around it."""
        if not self._open:
            self._root = value
            return
        around = self._open[-1]
        around.depth = max(around.depth, depth)
        if isinstance(around.value, list):
            if not is_marked:
                self._path_of_value()
            around.value.append(value)
            return
        if around.is_merging:
            around.merged += self._mappings(value)
        else:
            around.value[around.key] = value
        around.key, around.is_merging = None, False

    def _mappings(self, value: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - whatever a person wrote
        mappings = value if isinstance(value, list) else [value]
        if not all(isinstance(mapping, dict) for mapping in mappings):
            self._refuse("<< is not followed by a mapping, or a list of mappings")
        self._count(sum(len(mapping) for mapping in mappings), 0)
        return mappings


def _plain_value(text: str) -> Any:  # noqa: ANN401 - text, a number, true, false or nothing
    """Read what is not in quotes: a number only if it is written exactly as it would be printed."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    if _WHOLE.fullmatch(text):
        return int(text)
    if (_DECIMAL.fullmatch(text) or _EXPONENT.match(text)) and repr(number := float(text)) == text:
        return number
    return text


def _events(text: str) -> Iterator[Any]:
    """Parse a text into events, lazily, so that a limit ends the parsing too."""
    try:
        yield from yaml.parse(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line if mark else None
        what = _likely_cause(text.splitlines(), line, str(error.problem))
        what = what or ", ".join(part for part in (error.context, error.problem) if part)
        raise YamlFaultError(what, None if line is None else line + 1) from error
    except (yaml.reader.ReaderError, UnicodeEncodeError) as error:
        bad = _UNPRINTABLE.search(text)
        what = f"has the character U+{ord(bad[0]):04X}, which no text may have" if bad else str(error)
        line = text.count("\n", 0, bad.start()) + 1 if bad else None
        raise YamlFaultError(what.partition("\n")[0], line) from error


def _likely_cause(lines: Sequence[str], line: int | None, problem: str) -> str:
    """Say what people most often mean by text that is not YAML; empty where nothing is likely."""
    here = lines[line] if line is not None and line < len(lines) else ""
    if "\t" in here[: len(here) - len(here.lstrip())]:
        return "it is indented with a tab, accepted: spaces"
    if re.search(r"[:\[,-]\s*\{\{|:\s+[^\s\"'|>#][^\"']*\{\{", here):
        return "text with {{ }} must stand in quotes"
    if problem == "mapping values are not allowed here":
        return "text with a colon must stand in quotes, and every key of a mapping at the same depth"
    return ""
