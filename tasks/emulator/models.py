"""The vendor's image models, as the emulator's own data: dates, sizes, tiers and prices.

Deliberately written from the published protocol and not from Runoff's catalogue: when the two disagree about
a size or a price, a test on the bill finds it.

Source: developers.openai.com model pages, deprecations page and image generation guide, checked 2026-11-22.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal

Counting = Literal["table", "formula_2", "formula_2_5", "formula_2_6"]

FIXED_SIZES = ((1024, 1024), (1536, 1024), (1024, 1536))
BASIC_TIERS = ("low", "medium", "high")
ALL_TIERS = (*BASIC_TIERS, "xhigh", "max")


@dataclass(frozen=True, slots=True)
class Price:
    """Nano-dollars per token: 5000 is five dollars per million."""

    text_input: int
    image_input: int
    output: int


MINI_PRICE = Price(text_input=2_000, image_input=2_500, output=8_000)
CLASSIC_PRICE = Price(text_input=5_000, image_input=8_000, output=32_000)
MODERN_PRICE = Price(text_input=5_000, image_input=8_000, output=30_000)


@dataclass(frozen=True, slots=True)
class Model:
    """One image model.

    Args:
        id: The name sent in requests.
        released: The day of its release.
        shutdown: The first day on which it answers 404; ``None`` when not announced.
        counting: The formula for its output tokens by tier and size.
        price: Nano-dollars per token.
        sizes: The only sizes it makes; empty for any size within the general limits.
        tiers: Its quality tiers, without ``auto``.
        transparent: Whether it makes transparent backgrounds.
        input_fidelities: Accepted values of ``input_fidelity``; empty when the parameter is not accepted.
        has_complexity: Whether it accepts ``complexity``.
        has_markup: Whether an edit may have ``markup``.
        has_batch: Whether the batches endpoint accepts it.
    """

    id: str
    released: date
    shutdown: date | None
    counting: Counting
    price: Price
    sizes: tuple[tuple[int, int], ...] = ()
    tiers: tuple[str, ...] = ALL_TIERS
    transparent: bool = True
    input_fidelities: tuple[str, ...] = field(default=())
    has_complexity: bool = False
    has_markup: bool = False
    has_batch: bool = True

    def is_retired(self, today: date) -> bool:
        """Whether it answers 404 on a day."""
        return self.shutdown is not None and today >= self.shutdown

    def as_wire(self) -> dict[str, str | int | None]:
        """The model as JSON of the models endpoint."""
        midnight = datetime(self.released.year, self.released.month, self.released.day, tzinfo=UTC)
        return {
            "id": self.id,
            "object": "model",
            "created": int(midnight.timestamp()),
            "owned_by": "system",
            "shutdown_date": self.shutdown.isoformat() if self.shutdown else None,
        }


def _classic(id: str, released: date, shutdown: date, price: Price, fidelities: tuple[str, ...]) -> Model:
    return Model(id, released, shutdown, "table", price, FIXED_SIZES, BASIC_TIERS, True, fidelities)


def _known() -> tuple[Model, ...]:
    december = date(2026, 12, 1)
    both = ("low", "high")
    classic = [
        _classic("gpt-image-1", date(2025, 4, 23), date(2026, 10, 23), CLASSIC_PRICE, both),
        _classic("gpt-image-1-mini", date(2025, 10, 6), december, MINI_PRICE, ("low",)),
        _classic("gpt-image-1.5", date(2025, 12, 16), december, CLASSIC_PRICE, both),
        _classic("gpt-image-1.5-2025-12-16", date(2025, 12, 16), december, CLASSIC_PRICE, both),
        _classic("chatgpt-image-latest", date(2025, 12, 16), december, CLASSIC_PRICE, both),
        _classic("dall-e-2", date(2022, 11, 3), date(2026, 5, 12), CLASSIC_PRICE, ()),
        _classic("dall-e-3", date(2023, 11, 6), date(2026, 5, 12), CLASSIC_PRICE, ()),
    ]
    two = [
        Model(id, date(2026, 4, 21), None, "formula_2", MODERN_PRICE, (), BASIC_TIERS, transparent=False)
        for id in ("gpt-image-2", "gpt-image-2-2026-04-21")
    ]
    two_five = [
        Model(
            f"gpt-image-2.5-{name}{snapshot}",
            date(2026, 9, 8),
            None,
            "formula_2_5",
            MODERN_PRICE,
            has_markup=True,
        )
        for name in ("sunburst", "flare")
        for snapshot in ("", "-2026-09-08")
    ]
    two_six = [
        Model(
            f"gpt-image-2.6-{name}",
            date(2026, 11, 4),
            None,
            "formula_2_6",
            MODERN_PRICE,
            has_complexity=True,
            has_markup=True,
            has_batch=False,
        )
        for name in ("sunburst", "flare")
    ]
    return (*classic, *two, *two_five, *two_six)


MODELS: dict[str, Model] = {model.id: model for model in _known()}

STEP_PX = 16
LONGEST_EDGE_PX = 3840
FEWEST_PIXELS = 655_360
MOST_PIXELS = 8_294_400
WIDEST_RATIO = 3


def size_fault(width_px: int, height_px: int) -> str | None:
    """Return why a model without a list of sizes does not make this one; ``None`` when it does.

    Source: image generation guide, size rule of gpt-image-2 and later, checked 2026-11-22.
    """
    longest, shortest = max(width_px, height_px), min(width_px, height_px)
    if width_px % STEP_PX or height_px % STEP_PX:
        return f"width and height must be multiples of {STEP_PX}"
    if longest > LONGEST_EDGE_PX:
        return f"no edge may be longer than {LONGEST_EDGE_PX} pixels"
    if shortest == 0 or longest > WIDEST_RATIO * shortest:
        return f"the long edge may be at most {WIDEST_RATIO} times the short one"
    if not FEWEST_PIXELS <= width_px * height_px <= MOST_PIXELS:
        return f"the picture must have between {FEWEST_PIXELS} and {MOST_PIXELS} pixels"
    return None
