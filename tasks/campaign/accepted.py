"""What each key of the campaign file accepts, in words, read from the models themselves.

The messages about a file and the page of its keys use the same words. A kind of text has a pattern for the
code and words for people; where a value misses it, the nearest value that fits is suggested.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from tasks.campaign.campaign import NAME_PATTERN, VARIABLE_PATTERN, Campaign
from tasks.campaign.factors import FACTOR_PATTERN, LEVEL_PATTERN
from tasks.campaign.retention import AGE_PATTERN, AGE_WORDS
from tasks.limits import ARMS
from tasks.marked_yaml import KeyPath
from tasks.text import nearest_of

Schema = Mapping[str, Any]
SECTION = "a mapping, see below"

VARIABLE_WORDS = "letters, digits and _, not a digit first, at most 64"
_PATTERN_WORDS = {
    NAME_PATTERN: "lower-case letters, digits and hyphens, at most 64, such as sea-otter",
    "^[a-z0-9][a-z0-9-]{0,31}$": "lower-case letters, digits and hyphens, at most 32, such as wide",
    "^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$": "letters, digits, hyphens and _, at most 32, such as A",
    "^#[0-9A-Fa-f]{6}$": 'red, green and blue as "#RRGGBB"',
    VARIABLE_PATTERN: VARIABLE_WORDS,
    FACTOR_PATTERN: "letters, digits and _, a letter first, at most 32, such as light",
    LEVEL_PATTERN: "letters, digits and hyphens, at most 32, such as hard",
    AGE_PATTERN: AGE_WORDS,
}
_DOLLARS = "an amount in US dollars, above 0, such as 5.00"
_AT: dict[KeyPath, str] = {
    ("provider",): "a provider's name, such as openai",
    ("budget",): "a mapping, such as {per_run_usd: 5.00}",
    ("budget", "per_run_usd"): _DOLLARS,
    ("budget", "per_month_usd"): _DOLLARS,
    ("review",): "a mapping, such as {labels: [hands, text, off-brand]}",
    ("review", "labels", "*"): "a label of 1 to 40 characters",
    ("review", "people", "*"): "a name of 1 to 60 characters",
    ("review", "people"): "at most 100 different names, such as [mara, jo]",
    ("review", "labels"): "at most 9 labels of 1 to 40 characters, such as [hands, text, off-brand]",
    ("variables",): "a mapping of names to lists, such as {action: [swimming, asleep]}",
    ("rows",): "a list of mappings, or the name of a file or a folder of pictures",
    ("arms",): f'a mapping of 1 to {ARMS} names, such as {{A: {{prompt: "An otter"}}}}',
    ("arms", "*"): 'a mapping, such as {prompt: "An otter"}',
    ("arms", "*", "prompt"): "text, which may be a Jinja2 template",
    ("arms", "*", "mask"): "the path of a png, or a mapping with box, keep_box or alpha_of",
    ("mask",): "the path of a png, or a mapping with box, keep_box or alpha_of",
    ("factors",): "a mapping with prompt and levels",
    ("factors", "prompt"): "text, which may be a Jinja2 template",
    ("factors", "levels"): "a mapping, such as {light: {soft: soft window light, hard: hard studio light}}",
    ("factors", "baseline"): "a mapping of factors to levels, such as {light: soft}",
    ("factors", "exclude"): "a list of mappings, such as [{light: hard, lens: wide}]",
    ("factors", "only"): "a list of mappings, such as [{light: hard, lens: wide}]",
    ("finals",): "a mapping, such as {model: gpt-image-2}, or a list of them",
    ("finals", "mask"): "the path of a png, or a mapping with box, keep_box or alpha_of",
    ("retention",): "a mapping, such as {drafts: 30d}",
    ("schedule",): "a mapping with cron, interval or rrule",
}
_SCALARS = {"string", "integer", "number", "boolean"}
_WORDS = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}


@lru_cache(maxsize=1)
def campaign_json_schema() -> dict[str, Any]:
    """Return the JSON schema of a campaign file."""
    return Campaign.model_json_schema()


def accepted_at(path: KeyPath) -> str:
    """Say what the key at a path accepts; empty for an unknown one."""
    if special := _special(path):
        return special
    schema = _schema_at(path)
    return "" if schema is None else describe(schema)


def describe(schema: Schema, *, in_table: bool = False) -> str:
    """Describe a JSON schema in a few words.

    Args:
        schema: A key's schema.
        in_table: For the page of keys: mappings are described below, and words to be typed stand in code.
    """
    if parts := _branches(schema):
        kinds = {part.get("type") for part in parts}
        if kinds == _SCALARS:
            return "text, a number, true or false"
        return ", or ".join(dict.fromkeys(describe(part, in_table=in_table) for part in parts))
    if "enum" in schema or "const" in schema:
        values = [str(value) for value in schema.get("enum", [schema.get("const")])]
        return _choice([f"`{value}`" for value in values] if in_table else values)
    if "$ref" in schema:
        return SECTION if in_table else _mapping(_resolved(schema))
    return _of_type(schema, in_table=in_table)


def table_words(path: KeyPath) -> str:
    """Describe what the key at a path accepts, for the page of keys."""
    return _special(path) or describe(_schema_at(path) or {}, in_table=True)


def nearest(value: object, path: KeyPath) -> str:
    """Return what was probably meant by a value that is not accepted; empty where nothing is near."""
    schema = _schema_at(path)
    if schema is None:
        return ""
    parts = _branches(schema) or [schema]
    if path[-1].endswith("_usd"):
        return _amount(str(value))
    for part in parts:
        if part.get("type") == "array" and isinstance(value, str) and len(parts) == 1:
            return f"[{value}]"
        if "enum" in part:
            return nearest_of(str(value), part["enum"])
        if part.get("type") == "string" and isinstance(value, int | float) and not isinstance(value, bool):
            return f'"{value}"' if len(parts) == 1 else ""
        if "pattern" in part and isinstance(value, str):
            return nearest_name(value, part["pattern"])
    return ""


def nearest_name(value: str, pattern: str) -> str:
    """Return a name like a value that fits a pattern; empty where none does."""
    makers: Sequence[Callable[[str], str]] = (
        lambda text: re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-"),
        lambda text: re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-_"),
        lambda text: re.sub(r"^(?=\d)", "_", re.sub(r"\W+", "_", text, flags=re.ASCII)).strip(" "),
    )
    order = makers[2:] if pattern == VARIABLE_PATTERN else makers
    made = (make(value) for make in order)
    return next((name for name in made if re.fullmatch(pattern.strip("^$"), name)), "")


def keys_at(path: KeyPath) -> list[str]:
    """List the keys that the mapping at a path accepts; none for a mapping by name."""
    return [key for branch in _with_branches(_schema_at(path)) for key in branch.get("properties", {})]


def key_words(path: KeyPath) -> str:
    """Say which names the mapping at a path accepts for its keys."""
    schema = _schema_at(path)
    patterns = [part for branch in _with_branches(schema) for part in branch.get("patternProperties", {})]
    return _PATTERN_WORDS[patterns[0]] if patterns else ""


def key_pattern(path: KeyPath) -> str:
    """Return the pattern of the names in the mapping at a path; empty where there is none."""
    schema = _schema_at(path)
    patterns = [part for branch in _with_branches(schema) for part in branch.get("patternProperties", {})]
    return patterns[0] if patterns else ""


def _special(path: KeyPath) -> str:
    if path in _AT:
        return _AT[path]
    if path[:1] == ("finals",) and len(path) == 2 and path[1].isdigit():
        return "a mapping, such as {name: wide, model: gpt-image-2}"
    if path[0] == "arms" and len(path) > 1:
        return _AT.get(("arms", "*", *path[2:]), "")
    return ""


def _schema_at(path: KeyPath) -> Schema | None:
    here: Schema | None = campaign_json_schema()
    for part in path:
        here = next(filter(None, (_inside(branch, part) for branch in _with_branches(here))), None)
    return here


def _with_branches(schema: Schema | None) -> Iterator[Schema]:
    if schema is None:
        return
    schema = _resolved(schema)
    parts = [part for key in ("anyOf", "oneOf") for part in schema.get(key, ())]
    yield schema
    for part in parts:
        yield from _with_branches(part)


def _inside(schema: Schema, part: str) -> Schema | None:
    if part in schema.get("properties", {}):
        return dict(schema["properties"][part])
    if "patternProperties" in schema:
        return dict(next(iter(schema["patternProperties"].values())))
    if isinstance(schema.get("additionalProperties"), dict):
        return dict(schema["additionalProperties"])
    if part.isdigit() and schema.get("type") == "array":
        items: Sequence[Schema] = schema.get("prefixItems", ())
        return items[int(part)] if int(part) < len(items) else schema.get("items")
    return None


def _resolved(schema: Schema) -> Schema:
    while "$ref" in schema:
        schema = campaign_json_schema()["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def _branches(schema: Schema) -> list[Schema]:
    """List what a schema accepts one of, without null; empty where there is no choice."""
    parts = schema.get("anyOf") or schema.get("oneOf") or ()
    flat = [inner for part in parts for inner in (_branches(part) or [part])]
    return [part for part in flat if part.get("type") != "null"]


def _of_type(schema: Schema, *, in_table: bool) -> str:
    kind = schema.get("type")
    if kind == "array":
        return _list(schema, in_table=in_table)
    if kind == "object":
        return "a mapping by name" if in_table else _mapping(schema)
    if kind == "string" and "pattern" in schema:
        return _PATTERN_WORDS[schema["pattern"]]
    if isinstance(kind, list):
        return "a whole number or text"
    return _WORDS.get(str(kind), "text") + _range(schema)


def _list(schema: Schema, *, in_table: bool) -> str:
    if "prefixItems" in schema:
        return f"a list of {len(schema['prefixItems'])} values"
    items = schema.get("items", {})
    if "$ref" in items or items.get("type") == "object":
        return "a list of mappings, see below" if in_table else "a list of mappings"
    if "pattern" in items or (
        _branches(items) and {part.get("type") for part in _branches(items)} != _SCALARS
    ):
        return f"a list, each {describe(items, in_table=in_table)}"
    return "a list of text" if items.get("type") == "string" else "a list of values"


def _mapping(schema: Schema) -> str:
    if required := schema.get("required"):
        return f"a mapping with {', '.join(required)}"
    return f"a mapping, such as {{{next(iter(schema.get('properties', {})), 'name')}: …}}"


def _range(schema: Schema) -> str:
    least, above, most = (schema.get(key) for key in ("minimum", "exclusiveMinimum", "maximum"))
    if least is not None and most is not None:
        return f" from {least:.10g} to {most:.10g}"
    if least is not None:
        return f", {least:.10g} or more"
    parts = [f"above {above:.10g}"] if above is not None else []
    parts += [f"at most {most:.10g}"] if most is not None else []
    return f" {', '.join(parts)}" if parts else ""


def _choice(values: Sequence[str]) -> str:
    *first, last = values
    return f"{', '.join(first)} or {last}" if first else last


def _amount(text: str) -> str:
    """Return the amount in a text such as ``$5`` or ``5,00 USD``."""
    found = re.fullmatch(r"\D{0,4}(\d{1,9})(?:[.,](\d{1,2}))?\D{0,4}", text.strip())
    if found is None or text.strip().startswith("-"):
        return ""
    amount = f"{found[1]}.{found[2]}" if found[2] else found[1]
    return amount if float(amount) > 0 else ""
