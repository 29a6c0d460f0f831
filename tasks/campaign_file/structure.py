"""The structure of a campaign file: its keys and the kinds of their values.

A fault does not hide others: a faulty value is left out, a required one is replaced by a stand-in, and the
rest is validated again. Of the branches of a choice, only the one that was meant is reported.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tasks.campaign import Campaign
from tasks.campaign.accepted import accepted_at, key_pattern, key_words, keys_at, nearest, nearest_name
from tasks.campaign.pictures import CHEAPEST, Drafts, PictureSettings
from tasks.campaign_file.fault import CampaignFault
from tasks.marked_yaml import KeyPath
from tasks.text import nearest_of

PASSES = 4
STAND_INS: dict[KeyPath, Any] = {
    ("name",): "unnamed",
    ("provider",): "",
    ("budget",): {"per_run_usd": 1},
    ("budget", "per_run_usd"): 1,
    ("arms",): {"A": {"prompt": "unknown"}},
    ("arms", "*", "prompt"): "unknown",
    ("arms", "*"): {"prompt": "unknown"},
    ("finals",): {"model": ""},
    ("finals", "model"): "",
    ("finals", "*", "model"): "",
}
"""For required values with a fault, so that the rest can be checked; they are never run."""


class Read(NamedTuple):
    """A document as far as it could be read.

    Args:
        campaign: The campaign, without what has a fault; ``None`` where too much has.
        faults: The faults.
        stand_ins: The keys for which something stands in: other faults there, or below, are none of the file.
    """

    campaign: Campaign | None
    faults: list[CampaignFault]
    stand_ins: frozenset[KeyPath]


def validated(data: Mapping[str, Any]) -> Read:
    """Validate a document's structure; without its faulty keys again, so that the rest is checked too."""
    faults: list[CampaignFault] = []
    stand_ins: set[KeyPath] = set()
    part: Any = data
    for _ in range(PASSES):
        try:
            return Read(Campaign.model_validate(part), faults, frozenset(stand_ins))
        except ValidationError as error:
            found = [_naming_model(fault, part) for fault in _structure_faults(error, part)]
        known = with_enclosing(fault.path for fault in faults)
        faults += [fault for fault in found if fault.path not in known]
        part = _without(part, [fault.path for fault in found if fault.kind != "missing"])
        for fault in found:
            _stand_in(part, fault, stand_ins)
    return Read(None, faults, frozenset(stand_ins))


def with_enclosing(broken: Iterable[KeyPath]) -> set[KeyPath]:
    """Return keys that were left out as faulty and those around them: other faults of these only follow."""
    return {path[:end] for path in broken for end in range(len(path) + 1)}


def shown(value: object) -> str:
    """Write a value for people, shortened."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _stand_in(data: dict[str, Any], fault: CampaignFault, stand_ins: set[KeyPath]) -> None:
    """Put something in the place of a required value; of an optional section that lacks one, nothing."""
    pattern = fault.path
    if len(pattern) > 1 and (pattern[0] == "arms" or pattern[1].isdigit()):
        pattern = (pattern[0], "*", *pattern[2:])
    if pattern in STAND_INS:
        is_put = _put(data, fault.path, STAND_INS[pattern])
        stand_ins.update([fault.path] if is_put else [])
    elif fault.kind == "missing":
        data.update(_without(data, [fault.path[:-1]]))
        _drop(data, fault.path[:-1])
        stand_ins.add(fault.path[:-1])


def _drop(data: dict[str, Any], path: KeyPath) -> None:
    above = _at(data, path[:-1])
    if isinstance(above, dict):
        above.pop(path[-1], None)


def _put(data: dict[str, Any], path: KeyPath, value: object) -> bool:
    above = _at(data, path[:-1])
    if not isinstance(above, dict):
        return False
    above[path[-1]] = value
    return True


def _at(data: object, path: KeyPath) -> object:
    for part in path:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and part.isdigit() and int(part) < len(data):
            data = data[int(part)]
        else:
            return None
    return data


def _without(part: Any, paths: Iterable[KeyPath]) -> Any:  # noqa: ANN401 - plain values
    paths = list(paths)
    gone = {path[0] for path in paths if len(path) == 1}

    def inner(key: object, value: object) -> object:
        deeper = [path[1:] for path in paths if len(path) > 1 and path[0] == str(key)]
        return _without(value, deeper) if isinstance(value, dict | list) else value

    if isinstance(part, list):
        return [inner(key, value) for key, value in enumerate(part) if str(key) not in gone]
    return {key: inner(key, value) for key, value in part.items() if str(key) not in gone}


def _structure_faults(error: ValidationError, data: Mapping[str, Any]) -> Sequence[CampaignFault]:
    found: dict[KeyPath, CampaignFault] = {}
    for details in error.errors():
        path = _real_path(details, data)
        found.setdefault(path, _fault(path, details))
    around = {path[:end] for path in found for end in range(len(path))}
    meant = {(*path[:-1], _near_key(path)) for path, fault in found.items() if fault.kind == "unknown"}
    return [
        fault
        for path, fault in found.items()
        if path not in around and not (fault.kind == "missing" and path in meant)
    ]


def _real_path(details: ErrorDetails, data: Mapping[str, Any]) -> KeyPath:
    """Return the keys of an error's place, without the names that pydantic gives to branches of a choice."""
    path: list[str] = []
    here: Any = data
    for index, part in enumerate(details["loc"]):
        is_last = index == len(details["loc"]) - 1
        if _has(here, part):
            here = here[part]
        elif not (is_last and details["type"] == "missing"):
            continue
        path.append(str(part))
    return tuple(path)


