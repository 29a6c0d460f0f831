"""Models that are sold by the picture: estimated and settled at their own price, asked in their own words."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tasks.catalogue import Bought, load_catalogue
from tasks.catalogue.model import Model, RequestShape
from tasks.catalogue.prices import Prices
from tasks.catalogue.providers import load_providers
from tasks.catalogue.sizes import Size
from tasks.errors import CatalogueError
from tasks.order import Reference, Usage

DATED = {"price_as_of": "2026-11-22", "source": "https://seller.test", "checked_on": "2026-11-22"}
SQUARE = Size(1024, 1024)


def prices(**own: Any) -> Prices:
    """Make dated prices."""
    return Prices.model_validate(own | DATED)


def model(folder: Path, **own: Any) -> Model:
    """Read a model from a home's catalogue."""
    facts = {
        "kind": "image",
        "lifecycle": {"source": "https://seller.test", "checked_on": "2026-11-22"},
        "prices": own.pop("prices", {"per_picture": "0.04"}) | DATED,
        "capabilities": {
            "sizes": ["1024x1024", "2048x2048"], "qualities": ["low", "high"], "formats": ["png"],
            "backgrounds": ["auto"], "edits": True, "max_references": 4,
        },
    }  # fmt: skip
    (folder / "catalogue.yaml").write_text(yaml.safe_dump({"models": {"painter": facts | own}}))
    return load_catalogue(folder).model("painter")


@pytest.mark.parametrize(
    ("own", "usd"),
    [
        ({"per_picture": "0.04"}, "0.08"),
        ({"per_picture": {"high": "0.1", "low": "0.01"}}, "0.2"),
        ({"per_picture": {"1024x1024": "0.03"}}, "0.06"),
        ({"per_picture": {"high": {"1024x1024": "0.05"}}}, "0.1"),
        ({"per_megapixel": "0.03"}, "0.06291456"),
        ({"per_request": "0.008"}, "0.008"),
        ({"per_picture": "0.02", "per_reference": "0.008"}, "0.064"),
        ({"per_picture": {"low": "0.01"}}, None),
        ({"per_picture": {"high": {"2048x2048": "0.05"}}}, None),
    ],
)
def test_two_pictures_cost_what_is_published(own: dict[str, Any], usd: str | None) -> None:
    """By picture, quality, size, pixels, request and picture sent along; what has no price has none."""
    found = prices(**own).pictures_usd(2, "high", SQUARE, 3)
    assert found == (None if usd is None else Decimal(usd))


@given(st.integers(1, 10), st.decimals("0.0001", 1, places=4), st.decimals(0, 1, places=4))
def test_the_estimate_is_the_bill(n: int, each: Decimal, request: Decimal) -> None:
    """Where every ordered picture comes, what was reserved is what is settled."""
    sold = prices(per_picture=str(each), per_request=str(request))
    assert sold.pictures_usd(n, "low", SQUARE, 0) == request + n * each


def test_an_order_is_settled_by_the_pictures_that_came(tmp_path: Path) -> None:
    """Not by tokens; without a picture there is no cost, and so a refusal is free."""
    found = model(tmp_path)
    reference = Reference("", "", 1024, 1024, "image/png")
    parameters = {"model": "painter", "n": 2, "quality": "high", "size": "1024x1024"}
    estimate = found.estimate_usd(parameters, "an otter", [reference])
    assert (estimate.low_usd, estimate.high_usd) == (Decimal("0.08"), Decimal("0.08"))
    usage = Usage(output_tokens=5)
    assert found.cost_usd(usage, bought=Bought(1, "high", SQUARE, 0)) == Decimal("0.04")
    assert found.cost_usd(usage) is None


def test_text_may_have_a_price_beside_the_pictures(tmp_path: Path) -> None:
    """The estimate bounds it; without its count the cost is unknown."""
    found = model(tmp_path, prices={"per_picture": "0.04", "text_input": "2.00"})
    parameters = {"model": "painter", "n": 1, "quality": "high", "size": "1024x1024"}
    estimate = found.estimate_usd(parameters, "an otter")
    bought = Bought(1, "high", SQUARE, 0)
    cost = found.cost_usd(Usage(text_input_tokens=3), bought=bought)
    assert cost == Decimal("0.040006")
    assert Decimal("0.04") < estimate.low_usd <= estimate.high_usd
    assert found.cost_usd(Usage(), bought=bought) is None


def test_what_has_no_price_is_not_bought(tmp_path: Path) -> None:
    """A size or quality without one is refused before anything is sent."""
    found = model(tmp_path, prices={"per_picture": {"low": "0.01"}})
    parameters = {"model": "painter", "n": 1, "quality": "high", "size": "1024x1024"}
    with pytest.raises(CatalogueError, match="no published price for high 1024x1024"):
        found.estimate_usd(parameters, "an otter")


def test_a_model_is_sold_where_its_catalogue_says(tmp_path: Path) -> None:
    """Other providers do not sell it, so that `cheapest` is never a model of somebody else's."""
    providers = load_providers()
    found = model(tmp_path, sold_at=["emulator"])
    assert providers.provider("emulator").prices_of(found).per_picture == Decimal("0.04")
    with pytest.raises(CatalogueError, match="openai does not sell painter"):
        providers.provider("openai").prices_of(found)


def test_a_model_is_asked_in_its_own_words() -> None:
    """Fields are renamed, left out and added; a size may be an aspect ratio."""
    shape = RequestShape(
        rename={"n": "batch_size"}, drop=("quality",), add={"watermark": False},
        by_size={"1536x1024": {"aspect_ratio": "3:2"}},
    )  # fmt: skip
    fields = {"prompt": "p", "n": 1, "quality": "low", "size": "1536x1024"}
    assert shape.of(fields) == {"prompt": "p", "batch_size": 1, "aspect_ratio": "3:2", "watermark": False}
    assert shape.of(fields | {"size": "1024x1024"})["size"] == "1024x1024"
