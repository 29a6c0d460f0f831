"""``model: cheapest``: the catalogue's cheapest model that can do what is asked, on the day."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tasks.campaign import Campaign
from tasks.campaign.cheapest import with_cheapest
from tasks.campaign.succession import heed_announced, with_successors
from tasks.errors import CatalogueError
from tests.support.campaign_files import changed, faults, load
from tests.support.planning import CATALOGUE, PROVIDERS, campaign, planned

BEFORE, LAST_DAY, AFTER = date(2026, 11, 22), date(2026, 11, 30), date(2026, 12, 1)
MINI, FLARE = "gpt-image-1-mini", "gpt-image-2.5-flare"


def chosen(day: date, provider: str = "openai", **drafts: Any) -> str:
    """Name the model that a campaign's drafts are made with on a day."""
    return resolved(day, provider, drafts=drafts).drafts.model


def resolved(day: date, provider: str = "openai", **changes: Any) -> Campaign:
    """Put the day's models into a campaign."""
    wished = campaign(**{"drafts": {}} | changes)
    return with_cheapest(wished, CATALOGUE, PROVIDERS.provider(provider), day)[0]


@pytest.mark.parametrize(("day", "model"), [(BEFORE, MINI), (LAST_DAY, FLARE), (AFTER, FLARE)])
def test_a_model_left_out_is_the_cheapest_that_lasts(day: date, model: str) -> None:
    """From the day before its shutdown a model is taken no more: a run may last beyond midnight."""
    assert chosen(day) == model
    assert chosen(day, model="cheapest") == model


@pytest.mark.parametrize(
    ("asked", "model"),
    [
        ({"size": "1280x720"}, FLARE),  # mini has three sizes
        ({"quality": "xhigh"}, "gpt-image-2.6-flare"),
        ({"complexity": "low"}, "gpt-image-2.6-flare"),
        ({"input_fidelity": "high"}, MINI),  # without references it is not sent
    ],
)
def test_it_can_do_what_the_campaign_asks(asked: dict[str, Any], model: str) -> None:
    """Sizes, qualities and what only some models know."""
    assert chosen(BEFORE, **asked) == model


def test_every_arm_shares_the_model_that_all_of_them_can_have() -> None:
    """An arm of another size moves both; an arm with a model of its own keeps it."""
    wide = {"A": {"prompt": "a"}, "B": {"prompt": "b", "drafts": {"size": "1280x720"}}}
    shared = resolved(BEFORE, arms=wide)
    assert {shared.drafts_of(arm).model for arm in "AB"} == {FLARE}
    own = {"A": {"prompt": "a"}, "B": {"prompt": "b", "drafts": {"model": "gpt-image-2"}}}
    kept = resolved(BEFORE, arms=own)
    assert [kept.drafts_of(arm).model for arm in "AB"] == [MINI, "gpt-image-2"]
    alone = {"A": {"prompt": "a"}, "B": {"prompt": "b", "drafts": {"model": "cheapest", "quality": "xhigh"}}}
    both = resolved(BEFORE, arms=alone, drafts={"model": "gpt-image-2"})
    assert [both.drafts_of(arm).model for arm in "AB"] == ["gpt-image-2", "gpt-image-2.6-flare"]


def test_a_sellers_own_prices_decide() -> None:
    """The gateway has no price for the vendor's cheapest."""
    assert chosen(BEFORE, "cometapi") == "gpt-image-2"


def test_a_run_that_began_with_a_retiring_model_goes_on_after_its_end() -> None:
    """What is stored with the run names the model that follows."""
    stored = Campaign.model_validate_json(resolved(BEFORE).model_dump_json(exclude_unset=True))
    after, notices = with_successors(stored, CATALOGUE, AFTER)
    assert (stored.drafts.model, after.drafts.model) == (MINI, FLARE)
    assert MINI in notices[0]


def test_the_plan_tells_which_and_what_one_costs() -> None:
    """As a note, and every order has it."""
    result = planned(campaign(drafts={}), AFTER)
    assert result.notes == (f"drafts: model cheapest is {FLARE} on {AFTER}, about $0.0059 a draft.",)
    assert {order.parameters["model"] for order in result.orders} == {FLARE}


def test_without_any_model_the_day_is_named() -> None:
    """Only mini and its kind know an input fidelity; after them nothing does."""
    sent: dict[str, Any] = {"references": ["otter.png"], "drafts": {"input_fidelity": "low"}}
    assert resolved(BEFORE, **sent).drafts.model == MINI
    with pytest.raises(CatalogueError, match=f"cheapest stands for no model on {AFTER}"):
        resolved(AFTER, **sent)


def test_a_shutdown_that_the_provider_announces_counts() -> None:
    """The next cheapest is taken."""
    catalogue, notices = heed_announced(campaign(drafts={}), CATALOGUE, {FLARE: date(2026, 12, 2)})
    later, _ = with_cheapest(campaign(drafts={}), catalogue, PROVIDERS.provider("openai"), AFTER)
    assert later.drafts.model == "gpt-image-2.5-sunburst"
    assert FLARE in notices[0]


def test_what_no_model_makes_is_reported_of_the_closest(tmp_path: Path) -> None:
    """A size that no model makes is a fault of the file on every day."""
    (fault,) = faults(tmp_path, changed("drafts", {"size": "1000x1000", "quality": "low"}))
    assert fault.startswith("drafts.size")
    assert "1024x1024" in fault
    assert load(tmp_path, changed("drafts", {"quality": "xhigh"})).drafts.model == "cheapest"


def test_the_cheapest_has_no_successor(tmp_path: Path) -> None:
    """It never needs one."""
    (fault,) = faults(tmp_path, changed("drafts", {"successor": {"model": "gpt-image-2"}}))
    assert "cheapest has no successor" in fault
