"""Prompts, variables, image models and rubrics from a promptfoo configuration.

Each prompt becomes an arm, and each test's ``vars`` a row; with several image models there is an arm of each
prompt and model. What a campaign has no place for is listed, never silently left out.

Source: promptfoo's reference of its configuration, https://promptfoo.dev/docs/configuration/reference, read
in November 2026.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasks.campaign.prompts import PromptFaultError, PromptTemplate
from tasks.campaign.row_value import Scalar
from tasks.campaign.statements import VARIABLE as RUBRIC
from tasks.campaign_file.csv_rows import read_csv
from tasks.campaign_file.row_values import RowsFaultError
from tasks.campaign_file.rows import decode_text
from tasks.errors import CampaignError
from tasks.limits import ROWS, ROWS_BYTES, YAML_BYTES
from tasks.marked_yaml import YamlFaultError, read_yaml
from tasks.new_campaign.collected import (
    AGAIN,
    MOST_ARMS,
    MOST_STATEMENTS,
    ArmText,
    Collected,
    arm_name,
    variable_name,
)
from tasks.storage.regular_file import read_regular, read_regular_text

IMAGE_PROVIDER = re.compile(r"(?:openai|azure|azureopenai|cometapi):image:(?P<model>[\w.-]+)")
PROMPT_TEXTS = (".txt", ".md", ".j2", "")
FILE = "file://"
QUALITIES = ("low", "medium", "high", "xhigh", "max")
MOST_WORDS = 9
"""Of an arm's name that has a model's in it."""
CANNOT = "a campaign has no place for it"

Model = tuple[str, str]
"""A label and a model's id."""


@dataclass
class _Taking:
    """A configuration while it is read: its folder, which models can be bought, and what was not taken."""

    folder: Path
    is_buyable: Callable[[str], bool]
    drafts: dict[str, str] = field(default_factory=dict)
    finals: dict[str, str] = field(default_factory=dict)
    not_taken: list[str] = field(default_factory=list)

    def leave(self, what: str, why: str = CANNOT) -> None:
        """Note what is not taken."""
        self.not_taken.append(f"Not taken: {what[:120]} ({why})")


def collect_promptfoo(file: Path, is_buyable: Callable[[str], bool]) -> Collected:
    """Take what a promptfoo configuration has for pictures.

    Args:
        file: The configuration, YAML or JSON.
        is_buyable: Whether a model can be bought today.

    Raises:
        CampaignError: It is no configuration, or none of its prompts can be taken.
        OSError: It cannot be read.
    """
    try:
        document = read_yaml(read_regular_text(file, YAML_BYTES)).data
    except YamlFaultError as error:
        where = f"line {error.line}: " if error.line else ""
        raise CampaignError(str(file), [f"{where}is not valid YAML: {error.what}"], AGAIN) from error
    if not isinstance(document, dict) or "prompts" not in document:
        accepted = "a promptfoo configuration with prompts, a .csv, or a .txt with a prompt on each line"
        raise CampaignError(str(file), [f"has no key prompts, accepted: {accepted}"], AGAIN)
    taking = _Taking(file.resolve().parent, is_buyable)
    prompts = list(_prompts(document["prompts"], taking))
    models = list(_models(document.get("providers", document.get("targets")), taking))
    tests, default = _tests(document, taking), document.get("defaultTest")
    default = default if isinstance(default, dict) else {}
    rubric, own = _rubrics(default, tests, taking)
    rows = list(_rows(tests, _vars(default), own, taking))
    names = _own_names(rows)
    rows = [_with_renamed_statements(row, names) for row in rows]
    complete = _complete(rows, names | {OWN_STATEMENTS: RUBRIC} if any(own) else names, taking)
    rubric = [_renamed(statement, names) for statement in rubric]
    arms = _arms([(label, _renamed(text, names)) for label, text in prompts], models, complete, taking)
    if not arms:
        raise CampaignError(str(file), ["none of its prompts can be taken", *taking.not_taken], AGAIN)
    for key in sorted(document.keys() - KNOWN_KEYS):
        taking.leave(f"{key}")
    return Collected(
        about=f"Prompts from {file.name}, a promptfoo configuration.",
        arms=tuple(arms),
        rows=tuple(complete),
        rubric=tuple(rubric),
        drafts=taking.drafts,
        finals=taking.finals,
        model=models[0][1] if len(models) == 1 else "",
        not_taken=tuple(dict.fromkeys(taking.not_taken)),
    )


OWN_STATEMENTS = "__rubric"
"""The key of a row's own statements, until its variables have their names."""
KNOWN_KEYS = {"prompts", "providers", "targets", "tests", "defaultTest", "description", "tags"}


def _prompts(value: object, taking: _Taking) -> Iterator[tuple[str, str]]:
    """Yield the label and the text of each prompt."""
    if isinstance(value, str) and value.startswith(FILE) and value.endswith((".yaml", ".yml")):
        value = _document(value, taking)
    items: Iterable[object] = value.items() if isinstance(value, dict) else _listed(value)
    for item in items:
        if isinstance(item, tuple):  # a mapping from files to labels
            item = {"raw": item[0], "label": item[1]}
        label, text = "", item
        if isinstance(item, dict):
            label, text = str(item.get("label") or ""), item.get("raw") or item.get("id")
        if not isinstance(text, str) or not text.strip():
            taking.leave(f"a prompt, {item!r}", "it is no text")
            continue
        yield from ((label, each) for each in _texts(text.strip(), taking))


