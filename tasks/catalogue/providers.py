"""Providers: their addresses, keys, limits, capabilities and prices.

The data is in ``configs/providers.yaml``, overridden by the user's own file. Keys and what else is secret are
read from the environment when needed, as ``Secret``, and never stored in a provider.
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, model_validator

from tasks.catalogue.addresses import Address, read_address
from tasks.catalogue.catalogue import NO_ENVIRONMENT, Model, configs_folder, merged, read_mapping
from tasks.catalogue.facts import Facts
from tasks.catalogue.headers import (
    AUTHORIZATION,
    Values,
    check_headers,
    check_templates,
    filled,
    read_header_lines,
    variables_of,
)
from tasks.catalogue.keys import read_key
from tasks.catalogue.prices import Prices
from tasks.catalogue.sizes import parse_size
from tasks.errors import CatalogueError, SettingError
from tasks.redaction import Secret
from tasks.text import did_you_mean

PULLED_PRICES = "prices"
"""The folder of the home with prices drawn from sellers' own lists."""
RATE_VARIABLE = "RUNOFF_IMAGES_PER_MINUTE"
LARGE_PIXELS = 2560 * 1440
"""Above this the vendor calls a size experimental; the time is that of the highest quality."""


class Timeouts(Facts):
    """How long to wait, seconds.

    Args:
        connect_s: For a connection.
        read_s: For a whole answer with one picture of 1024x1024, by quality. One in twenty answers at high
            quality took 280 s. Giving up costs the picture, and waiting costs nothing.
    """

    connect_s: float = Field(default=10, gt=0)
    read_s: Mapping[str, Annotated[float, Field(gt=0)]] = {
        "low": 300, "medium": 600, "high": 900, "xhigh": 1200, "max": 1200,
    }  # fmt: skip


class ProviderCapabilities(Facts):
    """What a provider supports, whatever the model."""

    edits: bool = True
    batch: bool = False
    streaming: bool = False
    max_n: int = Field(default=1, ge=1, le=10)


AUTO: Literal["auto"] = "auto"
ImagesPerMinute = Annotated[int, Field(ge=1)] | Literal["auto"]
"""A limit, or that it is to be found while buying."""
LEAST_IMAGES_PER_MINUTE = 5
"""The vendor's lowest limit, from which a limit is found."""


Kind = Literal["openai", "azure", "chat-images", "openrouter", "gemini", "predictions"]
"""The protocols by which providers sell pictures."""


class BatchLimits(Facts):
    """What one file of a batch may hold."""

    lines: int = Field(default=1_000, ge=1, le=50_000)
    bytes: int = Field(default=200_000_000, ge=100_000, le=200_000_000)


