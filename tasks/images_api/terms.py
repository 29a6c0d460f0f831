"""The terms of one provider: the cost of an order, its expected answer and its timeout."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from tasks.catalogue import Bought, Catalogue
from tasks.catalogue.providers import Provider, Providers
from tasks.catalogue.sizes import parse_size
from tasks.images_api.questions import CHAT_READ_TIMEOUT_S
from tasks.network import check_certificates, check_proxies
from tasks.order import Order, Usage
from tasks.redaction import Secret


@dataclass(frozen=True)
class Terms:
    """A provider's terms, from its description and the catalogue.

    Args:
        provider: The provider.
        catalogue: The models and their prices.
        environ: Where the key and the address are looked up; never shown in a message.
        providers: All providers, where orders may be of others; ``None`` where this is the only one.
    """

    provider: Provider
    catalogue: Catalogue
    environ: Mapping[str, str] = field(repr=False)
    providers: Providers | None = None

    def at(self, name: str) -> "Terms":
        """Return the terms of another provider; without any others, these.

        Raises:
            SettingError: There is no such provider.
        """
        if self.providers is None or name == self.provider.name:
            return self
        return replace(self, provider=self.providers.provider(name))

    @property
    def api_key(self) -> Secret | None:
        """The provider's key, if it needs one; raises SettingError when it is missing or unusable."""
        return self.provider.api_key(self.environ)

    @property
    def base_url(self) -> str | None:
        """The provider's address without any password; ``None`` for the emulator inside the process."""
        return self.provider.base_url_now(self.environ)

    @property
    def address_setting(self) -> str:
        """Where people set that address."""
        variable = self.provider.base_url_variable
        if variable and self.environ.get(variable, "").strip():
            return variable
        return f"providers.{self.provider.name}.base_url of RUNOFF_HOME/providers.yaml"

    def check(self) -> None:
        """Read all that a request needs besides the order, so that what is missing is said at the door.

        Raises:
            SettingError: The key, the address, a header, a proxy or the certificates are missing or unusable.
        """
        self.provider.headers_now(self.environ)
        self.provider.query_now(self.environ)
        check_certificates(self.environ)
        if url := self.base_url:
            check_proxies(self.environ, url)

    def cost_usd(
        self, order: Order, usage: Usage, n_pictures: int = 0, reported_usd: Decimal | None = None
    ) -> Decimal | None:
        """Price an order, dollars; ``None`` when what it is priced by is not known.

        Args:
            order: The order.
            usage: The tokens that the provider reports.
            n_pictures: How many of its pictures came, where these have a price.
            reported_usd: What the answer says that it cost; it counts where the provider bills by it.
        """
        provider = self.at(order.provider).provider
        if provider.bills_by == "answer" and reported_usd is not None:
            return reported_usd
        model = self.catalogue.model(str(order.parameters["model"]))
        bought = None
        if n_pictures:
            size = parse_size(order.parameters.get("size"))
            quality, sent = str(order.parameters.get("quality")), len(order.references)
            bought = Bought(n_pictures, quality, size, sent)
        return model.cost_usd(usage, order.lane, provider, bought)

    def fields_as_sent(self, order: Order, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return a request's fields as its model wants them: renamed, left out, added."""
        if order.endpoint == "chat":
            return dict(fields)
        return self.catalogue.model(str(order.parameters["model"])).request.of(fields)

    def expected_tokens(self, order: Order) -> int | None:
        """Return the fewest output tokens of an order's tier; ``None`` where not published."""
        model = self.catalogue.model(str(order.parameters["model"]))
        size, quality = parse_size(order.parameters.get("size")), order.parameters.get("quality")
        if model.output_tokens is None or size is None or quality is None:
            return None
        return order.n * model.output_tokens.range(str(quality), size)[0]

    def read_timeout_s(self, order: Order) -> float:
        """Return how long the answer to an order for one standard picture may take, seconds."""
        if order.endpoint == "chat":
            return CHAT_READ_TIMEOUT_S
        return self.at(order.provider).provider.read_timeout_s(order.parameters)