def _has(part: object, key: object) -> bool:
    if isinstance(part, list):
        return isinstance(key, int) and key < len(part)
    return isinstance(part, dict) and key in part


def _fault(path: KeyPath, details: ErrorDetails) -> CampaignFault:
    value = details["input"]
    if details["type"] == "extra_forbidden":
        return _unknown_key(path)
    if details["type"] == "missing":
        return CampaignFault(path, "is missing", accepted_at(path), "missing")
    if details["loc"][-1] == "[key]":
        near = nearest_name(str(value), key_pattern(path[:-1]))
        return CampaignFault(path, _not_accepted(value, near), key_words(path[:-1]), "value")
    if details["type"] == "value_error" and isinstance(value, dict):
        return CampaignFault(path, "its keys do not fit together", _own_words(details), "value")
    accepted = _own_words(details) if details["type"] == "value_error" else accepted_at(path)
    if details["type"] in ("too_short", "too_long"):
        context = details.get("ctx", {})
        accepted = _how_many(details["type"], context)
    return CampaignFault(path, _not_accepted(value, nearest(value, path)), accepted, "value")


def _how_many(kind: str, context: Mapping[str, Any]) -> str:
    n = context["min_length"] if kind == "too_short" else context["max_length"]
    if kind == "too_long":
        return f"at most {n}"
    return "at least 1 value" if n == 1 else f"at least {n} values"


def _own_words(details: ErrorDetails) -> str:
    return str(details["msg"]).removeprefix("Value error, ")


def _not_accepted(value: object, near: str) -> str:
    hint = f" (did you mean {near}?)" if near else ""
    return f"{shown(value)} is not accepted{hint}"


def _naming_model(fault: CampaignFault, data: Mapping[str, Any]) -> CampaignFault:
    """Add the model's name to a fault of a picture setting."""
    if fault.path[-1] not in PictureSettings.model_fields | Drafts.model_fields or "model" in fault.path:
        return fault
    part, drafts = _at(data, fault.path[:-1]), data.get("drafts")
    model = part.get("model") if isinstance(part, dict) else None
    if model is None and fault.path[0] == "arms" and isinstance(drafts, dict):
        model = drafts.get("model")
    if not isinstance(model, str) or model == CHEAPEST or fault.kind != "value":
        return fault
    return fault._replace(what=fault.what.replace(" is not accepted", f" is not accepted for {model}", 1))


def _unknown_key(path: KeyPath) -> CampaignFault:
    near = _near_key(path)
    hint = f" (did you mean {near}?)" if near else ""
    return CampaignFault(path, f"there is no such key{hint}", ", ".join(keys_at(path[:-1])), "unknown")


def _near_key(path: KeyPath) -> str:
    return nearest_of(path[-1], keys_at(path[:-1]))
