"""The terms of one provider: the cost of an order, its expected answer and its timeout."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from tasks.catalogue import Catalogue
from tasks.catalogue.providers import Provider
from tasks.catalogue.sizes import parse_size
from tasks.images_api.questions import CHAT_READ_TIMEOUT_S
from tasks.order import Order, Usage


@dataclass(frozen=True)
class Terms:
    """A provider's terms, from its description and the catalogue.

    Args:
        provider: The provider.
        catalogue: The models and their prices.
        environ: Where the key and the address are looked up; never shown in a message.
    """

    provider: Provider
    catalogue: Catalogue
    environ: Mapping[str, str]

    @property
    def api_key(self) -> str:
        """The provider's key; raises SettingError when it is not set."""
        return self.provider.api_key(self.environ)

    @property
    def base_url(self) -> str | None:
        """The provider's address; ``None`` for the emulator inside the process."""
        return self.provider.base_url_now(self.environ)

    def cost_usd(self, order: Order, usage: Usage) -> Decimal | None:
        """Price an order by its usage, dollars; ``None`` when the usage is incomplete."""
        model = self.catalogue.model(str(order.parameters["model"]))
        return model.cost_usd(usage, order.lane, self.provider)

    def expected_tokens(self, order: Order) -> int | None:
        """Return the fewest output tokens of an order's tier; ``None`` where not published."""
        model = self.catalogue.model(str(order.parameters["model"]))
        size, quality = parse_size(order.parameters.get("size")), order.parameters.get("quality")
        if model.output_tokens is None or size is None or quality is None:
            return None
        return order.n * model.output_tokens.range(str(quality), size)[0]

    def read_timeout_s(self, order: Order) -> float:
        """Return how long to wait for an order's answer, seconds."""
        if order.endpoint == "chat":
            return CHAT_READ_TIMEOUT_S
        return self.provider.read_timeout_s(order.parameters)
