"""One model of the catalogue: its capabilities, prices and lifecycle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import ceil, floor
from typing import Any, Literal, NamedTuple, Protocol

from pydantic import Field

from tasks.catalogue import tokens
from tasks.catalogue.answer_estimates import Vision, answer_cost_usd
from tasks.catalogue.capabilities import Capabilities, UnsupportedParameter, find_unsupported
from tasks.catalogue.facts import ExactDecimal, Facts
from tasks.catalogue.prices import Lane, Prices
from tasks.catalogue.sizes import Size, parse_size
from tasks.errors import CatalogueError
from tasks.order import Reference, Usage

MAX_PROMPT_CHARACTERS = 32_000
RETIRING_WITHIN_DAYS = 30


class Seller(Protocol):
    """The interface of a provider that sells models at a price."""

    def prices_of(self, model: "Model") -> Prices:
        """Return what the model costs there."""


class LifecycleFacts(Facts):
    """When a model was released and is shut down; ``None`` for dates not announced."""

    released: str | None = Field(default=None, pattern=r"^\d{4}-\d{2}(-\d{2})?$")
    shutdown_on: date | None = None
    successors: tuple[str, ...] = ()
    source: str
    checked_on: date


@dataclass(frozen=True)
class Lifecycle:
    """A model's lifecycle state on one day.

    Args:
        state: ``active``; ``retiring`` within 30 days of its shutdown; ``retired`` from that day on.
        shutdown_on: The announced day, if any.
        days_left: Days until the shutdown, negative afterwards; ``None`` when none is announced.
        successors: Models that the vendor recommends instead.
    """

    state: Literal["active", "retiring", "retired"]
    shutdown_on: date | None
    days_left: int | None
    successors: tuple[str, ...]


class OutputTokens(Facts):
    """The formula for a model's output tokens, and its uncertainty."""

    formula: Literal["gpt-image-1", "gpt-image-2", "gpt-image-2.5"]
    factors: Mapping[str, int] = {}
    uncertainty_percent: Mapping[str, int] = {}

    def range(self, quality: str, size: Size) -> tuple[int, int]:
        """Return the fewest and the most tokens to expect for one picture."""
        count = tokens.output_tokens(self.formula, quality, *size) * self.factors.get(quality, 1)
        percent = self.uncertainty_percent.get(quality, 0)
        return floor(count * (100 - percent) / 100), ceil(count * (100 + percent) / 100)


class Bought(NamedTuple):
    """The pictures that came of an order, and what they were asked to be."""

    n_pictures: int
    quality: str
    size: Size | None
    n_references: int


