"""The estimate against the bill: only what is known counts."""

from dataclasses import replace
from decimal import Decimal

from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import load_providers
from tasks.report_page.estimate_errors import measure_estimates
from tasks.report_page.facts import EstimateError
from tests.support.builders import an_order

CATALOGUE = load_catalogue(environ={})
PROVIDERS = load_providers()


def test_each_stage_has_its_own_error_in_percent_of_its_bill() -> None:
    """Two drafts of one cent each, billed half a cent each: the high end is 100 % above the bill."""
    drafts = [(an_order(replicate=k), Decimal("0.005")) for k in range(2)]
    final = (an_order(stage="final", estimate_usd=Decimal("0.2")), Decimal("0.25"))
    errors = measure_estimates([*drafts, final], CATALOGUE, PROVIDERS)
    draft = errors["draft"]
    assert (draft.orders, draft.high_usd, draft.billed_usd) == (2, Decimal("0.02"), Decimal("0.010"))
    assert draft.high_error_percent == 100.0
    assert errors["final"].high_error_percent == -20.0
    model, order = CATALOGUE.model("gpt-image-1-mini"), an_order()
    low_usd = model.estimate_usd(
        order.parameters, order.prompt, provider=PROVIDERS.provider(order.provider)
    ).low_usd
    assert draft.low_usd == 2 * low_usd


def test_what_nobody_knows_is_null() -> None:
    """No known cost, no stage; a model no longer in the catalogue, no low end; no bill, no error."""
    assert measure_estimates([], CATALOGUE, PROVIDERS) == {}
    gone = replace(an_order(), parameters={"model": "gone", "n": 1, "quality": "low", "size": "1024x1024"})
    error = measure_estimates([(gone, Decimal("0.005"))], CATALOGUE, PROVIDERS)["draft"]
    assert (error.low_usd, error.low_error_percent, error.high_error_percent) == (None, None, 100.0)
    free = EstimateError(orders=1, low_usd=Decimal(1), high_usd=Decimal(2), billed_usd=Decimal(0))
    assert (free.low_error_percent, free.high_error_percent) == (None, None)
