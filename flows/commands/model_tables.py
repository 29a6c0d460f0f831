"""Facts and tables of models: capabilities, prices per picture and shutdown dates."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from flows.commands.fitting_table import FittingTable
from tasks.catalogue import Catalogue
from tasks.catalogue.model import Model
from tasks.catalogue.prices import Prices
from tasks.catalogue.providers import Provider
from tasks.catalogue.sizes import Size
from tasks.errors import CatalogueError
from tasks.money import format_usd

COMMON_SIZES = (Size(1024, 640), Size(1024, 1024), Size(1536, 1024), Size(1024, 1536), Size(2048, 2048))
"""Shown for models that make any size."""
ONE_LINE = "A baby sea otter swimming on its back in kelp, watercolour"
"""The prompt used for pricing; its tokens are a small part of the price."""


def model_facts(catalogue: Catalogue, provider: Provider, day: date) -> list[dict[str, Any]]:
    """Collect what every model makes, what it costs at a provider, and when it is shut down.

    Args:
        catalogue: The models.
        provider: The provider whose prices count.
        day: The day for which lifecycle states are computed.
    """
    return [facts_of(model, provider, day) for model in catalogue.models.values()]


def facts_of(model: Model, provider: Provider, day: date) -> dict[str, Any]:
    """Collect the details of one model; what is not published is ``None``.

    Args:
        model: The model.
        provider: The provider whose prices count.
        day: The day for which its lifecycle state is computed.
    """
    life, prices, can = model.lifecycle(day), _prices(model, provider), model.capabilities
    return {
        "model": model.id,
        "aliases": list(model.aliases),
        "kind": model.kind,
        "state": life.state,
        "released": model.lifecycle_facts.released,
        "shutdown_on": life.shutdown_on,
        "days_left": life.days_left,
        "successors": list(life.successors),
        "lifecycle_source": model.lifecycle_facts.source,
        "lifecycle_checked_on": model.lifecycle_facts.checked_on,
        "sizes": list(can.sizes) if can else [],
        "size_rule": str(can.size_rule) if can and can.size_rule else None,
        "qualities": list(can.qualities) if can else [],
        "formats": list(can.formats) if can else [],
        "edits": can.edits if can else None,
        "mask": can.mask if can else None,
        "batch": can.batch if can else None,
        "provider": provider.name,
        "text_input_usd_per_mtok": prices and prices.text_input,
        "image_input_usd_per_mtok": prices and prices.image_input,
        "image_output_usd_per_mtok": prices and prices.image_output,
        "text_output_usd_per_mtok": prices and prices.text_output,
        "batch_factor": prices and prices.batch_factor,
        "price_as_of": prices and prices.price_as_of,
        "price_checked_on": prices and prices.checked_on,
        "price_note": prices and (prices.note or None),
        "source": prices and prices.source,
        "is_by_picture": prices and prices.is_by_picture,
        "picture_usd": _picture_usd(model, provider) if prices else {},
    }


def _prices(model: Model, provider: Provider) -> Prices | None:
    try:
        return provider.prices_of(model)
    except CatalogueError:
        return None


def _picture_usd(model: Model, provider: Provider) -> dict[str, dict[str, dict[str, Decimal | None]]]:
    """Price one picture by quality and size, made from one line of text: low and high end, dollars."""
    can = model.capabilities
    if model.kind != "image" or can is None:
        return {}
    sizes = can.sizes or [str(size) for size in COMMON_SIZES if can.size_rule and can.size_rule.allows(size)]
    return {
        quality: {size: _range(model, provider, quality, size) for size in sizes} for quality in can.qualities
    }


def _range(model: Model, provider: Provider, quality: str, size: str) -> dict[str, Decimal | None]:
    parameters = {"model": model.id, "n": 1, "quality": quality, "size": size}
    try:
        estimate = model.estimate_usd(parameters, ONE_LINE, provider=provider)
    except CatalogueError:
        return {"low_usd": None, "high_usd": None}
    return {"low_usd": estimate.low_usd, "high_usd": estimate.high_usd}


def models_table(facts: Sequence[Mapping[str, Any]]) -> Table:
    """Draw the catalogue, one line for each model, in 80 columns; those that were shut down come last."""
    table = FittingTable(right_padding=2)
    for column, side in (
        ("model", "left"),
        ("shutdown", "left"),
        ("qualities", "left"),
        ("$/M out", "right"),
    ):
        table.add_column(column, justify="right" if side == "right" else "left", no_wrap=True)
    for fact in sorted(facts, key=lambda fact: fact["state"] == "retired"):
        price, qualities = fact["image_output_usd_per_mtok"], fact["qualities"]
        table.add_row(
            fact["model"],
            _shutdown(fact),
            " to ".join(dict.fromkeys((qualities[0], qualities[-1]))) if qualities else "",
            _price(fact) if price is None else f"{price}",
            style="dim" if fact["state"] == "retired" else None,
        )
    return table


def _price(fact: Mapping[str, Any]) -> str:
    """Write the prices of a model that is not sold by tokens of output."""
    found = [cell["high_usd"] for sizes in fact["picture_usd"].values() for cell in sizes.values()]
    known = sorted(usd for usd in found if usd is not None)
    if not fact["is_by_picture"] or not known:
        return "–"
    ends = dict.fromkeys(format_usd(usd) for usd in (known[0], known[-1]))
    return f"{' to '.join(ends)} each"


def _shutdown(fact: Mapping[str, Any]) -> str:
    if fact["shutdown_on"] is None:
        return "none announced"
    if fact["state"] == "retired":
        return f"shut down {fact['shutdown_on']}"
    days = "1 day" if fact["days_left"] == 1 else f"{fact['days_left']} days"
    return f"{fact['shutdown_on']}, in {days}"


def model_page(fact: Mapping[str, Any]) -> Group:
    """Draw the details of one model."""
    title = Text.assemble((fact["model"], "bold"), (f"  at {fact['provider']}", "dim"))
    parts: list[RenderableType] = [title, Text("")]
    lines = Table.grid(padding=(0, 2))
    lines.add_column(style="dim", no_wrap=True)
    lines.add_column(overflow="fold")
    for name, value in _lines(fact):
        lines.add_row(name, value)
    parts.append(lines)
    if fact["picture_usd"]:
        parts += [
            Text("\nDollars for one picture, made from a line of text"),
            _picture_table(fact["picture_usd"]),
        ]
    if not fact["price_as_of"]:
        no_price = f"No price at {fact['provider']}, so it cannot be bought there. Add one, with its date and"
        parts.append(
            Text(f"\n{no_price} source,\nto catalogue.yaml or providers.yaml in RUNOFF_HOME.", "yellow")
        )
    return Group(*parts)


def _lines(fact: Mapping[str, Any]) -> list[tuple[str, str]]:
    sizes = ", ".join(fact["sizes"]) or fact["size_rule"]
    can = [name for name in ("edits", "mask", "batch") if fact[name]]
    rates = [
        f"{fact[f'{key}_usd_per_mtok']} {name}"
        for key, name in (
            ("text_input", "text in"),
            ("image_input", "pictures in"),
            ("image_output", "pictures out"),
            ("text_output", "text out"),
        )
        if fact[f"{key}_usd_per_mtok"] is not None
    ]
    batch = f"; batch × {fact['batch_factor']}" if fact["batch_factor"] is not None else ""
    lines = [
        ("shutdown", _shutdown(fact)),
        ("successors", " or ".join(fact["successors"])),
        ("", f"{fact['lifecycle_source']} ({fact['lifecycle_checked_on']})"),
        ("sizes", sizes),
        ("qualities", ", ".join(fact["qualities"])),
        ("formats", ", ".join(fact["formats"])),
        ("also", ", ".join(can)),
        ("$/M tokens", ", ".join(rates) + batch if rates else ""),
        ("price of", str(fact["price_as_of"] or "")),
        ("", str(fact["source"] or "")),
        ("note", str(fact["price_note"] or "")),
    ]
    return [(name, value) for name, value in lines if value]


def _picture_table(picture_usd: Mapping[str, Mapping[str, Mapping[str, Decimal | None]]]) -> Table:
    sizes = list(next(iter(picture_usd.values())))
    table = FittingTable()
    table.add_column("size", no_wrap=True)
    for quality in picture_usd:
        table.add_column(quality, justify="right", no_wrap=True)
    for size in sizes:
        table.add_row(size, *(_amount(prices[size]) for prices in picture_usd.values()))
    return table


def _amount(prices: Mapping[str, Decimal | None]) -> str:
    low_usd, high_usd = prices["low_usd"], prices["high_usd"]
    if low_usd is None or high_usd is None:
        return "–"
    low, high = f"{low_usd:.3f}", f"{high_usd:.3f}"
    return low if low == high else f"{low}–{high}"