class RequestShape(Facts):
    """How a model is asked, where that differs from the vendor's Images API.

    Args:
        rename: Other names of fields.
        drop: Fields that it does not know.
        add: Fields that are always sent.
        by_size: Fields that are sent in place of ``size``, by size, such as an aspect ratio.
    """

    rename: Mapping[str, str] = {}
    drop: tuple[str, ...] = ()
    add: Mapping[str, Any] = {}
    by_size: Mapping[str, Mapping[str, Any]] = {}

    def of(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return a request's fields as this model wants them."""
        sized = self.by_size.get(str(fields.get("size")), {})
        left_out = {*self.drop, *(["size"] if sized else [])}
        kept = {self.rename.get(name, name): value for name, value in fields.items() if name not in left_out}
        return kept | dict(sized) | dict(self.add)


@dataclass(frozen=True)
class Estimate:
    """The estimated cost of a request, USD.

    Args:
        low_usd: The expected cost by published measurements.
        high_usd: The highest possible cost by the published formulas; this is reserved.
        note: Why the range is wide; empty when it is not.
    """

    low_usd: Decimal
    high_usd: Decimal
    note: str = ""


class Model(Facts):
    """One model. Without capabilities or prices it cannot be bought.

    ``sold_at`` names the providers that sell it at these prices; without it, all that have none of their own.
    """

    id: str
    kind: Literal["image", "text"]
    aliases: tuple[str, ...] = ()
    lifecycle_facts: LifecycleFacts = Field(alias="lifecycle")
    prices: Prices | None = None
    capabilities: Capabilities | None = None
    output_tokens: OutputTokens | None = None
    reference_tokens: Literal["patches", "tiles"] | None = None
    image_prices: Mapping[str, Mapping[str, ExactDecimal]] = {}
    vision: Vision | None = None
    request: RequestShape = RequestShape()
    sold_at: tuple[str, ...] = ()

    def faults_of(self, parameters: Mapping[str, Any]) -> list[str]:
        """List what the model does not accept, as ``key: what, accepted: …``; empty when it accepts all.

        Args:
            parameters: The request's fields other than the prompt, by the API's names.
        """
        return [str(fault) for fault in self.find_unsupported(parameters)]

    def find_unsupported(self, parameters: Mapping[str, Any]) -> list[UnsupportedParameter]:
        """List what the model does not accept of a request, as objects."""
        if self.kind != "image" or self.capabilities is None:
            what = f"{self.id} is shut down" if self.kind == "image" else f"{self.id} makes no pictures"
            return [UnsupportedParameter("model", what, ", ".join(self.lifecycle_facts.successors))]
        return list(find_unsupported(self.id, self.capabilities, parameters))

    def estimate_usd(
        self,
        parameters: Mapping[str, Any],
        prompt: str,
        references: Sequence[Reference] = (),
        lane: Lane = "interactive",
        provider: Seller | None = None,
    ) -> Estimate:
        """Estimate a request's cost before it is sent.

        Args:
            parameters: The request's fields other than the prompt, as sent, including size and quality.
            prompt: The rendered text.
            references: Pictures sent along; they make the request an edit.
            lane: ``interactive`` or ``batch``.
            provider: The provider; without one the vendor's own prices are used.

        Returns:
            Low and high end. The high end bounds the text by its bytes and uses the higher of a picture's
            published tokens and published price, so that it covers the bill.

        Raises:
            CatalogueError: The request has faults, or some of it has no published price.
        """
        if self.kind == "text":
            return self._estimate_answer_usd(parameters, prompt, references, lane, provider)
        faults = self.faults_of(parameters)
        size, prices = parse_size(parameters.get("size")), self.prices_at(provider)
        if prices.is_by_picture and not faults:
            return self._estimate_by_picture(parameters, prompt, references, provider)
        if faults or size is None or self.output_tokens is None:
            raise CatalogueError(
                where=self.id, what="; ".join(faults) or "its output tokens are not published"
            )
        n, quality = int(parameters.get("n", 1)), str(parameters["quality"])
        pictures = self._reference_tokens(references, str(parameters.get("input_fidelity", "low")))
        low_output, high_output = self.output_tokens.range(quality, size)
        high_output = max(high_output, self._published_tokens(quality, size))
        high_output += tokens.PARTIAL_TOKENS * int(parameters.get("partial_images", 0))  # fewer may be sent
        low = prices.charge_usd(
            text_input=tokens.least_text_tokens(prompt),
            image_input=pictures,
            output=n * low_output,
            lane=lane,
        )
        most_text = tokens.most_text_tokens(prompt, is_edit=bool(references))
        # Whether the pictures of one request share its input cost is not published; the high end assumes not.
        high = prices.charge_usd(
            text_input=n * most_text, image_input=n * pictures, output=n * high_output, lane=lane
        )
        if low is None or high is None:
            raise self._unpriced(provider, f"has no published price for this request in the {lane} lane")
        percent = self.output_tokens.uncertainty_percent.get(quality)
        note = (
            f"{self.id} at {quality}: no published token count, estimate within ±{percent}%"
            if percent
            else ""
        )
        return Estimate(low, high, note)

    def _estimate_by_picture(
        self,
        parameters: Mapping[str, Any],
        prompt: str,
        references: Sequence[Reference],
        provider: Seller | None,
    ) -> Estimate:
        """Estimate pictures that have a price of their own, with the text sent where that has one too."""
        prices = self.prices_at(provider)
        size, quality = parse_size(parameters.get("size")), str(parameters["quality"])
        flat = prices.pictures_usd(int(parameters.get("n", 1)), quality, size, len(references))
        if flat is None:
            raise self._unpriced(provider, f"has no published price for {quality} {parameters.get('size')}")
        per_text = (prices.text_input or Decimal(0)) / 1_000_000
        low, high = (
            tokens.least_text_tokens(prompt),
            tokens.most_text_tokens(prompt, is_edit=bool(references)),
        )
        return Estimate(flat + low * per_text, flat + high * per_text)

    def _estimate_answer_usd(
        self,
        parameters: Mapping[str, Any],
        prompt: str,
        pictures: Sequence[Reference],
        lane: Lane,
        provider: Seller | None,
    ) -> Estimate:
        if self.vision is None:
            raise CatalogueError(where=self.id, what="its token count for pictures is not published")
        cost = answer_cost_usd(self.vision, self.prices_at(provider), parameters, prompt, pictures, lane)
        if cost is None:
            raise self._unpriced(provider, f"has no published price for answers in the {lane} lane")
        return Estimate(cost.low_usd, cost.high_usd)

    def cost_usd(
        self,
        usage: Usage,
        lane: Lane = "interactive",
        provider: Seller | None = None,
        bought: Bought | None = None,
    ) -> Decimal | None:
        """Compute the exact cost of the usage that a provider reports, or of pictures that have a price.

        Args:
            usage: The tokens used.
            lane: ``interactive`` or ``batch``.
            provider: The provider; without one the vendor's own prices are used.
            bought: What came, for pictures that are not priced by tokens; ``None`` where none came.

        Returns:
            Dollars; ``None`` when output or text tokens are missing, or a price is unknown. Missing picture
            tokens count as 0, because a request without references need not report them.
        """
        prices = self.prices_at(provider)
        if prices.is_by_picture and self.kind == "image":
            if bought is None or (prices.text_input and usage.text_input_tokens is None):
                return None
            flat = prices.pictures_usd(bought.n_pictures, bought.quality, bought.size, bought.n_references)
            text = prices.charge_usd(
                text_input=usage.text_input_tokens or 0 if prices.text_input else 0,
                image_input=0,
                output=0,
                lane=lane,
            )
            return None if flat is None or text is None else flat + text
        if usage.output_tokens is None or usage.text_input_tokens is None:
            return None
        return prices.charge_usd(
            text_input=usage.text_input_tokens,
            image_input=usage.image_input_tokens or 0,
            output=usage.output_tokens,
            lane=lane,
        )

    def prices_at(self, provider: Seller | None = None) -> Prices:
        """Return the prices that apply at a provider.

        Raises:
            CatalogueError: There is no dated price for the model there; the message says how to add one.
        """
        if provider is not None:
            return provider.prices_of(self)
        if self.prices is None:
            raise self._unpriced(None, "has no dated price")
        return self.prices

    def lifecycle(self, today: date) -> Lifecycle:
        """Return the model's lifecycle state on a day."""
        facts = self.lifecycle_facts
        if facts.shutdown_on is None:
            return Lifecycle("active", None, None, facts.successors)
        days_left = (facts.shutdown_on - today).days
        late = "retiring" if days_left > 0 else "retired"
        state: Any = "active" if days_left > RETIRING_WITHIN_DAYS else late
        return Lifecycle(state, facts.shutdown_on, days_left, facts.successors)

    def _reference_tokens(self, references: Sequence[Reference], input_fidelity: str) -> int:
        if self.reference_tokens == "patches":
            return sum(tokens.reference_tokens_by_patches(ref.width, ref.height) for ref in references)
        return sum(
            tokens.reference_tokens_by_tiles(ref.width, ref.height, input_fidelity=input_fidelity)
            for ref in references
        )

    def _published_tokens(self, quality: str, size: Size) -> int:
        """Convert the vendor's price per picture to tokens at the vendor's token price; 0 without one."""
        price = self.image_prices.get(quality, {}).get(str(size))
        if price is None or self.prices is None or not self.prices.image_output:
            return 0
        return ceil(price * 1_000_000 / self.prices.image_output)

    def _unpriced(self, provider: Seller | None, what: str) -> CatalogueError:
        seller = "the catalogue" if provider is None else getattr(provider, "name", "the provider")
        return CatalogueError(
            where=f"{self.id} at {seller}",
            what=what,
            accepted="models with a dated price and its source; see: runoff models",
            next_step=f"Add models.{self.id}.prices, dated and with a source, to RUNOFF_HOME/catalogue.yaml.",
        )