class Provider(Facts):
    """One provider.

    Args:
        name: Its name in campaign files.
        kind: The protocol by which it sells pictures; see ``tasks.images_api.adapters``.
        base_url: Its address; ``None`` is the emulator inside the process.
        base_url_variable: The environment variable that may set another address.
        key_variable: The environment variable that holds the key; ``None`` when none is needed.
        headers: Headers that it needs besides the key; ``${NAME}`` in a value is an environment variable.
        headers_variable: An environment variable with further headers, one ``Name: value`` on each line.
        query: Parameters that are added to every request's address, written like ``headers``.
        images_per_minute: The account's rate limit; ``auto`` finds it while buying.
        concurrency: The most requests in flight.
        batches: What one file of a batch may hold.
        bills_by: ``answer`` if the cost that an answer states is what is billed; else its prices count.
        prices: Its own prices by model id; ``None`` when the catalogue's prices apply.
    """

    name: str
    kind: Kind = "openai"
    base_url: str | None
    base_url_variable: str | None = None
    key_variable: str | None = None
    headers: Annotated[Mapping[str, str], AfterValidator(check_headers)] = Field(default_factory=dict)
    headers_variable: str | None = None
    query: Annotated[Mapping[str, str], AfterValidator(check_templates)] = Field(default_factory=dict)
    images_per_minute: ImagesPerMinute = 5
    concurrency: int = Field(default=8, ge=1)
    timeouts: Timeouts = Timeouts()
    capabilities: ProviderCapabilities = ProviderCapabilities()
    batches: BatchLimits = BatchLimits()
    bills_by: Literal["prices", "answer"] = "prices"
    prices: Mapping[str, Prices] | None = None

    @model_validator(mode="after")
    def _can_by_its_kind(self) -> "Provider":
        if self.kind != "openai" and (self.capabilities.batch or self.capabilities.streaming):
            message = f"capabilities: a provider of the kind {self.kind} has neither batch nor streaming"
            raise ValueError(message)
        return self

    @property
    def surely_per_minute(self) -> int:
        """How many images a minute there are at least: the limit, or where finding it begins."""
        return LEAST_IMAGES_PER_MINUTE if self.images_per_minute == AUTO else self.images_per_minute

    def address(self, environ: Mapping[str, str]) -> Address | None:
        """Return the address to use: the variable's, else the file's; ``None`` for the local emulator.

        Raises:
            SettingError: The address is not an HTTP URL.
        """
        variable = self.base_url_variable
        value = environ.get(variable, "").strip() if variable else ""
        url = value or self.base_url
        if url is None:
            return None
        return read_address(url, variable if value and variable else f"providers.{self.name}.base_url")

    def base_url_now(self, environ: Mapping[str, str]) -> str | None:
        """Return the address to use without any password; ``None`` for the local emulator.

        Raises:
            SettingError: The address is not an HTTP URL.
        """
        address = self.address(environ)
        return None if address is None else address.url

    def api_key(self, environ: Mapping[str, str]) -> Secret | None:
        """Read the key from the environment; ``None`` for a provider that needs no key.

        Raises:
            SettingError: The variable is not set, is empty, or holds no usable key; the message names it.
        """
        if self.key_variable is None:
            return None
        key = read_key(self.key_variable, environ)
        if key is None:
            state = "is empty" if self.key_variable in environ else "is not set"
            raise SettingError(
                where=f"provider {self.name}",
                what=f"no key: looked in the environment variable {self.key_variable}, which {state}",
                accepted=f"a key of your {self.name} account; keys are read from nowhere else",
                next_step=f"Set it with: export {self.key_variable}=… or try without a key: runoff demo",
            )
        return key

    def headers_now(self, environ: Mapping[str, str]) -> Values:
        """Return the headers that go to this provider and to no other, the authorization among them.

        A header of the file comes first, then the credentials in the address, then the key.

        Raises:
            SettingError: The key or another variable is missing or holds what cannot be sent.
        """
        key, address = self.api_key(environ), self.address(environ)
        headers: dict[str, str | Secret] = {}
        if self.headers_variable is not None:
            headers |= read_header_lines(self.headers_variable, environ)
        headers |= filled(self.headers, environ, f"providers.{self.name}.headers")
        if any(name.lower() == AUTHORIZATION for name in headers):
            return headers
        if address is not None and address.credentials is not None:
            basic = base64.b64encode(address.credentials.reveal().encode()).decode()
            return headers | {AUTHORIZATION: Secret(f"Basic {basic}")}
        if key is not None:
            return headers | {AUTHORIZATION: Secret(f"Bearer {key.reveal()}")}
        return headers

    def query_now(self, environ: Mapping[str, str]) -> Values:
        """Return the parameters that go to this provider with every request.

        Raises:
            SettingError: A variable is missing or holds what cannot be sent.
        """
        address = self.address(environ)
        return {
            **(address.query if address else {}),
            **filled(self.query, environ, f"providers.{self.name}.query"),
        }

    def sent_variables(self) -> Iterator[tuple[str, str]]:
        """List each header and parameter with the environment variables in its value."""
        yield from variables_of(self.headers)
        yield from variables_of(self.query)

    def read_timeout_s(self, parameters: Mapping[str, Any]) -> float:
        """Return how long the answer to a request for one standard picture may take, seconds, by its quality.

        Without a quality, without a size, or with one that the vendor calls experimental: as the longest.
        """
        waits = self.timeouts.read_s
        longest = max(waits.values(), default=1200.0)
        size = parse_size(parameters.get("size"))
        if size is None or size.width * size.height > LARGE_PIXELS:
            return longest
        return waits.get(str(parameters.get("quality")), longest)

    def prices_of(self, model: Model) -> Prices:
        """Return what a model costs at this provider.

        Raises:
            CatalogueError: The provider has prices of its own but none for this model, or the catalogue has
                none; the message says how to add one.
        """
        for name in (model.id, *model.aliases):
            if self.prices is not None and name in self.prices:
                return self.prices[name]
        if self.prices is None or self.name in model.sold_at:
            if model.sold_at and self.name not in model.sold_at:
                raise CatalogueError(
                    where=f"{model.id} at {self.name}",
                    what=f"{self.name} does not sell {model.id}",
                    accepted=f"it is sold at {', '.join(model.sold_at)}",
                    next_step=f"Or add it to models.{model.id}.sold_at in RUNOFF_HOME/catalogue.yaml.",
                )
            return model.prices_at()
        raise CatalogueError(
            where=f"{model.id} at {self.name}",
            what=f"{self.name} has no dated price for {model.id}",
            accepted=f"at {self.name}: {', '.join(self.prices)}",
            next_step=f"Add providers.{self.name}.prices.{model.id} to RUNOFF_HOME/providers.yaml, with"
            " text_input, image_input, image_output, price_as_of, source and checked_on.",
        )