def _texts(text: str, taking: _Taking) -> Iterator[str]:
    """Yield a prompt's texts: itself, or those of the file that it names, which ``---`` separates."""
    path = taking.folder / text.removeprefix(FILE)
    is_file = text.startswith(FILE) or ("\n" not in text and len(text) < 200 and path.is_file())
    if not is_file:
        yield text
    elif path.suffix not in PROMPT_TEXTS:
        taking.leave(text, "only prompts in text files can be")
    else:
        try:
            content = decode_text(path, read_regular(path, YAML_BYTES))
        except (OSError, RowsFaultError) as error:
            taking.leave(text, str(error))
            return
        yield from (part.strip() for part in re.split(r"(?m)^---\s*$", content) if part.strip())


def _models(value: object, taking: _Taking) -> Iterator[Model]:
    """Yield the label and the model of each image provider that can be bought."""
    items = value.items() if isinstance(value, dict) and "id" not in value else _listed(value)
    for item in items:
        settings: object = {}
        if isinstance(item, tuple):
            item, settings = item
        elif isinstance(item, dict) and "id" not in item and len(item) == 1:
            ((item, settings),) = item.items()
        if isinstance(item, dict):
            item, settings = item.get("id"), item
        found = IMAGE_PROVIDER.fullmatch(str(item))
        if found is None:
            taking.leave(f"provider {item}", "it is no OpenAI image model")
            continue
        if isinstance(settings, dict):
            _take_settings(settings.get("config"), taking)
        if not taking.is_buyable(found["model"]):
            taking.leave(f"provider {item}", "the model cannot be bought today; drafts use the cheapest")
            continue
        label = settings.get("label") if isinstance(settings, dict) else None
        yield str(label or found["model"]), found["model"]


def _take_settings(config: object, taking: _Taking) -> None:
    """Take the first size for drafts and finals, and the first quality for finals: drafts are cheap ones."""
    for key, value in config.items() if isinstance(config, dict) else ():
        if key == "size" and re.fullmatch(r"\d+x\d+", str(value)):
            taking.drafts.setdefault("size", str(value))
            taking.finals.setdefault("size", str(value))
        elif key == "quality" and value in QUALITIES:
            taking.finals.setdefault("quality", str(value))
        else:
            taking.leave(f"config.{key}: {value}", "set it under drafts or finals")


def _tests(document: Mapping[str, Any], taking: _Taking) -> list[dict[str, Any]]:
    value = document.get("tests")
    found: list[dict[str, Any]] = []
    for item in _listed(value):
        if isinstance(item, str):
            found += _tests_of_file(item, taking)
        elif isinstance(item, dict):
            found.append(item)
            for key in sorted(item.keys() - {"vars", "assert", "description"}):
                taking.leave(f"tests: {key}")
    return found


def _tests_of_file(name: str, taking: _Taking) -> list[dict[str, Any]]:
    path = taking.folder / name.removeprefix(FILE)
    if path.suffix in (".yaml", ".yml", ".json"):
        return [item for item in _listed(_document(name, taking)) if isinstance(item, dict)]
    if path.suffix != ".csv":
        taking.leave(f"tests: {name}", "only CSV, YAML and JSON can be")
        return []
    try:
        rows = read_csv(path, decode_text(path, read_regular(path, ROWS_BYTES)), _csv_names).rows
    except (OSError, RowsFaultError) as error:
        taking.leave(f"tests: {name}", str(error))
        return []
    checks = sorted({key for row in rows for key in row if key.startswith("__")})
    if checks:
        taking.leave(f"tests: {name}: {', '.join(checks)}")
    return [{"vars": {key: value for key, value in row.items() if key not in checks}} for row in rows]


def _csv_names(names: list[str]) -> list[str]:
    """Keep ``__expected`` and its like apart from variables, and make the others variables' names."""
    return [re.sub(r"\W", "_", name) if name.startswith("__") else variable_name(name) for name in names]


def _vars(test: Mapping[str, Any]) -> dict[str, Any]:
    found = test.get("vars")
    return found if isinstance(found, dict) else {}


def _rows(
    tests: Sequence[Mapping[str, Any]],
    default: Mapping[str, Any],
    rubrics: Sequence[Sequence[str]],
    taking: _Taking,
) -> Iterator[dict[str, Scalar]]:
    """Yield a row for each test; a variable with a list of values makes one for each combination.

    Args:
        tests: The tests.
        default: The variables of all tests.
        rubrics: Each test's own statements.
        taking: Notes what cannot be taken.
    """
    n_rows = 0
    for test, rubric in zip(tests or [{}], rubrics or [()], strict=True):
        values = {**default, **_vars(test)}
        lists: dict[str, list[Scalar]] = {}
        for name, value in values.items():
            each = [one for one in _listed(value) if isinstance(one, str | int | float | bool)]
            each = [one for one in each if not str(one).startswith(FILE)]
            if each:
                lists[name] = each
            else:
                taking.leave(f"variable {name}", "its value is no text or number")
        for combination in itertools.product(*lists.values()) if lists else ():
            n_rows += 1
            if n_rows > ROWS:
                taking.leave("further tests", f"a campaign has at most {ROWS:,} rows")
                return
            own: dict[str, Scalar] = {OWN_STATEMENTS: "\n".join(rubric)} if rubric else {}
            yield dict(zip(lists, combination, strict=True)) | own


