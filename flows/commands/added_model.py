"""A model that somebody adds to the catalogue of the home: what is asked, the YAML, and writing it.

The text of a file that is there stays as it is, comments included: the model is appended to it, and the whole
is read once before it takes the file's place.
"""

import json
import re
import sys
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from tasks.catalogue import CATALOGUE_VARIABLE, load_catalogue
from tasks.errors import CatalogueError, SettingError
from tasks.marked_yaml import write_yaml
from tasks.money import read_usd
from tasks.settings import Settings
from tasks.storage.atomic import write_atomically

PRICES = ("per_picture", "per_megapixel", "per_request")
ANY_QUALITY = "standard"
"""The quality of a model that knows none; it is not sent."""


def ask_for_missing(given: Mapping[str, Any], today: date) -> dict[str, Any]:
    """Ask at a terminal for what a model cannot be without.

    Args:
        given: The options of the command.
        today: Today's date, for which a price holds unless another is given.

    Raises:
        click.UsageError: Something is missing, and there is nobody to ask.
    """
    known = dict(given) | {"as_of": given["as_of"] or today.isoformat()}
    if not known["by_kind"] and all(known[name] is None for name in PRICES):
        known["per_picture"] = _asked("What does one picture cost, in US dollars", "--per-picture")
    if not known["sizes"]:
        known["sizes"] = (
            _asked("Which sizes does it make, such as 1024x1024", "--size").replace(",", " ").split()
        )
    if not known["source"]:
        known["source"] = _asked("Which page is the price from", "--source")
    return known


def _asked(question: str, option: str) -> str:
    if not sys.stdin.isatty():
        message = f"Say it with {option}: {question.lower()}."
        raise click.UsageError(message)
    return str(click.prompt(question))


def block_of(known: Mapping[str, Any]) -> str:
    """Write a model as YAML, as it stands below ``models``.

    Args:
        known: From ``ask_for_missing``.

    Raises:
        click.UsageError: An amount is none, or a field's value is not JSON.
    """
    dated = {"source": known["source"], "checked_on": known["as_of"]}
    prices: dict[str, Any] = {
        name: _usd(known[name]) for name in (*PRICES, "per_reference") if known[name] is not None
    }
    if known["by_kind"]:
        prices["per_picture"] = _by_kind(known["by_kind"])
    dropped = [*known["drop"], *(() if known["qualities"] else ("quality",))]
    request = {"drop": dropped, "add": dict(map(_field, known["send"]))}
    facts = {
        "kind": "image",
        "sold_at": [known["seller"]],
        "lifecycle": dated,
        "prices": {**prices, "price_as_of": known["as_of"], **dated},
        "capabilities": {
            "sizes": list(known["sizes"]),
            "qualities": list(known["qualities"] or (ANY_QUALITY,)),
            "formats": list(known["formats"] or ("png",)),
            "backgrounds": ["auto", "opaque"],
            **({"edits": True, "max_references": 16} if known["edits"] else {}),
        },
        "request": {name: value for name, value in request.items() if value},
    }
    kept = {name: value for name, value in facts.items() if value}
    return "".join(f"  {line}\n" for line in write_yaml({known["model"]: kept}).splitlines())


def _usd(text: str) -> str:
    try:
        amount: Decimal = read_usd(text)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    return f"{amount:f}"


def _by_kind(pairs: tuple[str, ...]) -> dict[str, Any]:
    """Read ``high/1024x1024=0.04`` and the like."""
    found: dict[str, Any] = {}
    for pair in pairs:
        key, _, usd = pair.partition("=")
        outer, _, inner = key.partition("/")
        if inner:
            found.setdefault(outer, {})[inner] = _usd(usd)
        else:
            found[outer] = _usd(usd)
    return found


def _field(pair: str) -> tuple[str, Any]:
    name, _, value = pair.partition("=")
    try:
        return name, json.loads(value)
    except ValueError as error:
        message = f"{pair}: the value is not JSON; a text stands in double quotes."
        raise click.UsageError(message) from error


def write_block(settings: Settings, model: str, block: str) -> Path:
    """Append a model to the home's catalogue, and return the file.

    Args:
        settings: The home and the environment.
        model: Its id.
        block: From ``block_of``.

    Raises:
        SettingError: The file has more behind its models, or cannot be written.
        CatalogueError: The model is there already, or what is written is no model. The file is as before.
    """
    file = settings.home / "catalogue.yaml"
    if load_catalogue(settings.home, settings.environ).knows(model):
        raise CatalogueError(
            where=f"{file}: models.{model}",
            what="is there already, or comes with Runoff",
            next_step=f"Change what differs in {file}.",
        )
    before = file.read_text(encoding="utf-8") if file.exists() else "models:\n"
    keys = re.findall(r"^(\S[^:\n#]*):", before, re.MULTILINE)
    if keys[-1:] != ["models"]:
        raise SettingError(
            where=str(file),
            what="does not end with its models, so none can be appended",
            next_step=f"Add this below models:\n{block}",
        )
    after = before.rstrip("\n") + "\n" + block
    trial = file.with_name(".catalogue-to-be.yaml")
    settings.home.mkdir(parents=True, exist_ok=True)
    write_atomically(trial, after.encode())
    try:
        load_catalogue(None, {CATALOGUE_VARIABLE: str(trial)})
    finally:
        trial.unlink(missing_ok=True)
    write_atomically(file, after.encode())
    return file
