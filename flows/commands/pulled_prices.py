"""Prices drawn from a seller's own list: what differs from what is known, and the file they go into.

The file ``prices/NAME.yaml`` of the home is written by this alone. What people write into ``providers.yaml``
counts before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from tasks.catalogue import Catalogue
from tasks.catalogue.prices import Prices
from tasks.catalogue.providers import PULLED_PRICES, Provider
from tasks.errors import CatalogueError
from tasks.images_api.price_lists import PriceList
from tasks.marked_yaml import read_yaml, write_yaml
from tasks.settings import Settings
from tasks.storage.atomic import write_atomically

KEYS = (
    "text_input", "image_input", "image_output",
    "per_picture", "per_megapixel", "per_request", "per_reference",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """What a list says of a model that differs from what is known.

    Args:
        model: The model.
        before: Its price now, in words; empty where it has none.
        after: The listed price, in words.
    """

    model: str
    before: str
    after: str


def models_sold(catalogue: Catalogue, provider: Provider) -> list[str]:
    """List the image models that are known to be sold by a provider."""
    sold = []
    for model in catalogue.models.values():
        try:
            provider.prices_of(model)
        except CatalogueError:
            continue
        if model.kind == "image":
            sold.append(model.id)
    return sold


def differences(found: PriceList, catalogue: Catalogue, provider: Provider) -> list[Difference]:
    """List the models whose listed price is not the one that is known."""
    changed = []
    for model, prices in found.prices.items():
        before, after = _known(catalogue, provider, model), _in_words(prices)
        if before != after:
            changed.append(Difference(model, before, after))
    return changed


def _known(catalogue: Catalogue, provider: Provider, model: str) -> str:
    try:
        return _in_words(_stated(provider.prices_of(catalogue.model(model))))
    except CatalogueError:
        return ""


def _stated(prices: Prices) -> dict[str, Any]:
    return {key: value for key in KEYS if (value := getattr(prices, key)) is not None}


def _in_words(prices: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {_number(prices[key])}" for key in KEYS if key in prices)


def _number(value: object) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def write_pulled(settings: Settings, provider: Provider, found: PriceList, today: date) -> Path:
    """Write listed prices, dated today, over those of an earlier list; returns the file.

    Args:
        settings: The home and the environment.
        provider: The seller.
        found: What its list says.
        today: Today's date.
    """
    file = settings.home / PULLED_PRICES / f"{provider.name}.yaml"
    before: dict[str, Any] = {}
    if file.exists():
        read: Any = read_yaml(file.read_text(encoding="utf-8")).data
        before = read["providers"][provider.name]["prices"]
    dated = {"price_as_of": today.isoformat(), "source": found.source, "checked_on": today.isoformat()}
    new = {
        model: {key: _number(usd) for key, usd in prices.items()} | dated
        for model, prices in found.prices.items()
    }
    entries = {"providers": {provider.name: {"prices": before | new}}}
    header = "# Written by: runoff models pull. What providers.yaml says counts before it.\n"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, (header + write_yaml(entries)).encode())
    return file
