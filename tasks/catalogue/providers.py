"""Providers: who sells pictures, at which address, how fast and at what price.

Data in ``configs/providers.yaml``, with the user's own file over it. A key is read from the environment when
it is needed and is never part of a provider, so that no provider can print one.
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
"""Above it the vendor calls a size experimental; it is waited for as long as for the finest quality."""


class Timeouts(Facts):
    """How long to wait, seconds."""

    connect_s: float = Field(default=10, gt=0)
    read_s: Mapping[str, float] = {"low": 180, "medium": 180, "high": 300, "xhigh": 600, "max": 600}


class ProviderCapabilities(Facts):
    """What can be asked of a provider, whatever the model."""

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
        base_url_variable: The environment variable that may name another address.
        key_variable: The environment variable that holds the key; ``None`` when none is needed.
        images_per_minute: The account's limit.
        concurrency: Requests in flight at most.
        batches: What one file of a batch may hold.
        prices: Its own prices by model id; ``None`` when it sells at the catalogue's prices.
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
        """Tell the address to use: the variable's, else the file's; ``None`` is inside the process.

        Raises:
            SettingError: The address is none of the web.
        """
        variable = self.base_url_variable
        said = environ.get(variable, "").strip() if variable else ""
        url = said or self.base_url
        if url is None:
            return None
        if not _is_web_address(url):
            raise SettingError(
                where=variable if said and variable else f"providers.{self.name}.base_url",
                what=f"{url!r} is no web address",
                accepted="http://… or https://…, up to and including /v1",
            )
        return url.rstrip("/")

    def api_key(self, environ: Mapping[str, str]) -> str:
        """Read the key from the environment; a provider that needs none answers ``none``.

        Raises:
            SettingError: The variable is not set, or empty; the message names every place looked in.
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
        """Tell how long to wait for the answer to a request, seconds, by its quality and size."""
        waits = self.timeouts.read_s
        longest = max(waits.values(), default=600.0)
        size = parse_size(parameters.get("size"))
        if size is None or size.width * size.height > LARGE_PIXELS:
            return longest
        return waits.get(str(parameters.get("quality")), longest)

    def prices_of(self, model: Model) -> Prices:
        """Find what a model costs here.

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
            what=f"nobody has published a dated price of {model.id} at {self.name}",
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
        files: The files they were read from, the last one winning.
    """

    by_name: Mapping[str, Provider]
    files: tuple[Path, ...]

    def provider(self, name: str) -> Provider:
        """Find a provider.

        Raises:
            SettingError: There is none of that name.
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
    """Read the installed providers and the user's own over them.

    Args:
        home: RUNOFF_HOME; its ``providers.yaml`` is merged over the installed one, when it is there.
        environ: ``RUNOFF_IMAGES_PER_MINUTE`` in it stands in for every provider's own limit.

    Raises:
        SettingError: A provider is described wrongly, or the variable is no whole number.
        CatalogueError: A file cannot be read or is no YAML.
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
    said = environ.get(RATE_VARIABLE, "").strip()
    if not said:
        return {}
    if not said.isdecimal() or int(said) < 1:
        raise SettingError(where=RATE_VARIABLE, what=f"is {said!r}", accepted="a whole number, 1 or more")
    return {"images_per_minute": int(said)}


def _provider(name: str, facts: object, file: Path) -> Provider:
    try:
        return Provider.model_validate({**facts, "name": name} if isinstance(facts, dict) else facts)
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()
        ]
        raise SettingError(where=f"{file}: providers.{name}", what="; ".join(faults)) from error