@dataclass(frozen=True)
class Providers:
    """Every known provider, by name.

    Args:
        by_name: Providers in file order.
        files: The files they were read from; later ones override earlier ones.
    """

    by_name: Mapping[str, Provider]
    files: tuple[Path, ...]

    def provider(self, name: str) -> Provider:
        """Find a provider.

        Raises:
            SettingError: There is no provider with that name.
        """
        if name in self.by_name:
            return self.by_name[name]
        raise SettingError(
            where=str(self.files[-1]),
            what=f"there is no provider {name!r}{did_you_mean(name, self.by_name)}",
            accepted=", ".join(self.by_name),
            next_step="Add your own to RUNOFF_HOME/providers.yaml.",
        )

    def with_pace(self, name: str, images_per_minute: "ImagesPerMinute | None") -> "Providers":
        """Return the providers with another limit of one of them; ``None`` leaves it as it is."""
        if images_per_minute is None or name not in self.by_name:
            return self
        provider = self.by_name[name].model_copy(update={"images_per_minute": images_per_minute})
        return Providers({**self.by_name, name: provider}, self.files)


def load_providers(home: Path | None = None, environ: Mapping[str, str] = NO_ENVIRONMENT) -> Providers:
    """Read the installed providers, overridden by the user's own.

    Args:
        home: RUNOFF_HOME; its ``providers.yaml``, if any, is merged over the installed one, and over prices
            that were drawn from sellers' lists.
        environ: ``RUNOFF_IMAGES_PER_MINUTE`` in it replaces every provider's own limit.

    Raises:
        SettingError: A provider's description is invalid, or the variable is not a whole number.
        CatalogueError: A file cannot be read or is not YAML.
    """
    files = [configs_folder() / "providers.yaml"]
    if home is not None and (home / "providers.yaml").exists():
        files.append(home / "providers.yaml")
    installed, *others = (read_mapping(file, "providers") for file in files)
    own = others[0] if others else {}
    entries = installed
    for part in ({} if home is None else _pulled(home, merged(installed, own)), own):
        entries = merged(entries, part)
    account = _account_limits(environ)
    return Providers(
        {
            str(name): _provider(str(name), facts, files[-1]).model_copy(update=account)
            for name, facts in entries.items()
        },
        tuple(files),
    )


def _pulled(home: Path, stated: Mapping[str, Any]) -> dict[str, Any]:
    """Read prices drawn from the lists of sellers that there still are, where no file states another."""
    found: dict[str, Any] = {}
    for file in sorted((home / PULLED_PRICES).glob("*.yaml")):
        for name, facts in read_mapping(file, "providers").items():
            if name in stated:
                known = stated[name].get("prices") or {} if isinstance(stated[name], Mapping) else {}
                prices = facts["prices"].items() if isinstance(facts, Mapping) else ()
                found[name] = {"prices": {model: one for model, one in prices if model not in known}}
    return found


def _account_limits(environ: Mapping[str, str]) -> dict[str, ImagesPerMinute]:
    value = environ.get(RATE_VARIABLE, "").strip()
    if not value:
        return {}
    if value == AUTO:
        return {"images_per_minute": AUTO}
    if not value.isdecimal() or int(value) < 1:
        raise SettingError(
            where=RATE_VARIABLE, what=f"is {value!r}", accepted="a whole number, 1 or more, or auto"
        )
    return {"images_per_minute": int(value)}


def _provider(name: str, facts: object, file: Path) -> Provider:
    try:
        return Provider.model_validate({**facts, "name": name} if isinstance(facts, dict) else facts)
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors()
        ]
        raise SettingError(where=f"{file}: providers.{name}", what="; ".join(faults)) from error
