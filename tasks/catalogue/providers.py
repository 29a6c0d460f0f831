"""Providers: their addresses, keys, limits, capabilities and prices.

The data is in ``configs/providers.yaml``, overridden by the user's own file. A key is read from the
environment when needed and never stored in a provider, so that it cannot be printed by accident.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, ValidationError

from tasks.catalogue.catalogue import NO_ENVIRONMENT, Model, configs_folder, merged, read_mapping
from tasks.catalogue.prices import Facts, Prices
from tasks.catalogue.sizes import parse_size
from tasks.errors import CatalogueError, SettingError

RATE_VARIABLE = "RUNOFF_IMAGES_PER_MINUTE"
LARGE_PIXELS = 2560 * 1440
"""Above this the vendor calls a size experimental; the timeout is that of the highest quality."""


class Timeouts(Facts):
    """How long to wait, seconds."""

    connect_s: float = Field(default=10, gt=0)
    read_s: Mapping[str, float] = {"low": 180, "medium": 180, "high": 300, "xhigh": 600, "max": 600}


class ProviderCapabilities(Facts):
    """What a provider supports, whatever the model."""

    edits: bool = True
    batch: bool = False
    streaming: bool = False
    max_n: int = Field(default=1, ge=1, le=10)


class BatchLimits(Facts):
    """What one file of a batch may hold."""

    lines: int = Field(default=1_000, ge=1, le=50_000)
    bytes: int = Field(default=200_000_000, ge=100_000, le=200_000_000)


class Provider(Facts):
    """One provider.

    Args:
        name: Its name in campaign files.
        base_url: Its address; ``None`` is the emulator inside the process.
        base_url_variable: The environment variable that may set another address.
        key_variable: The environment variable that holds the key; ``None`` when none is needed.
        images_per_minute: The account's rate limit.
        concurrency: The most requests in flight.
        batches: What one file of a batch may hold.
        prices: Its own prices by model id; ``None`` when the catalogue's prices apply.
    """

    name: str
    base_url: str | None
    base_url_variable: str | None = None
    key_variable: str | None = None
    images_per_minute: int = Field(default=5, ge=1)
    concurrency: int = Field(default=8, ge=1)
    timeouts: Timeouts = Timeouts()
    capabilities: ProviderCapabilities = ProviderCapabilities()
    batches: BatchLimits = BatchLimits()
    prices: Mapping[str, Prices] | None = None

    def base_url_now(self, environ: Mapping[str, str]) -> str | None:
        """Return the address to use: the variable's, else the file's; ``None`` for the local emulator.

        Raises:
            SettingError: The address is not an HTTP URL.
        """
        variable = self.base_url_variable
        value = environ.get(variable, "").strip() if variable else ""
        url = value or self.base_url
        if url is None:
            return None
        if not _is_web_address(url):
            raise SettingError(
                where=variable if value and variable else f"providers.{self.name}.base_url",
                what=f"{url!r} is not a URL",
                accepted="http://… or https://…, up to and including /v1",
            )
        return url.rstrip("/")

    def api_key(self, environ: Mapping[str, str]) -> str:
        """Read the key from the environment; ``none`` for a provider that needs no key.

        Raises:
            SettingError: The variable is not set, or empty; the message names it.
        """
        if self.key_variable is None:
            return "none"
        key = environ.get(self.key_variable, "").strip()
        if not key:
            state = "is empty" if self.key_variable in environ else "is not set"
            raise SettingError(
                where=f"provider {self.name}",
                what=f"no key: looked in the environment variable {self.key_variable}, which {state}",
                accepted=f"a key of your {self.name} account; keys are read from nowhere else",
                next_step=f"Set it with: export {self.key_variable}=… or try without a key: runoff demo",
            )
        return key

    def read_timeout_s(self, parameters: Mapping[str, Any]) -> float:
        """Return how long to wait for the answer to a request, seconds, by its quality and size."""
        waits = self.timeouts.read_s
        longest = max(waits.values(), default=600.0)
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
        if self.prices is None:
            return model.prices_at()
        for name in (model.id, *model.aliases):
            if name in self.prices:
                return self.prices[name]
        raise CatalogueError(
            where=f"{model.id} at {self.name}",
            what=f"{self.name} has no dated price for {model.id}",
            accepted=f"at {self.name}: {', '.join(self.prices)}",
            next_step=f"Add providers.{self.name}.prices.{model.id} to RUNOFF_HOME/providers.yaml, with"
            " text_input, image_input, image_output, price_as_of, source and checked_on.",
        )


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and has_port
    return is_whole and not any(character.isspace() for character in url)


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
            what=f"there is no provider {name!r}",
            accepted=", ".join(self.by_name),
            next_step="Add your own to RUNOFF_HOME/providers.yaml.",
        )


def load_providers(home: Path | None = None, environ: Mapping[str, str] = NO_ENVIRONMENT) -> Providers:
    """Read the installed providers, overridden by the user's own.

    Args:
        home: RUNOFF_HOME; its ``providers.yaml``, if any, is merged over the installed one.
        environ: ``RUNOFF_IMAGES_PER_MINUTE`` in it replaces every provider's own limit.

    Raises:
        SettingError: A provider's description is invalid, or the variable is not a whole number.
        CatalogueError: A file cannot be read or is not YAML.
    """
    files = [configs_folder() / "providers.yaml"]
    if home is not None and (home / "providers.yaml").is_file():
        files.append(home / "providers.yaml")
    entries: dict[str, Any] = {}
    for file in files:
        entries = merged(entries, read_mapping(file, "providers"))
    account = _account_limits(environ)
    return Providers(
        {
            str(name): _provider(str(name), facts, files[-1]).model_copy(update=account)
            for name, facts in entries.items()
        },
        tuple(files),
    )


def _account_limits(environ: Mapping[str, str]) -> dict[str, int]:
    value = environ.get(RATE_VARIABLE, "").strip()
    if not value:
        return {}
    if not value.isdecimal() or int(value) < 1:
        raise SettingError(where=RATE_VARIABLE, what=f"is {value!r}", accepted="a whole number, 1 or more")
    return {"images_per_minute": int(value)}


def _provider(name: str, facts: object, file: Path) -> Provider:
    try:
        return Provider.model_validate({**facts, "name": name} if isinstance(facts, dict) else facts)
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()
        ]
        raise SettingError(where=f"{file}: providers.{name}", what="; ".join(faults)) from error