def _with_renamed_statements(row: dict[str, Scalar], names: Mapping[str, str]) -> dict[str, Scalar]:
    own = row.get(OWN_STATEMENTS)
    return row if own is None else row | {OWN_STATEMENTS: _renamed(str(own), names)}


def _complete(
    rows: Sequence[Mapping[str, Scalar]], names: Mapping[str, str], taking: _Taking
) -> list[Mapping[str, Scalar]]:
    """Give every row every variable: one that a test does not set is empty."""
    lacking = sorted({name for row in rows for name in names if name not in row} - {OWN_STATEMENTS})
    if lacking:
        taking.not_taken.append(f"Empty in some rows, as their tests do not set it: {', '.join(lacking)}")
    complete = [{names[name]: row.get(name, "") for name in names} for row in rows]
    return list({tuple(row.items()): row for row in complete}.values())


def _rubrics(
    default: Mapping[str, Any], tests: Sequence[Mapping[str, Any]], taking: _Taking
) -> tuple[list[str], list[list[str]]]:
    """Return the statements that the judge answers about every picture, and those of each test."""
    of_tests = [list(_statements(test, taking)) for test in tests]
    shared = dict.fromkeys(_statements(default, taking))
    first, *others = of_tests or [[]]
    shared |= dict.fromkeys(one for one in first if all(one in statements for statements in others))
    for statement in list(shared)[MOST_STATEMENTS:]:
        taking.leave(f"rubric: {statement}", f"a judge is asked at most {MOST_STATEMENTS} statements")
    own = [[one for one in statements if one not in shared] for statements in of_tests]
    return list(shared)[:MOST_STATEMENTS], [statements[:MOST_STATEMENTS] for statements in own]


def _statements(test: Mapping[str, Any], taking: _Taking) -> Iterator[str]:
    """Yield the statements of a test's ``llm-rubric`` assertions."""
    for check in _listed(test.get("assert")):
        kind, value = (check.get("type"), check.get("value")) if isinstance(check, dict) else ("", None)
        if kind == "llm-rubric" and isinstance(value, str) and value.strip() and len(value) < 300:
            yield " ".join(value.split())
        else:
            taking.leave(f"assertion {kind or check}", "only an llm-rubric of at most 300 characters can be")


def _own_names(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Give each variable a name that no other has; those that a campaign can have stay."""
    given = list(dict.fromkeys(name for row in rows for name in row if name != OWN_STATEMENTS))
    names = {name: name for name in given if variable_name(name, (RUBRIC,)) == name}
    for name in given:
        if name not in names:
            names[name] = variable_name(name, (RUBRIC, *names.values()))
    return names


def _renamed(text: str, names: Mapping[str, str]) -> str:
    """Use the new names of variables inside ``{{ }}`` and ``{% %}``."""

    def replace(tag: re.Match[str]) -> str:
        inside = tag[0]
        for old, new in {"prompt": "text", **names}.items():
            if old != new:
                inside = re.sub(rf"(?<![\w.'\"-]){re.escape(old)}(?![\w'\"-])", new, inside)
        return inside

    return re.sub(r"{{.*?}}|{%.*?%}", replace, text, flags=re.DOTALL)


def _arms(
    prompts: Sequence[tuple[str, str]],
    models: Sequence[Model],
    rows: Sequence[Mapping[str, Scalar]],
    taking: _Taking,
) -> list[ArmText]:
    known = set(rows[0]) if rows else set()
    arms: list[ArmText] = []
    several = list(models) if len(models) > 1 else [("", "")]
    for label, text in prompts:
        try:
            missing = sorted(PromptTemplate(text).names - known)
        except PromptFaultError as error:
            taking.leave(f"prompt {text}", str(error))
            continue
        if missing:
            taking.leave(f"prompt {text}", f"no test defines {', '.join(missing)}")
            continue
        for model_label, model in several:
            if len(arms) == MOST_ARMS:
                taking.leave(f"prompt {text}", f"a campaign has at most {MOST_ARMS} arms")
                break
            name = arm_name(label or text, [])
            if model_label:
                name = f"{name[:16]} {model_label.removeprefix('gpt-image-')}"
            arms.append(ArmText(arm_name(name, [arm.name for arm in arms], MOST_WORDS), text, model or None))
    return arms


def _document(name: str, taking: _Taking) -> object:
    path = taking.folder / name.removeprefix(FILE)
    try:
        return read_yaml(read_regular_text(path, YAML_BYTES)).data
    except (OSError, YamlFaultError) as error:
        taking.leave(name, str(error))
        return None


def _listed(value: object) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]
