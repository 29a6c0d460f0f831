"""Reads a seller's own price list, with GET requests that cost nothing: what each model costs.

Three kinds of list are known: OpenRouter's endpoints of an image model, LiteLLM's ``/model/info``, and
``/api/pricing`` of the new-api family, whose prices are multiplied by the ratio of the account's group. What
a list says in another unit, or by ratios of tokens, is not taken: no price is guessed. Source: documentation
and code of the three, read 2026-11-28.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import quote

import httpx2

from tasks.errors import ProviderError, SettingError
from tasks.images_api.connection import sync_http_client
from tasks.images_api.failures import json_of
from tasks.images_api.terms import Terms
from tasks.money import read_amount
from tasks.redaction import one_line, redact

WAIT_S = 20.0
"""How long each request may take, seconds."""
MOST_PRICE_USD = 100
"""A higher price of a picture or a request is not believed."""
PER_MILLION = 1_000_000
ListKind = Literal["openrouter", "litellm", "new-api"]
Prices = dict[str, Decimal]
"""Keys of a catalogue's ``prices`` with their values, dollars."""


@dataclass(frozen=True, slots=True)
class PriceList:
    """What a seller's list says.

    Args:
        source: The address that it was read from.
        prices: By model; only those that could be read.
        unread: Why those of other models could not be taken, by model.
    """

    source: str
    prices: Mapping[str, Prices]
    unread: Mapping[str, str]


def read_price_list(terms: Terms, models: Sequence[str], kind: ListKind, group: str) -> PriceList:
    """Ask a provider for the prices of models. Buys nothing.

    Args:
        terms: The provider's terms.
        models: The models.
        kind: Which kind of list it has.
        group: For ``new-api``, the group of the account.

    Raises:
        ProviderError: There is no such list, or it cannot be read.
        SettingError: The key is missing, or the provider has no address.
    """
    url = terms.base_url
    if url is None:
        raise SettingError(where=f"provider {terms.provider.name}", what="is inside the process")
    with sync_http_client(terms, timeout=WAIT_S) as client:

        def get(address: str) -> Any:  # noqa: ANN401 - JSON
            return _get(client, terms, address)

        return _READERS[kind](get, url, models, group)


Get = Callable[[str], Any]


def _get(client: httpx2.Client, terms: Terms, address: str) -> Any:  # noqa: ANN401 - JSON
    try:
        response = client.get(address)
    except httpx2.HTTPError as error:
        raise _unread(terms, address, f"cannot be reached: {type(error).__name__}") from error
    body = json_of(response.text)
    if not response.is_success or body is None:
        words = one_line(redact(response.text))[:120]
        raise _unread(terms, address, f"answers HTTP {response.status_code}: {words or 'nothing'}")
    return body


def _unread(terms: Terms, address: str, what: str) -> ProviderError:
    return ProviderError(
        where=f"provider {terms.provider.name}: {address}",
        what=what,
        accepted="a price list",
        next_step="Say which kind of list it has with --list, or add its prices by hand: docs/providers.md",
    )


def _of_openrouter(get: Get, url: str, models: Sequence[str], _group: str) -> PriceList:
    """Take the dearest of a model's endpoints, since any of them may be the one that sells."""
    prices: dict[str, Prices] = {}
    unread: dict[str, str] = {}
    for model in models:
        body = get(f"{url}/images/models/{quote(model)}/endpoints")
        endpoints = _mappings(_inside(body).get("endpoints", [_inside(body)]))
        found = [_of_lines(_mappings(endpoint.get("pricing"))) for endpoint in endpoints]
        known = [one for one in found if one]
        if known and len(known) == len(found):
            keys = {key for one in known for key in one}
            prices[model] = {key: max(one.get(key, Decimal(0)) for one in known) for key in sorted(keys)}
        else:
            unread[model] = "it has a price in a unit that is not known, by variants, or none"
    return PriceList(f"{url}/images/models", prices, unread)


_UNITS = {
    ("output", "image"): "per_picture",
    ("output", "megapixel"): "per_megapixel",
    ("request", "request"): "per_request",
    ("input", "image"): "per_reference",
}


def _of_lines(lines: Iterable[Mapping[str, Any]]) -> Prices | None:
    """Read one endpoint's lines; ``None`` where one of them is in no unit that is known."""
    found: Prices = {}
    for line in lines:
        billable, unit = str(line.get("billable", "")), str(line.get("unit", ""))
        side = "input" if "input" in billable or "prompt" in billable else "output"
        key = _UNITS.get(("request", unit) if unit == "request" else (side, unit))
        amount = _amount(line.get("cost_usd"))
        if key is None or amount is None or line.get("variant") or key in found:
            return None
        found[key] = amount
    return found or None


def _of_litellm(get: Get, url: str, models: Sequence[str], _group: str) -> PriceList:
    address = f"{url}/model/info"
    entries = {str(one.get("model_name")): one for one in _mappings(_inside(get(address)).get("data"))}
    prices: dict[str, Prices] = {}
    unread: dict[str, str] = {}
    for model in models:
        info = entries.get(model, {}).get("model_info")
        found = _of_info(info) if isinstance(info, dict) else None
        if found:
            prices[model] = found
        else:
            unread[model] = (
                "it is not in the list" if model not in entries else "it has no price for pictures"
            )
    return PriceList(address, prices, unread)


def _of_info(info: Mapping[str, Any]) -> Prices | None:
    each = _amount(info.get("output_cost_per_image"))
    if each is not None:
        return {"per_picture": each}
    tokens = {
        "text_input": _amount(info.get("input_cost_per_token")),
        "image_input": _amount(info.get("input_cost_per_image_token")),
        "image_output": _amount(info.get("output_cost_per_image_token")),
    }
    if tokens["image_output"] is None or tokens["text_input"] is None:
        return None
    return {key: usd * PER_MILLION for key, usd in tokens.items() if usd is not None}


def _of_new_api(get: Get, url: str, models: Sequence[str], group: str) -> PriceList:
    address = f"{url.removesuffix('/v1')}/api/pricing"
    body = _inside(get(address))
    entries = {str(one.get("model_name")): one for one in _mappings(body.get("data"))}
    ratios = body.get("group_ratio")
    ratio = _amount(ratios.get(group)) if isinstance(ratios, dict) else None
    prices: dict[str, Prices] = {}
    unread: dict[str, str] = {}
    for model in models:
        entry = entries.get(model)
        each = _amount(entry.get("model_price")) if entry else None
        if entry is None:
            unread[model] = "it is not in the list"
        elif ratio is None:
            unread[model] = f"the list has no ratio for the group {group!r}"
        elif entry.get("quota_type") != 1 or each is None:
            unread[model] = "it is priced by ratios of tokens"
        else:
            prices[model] = {"per_request": each * ratio}
    return PriceList(address, prices, unread)


_READERS: Mapping[ListKind, Callable[[Get, str, Sequence[str], str], PriceList]] = {
    "openrouter": _of_openrouter,
    "litellm": _of_litellm,
    "new-api": _of_new_api,
}


def _inside(body: object) -> Mapping[str, Any]:
    """Return a body's mapping, below ``data`` where that is one."""
    if not isinstance(body, dict):
        return {}
    inner = body.get("data")
    return inner if isinstance(inner, dict) else body


def _mappings(items: object) -> Iterator[Mapping[str, Any]]:
    yield from (item for item in items if isinstance(item, dict)) if isinstance(items, list) else ()


def _amount(value: object) -> Decimal | None:
    """Read a price; only a positive amount that can be one."""
    amount = read_amount(value)
    return amount if amount is not None and 0 < amount <= MOST_PRICE_USD else None
